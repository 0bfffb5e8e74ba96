import { setTimeout as after } from "node:timers/promises";

const LOOK_EVERY_MS = 100;

/** What is waited for, and for how long. */
export interface Awaited {
  /** A sentence without its full stop: what is to be seen. */
  readonly what: string;
  readonly withinMs: number;
}

/** Something that did not come in time. */
export class Missed extends Error {
  override readonly name = "Missed";

  constructor({ what, withinMs }: Awaited) {
    super(`expected within ${Math.round(withinMs / 1_000)} s: ${what}`);
  }
}

/** Everything that is waited for just now, and the patience for it. */
export class Patience {
  readonly #awaited = new Set<string>();
  readonly #signal: AbortSignal;

  constructor(signal: AbortSignal) {
    this.#signal = signal;
  }

  /** What is waited for, the oldest first. */
  get awaited(): readonly string[] {
    return [...this.#awaited];
  }

  /**
   * Looks again and again until there is something. Throws {@link Missed} when nothing came in
   * time, and the signal's reason when the demo is to end.
   */
  async poll<T>(awaited: Awaited, look: () => T | Promise<T>): Promise<NonNullable<T>> {
    const deadlineAtMs = performance.now() + awaited.withinMs;
    return this.naming(awaited.what, async () => {
      for (;;) {
        this.#signal.throwIfAborted();
        const found = await look();
        if (found !== undefined && found !== null && found !== false) return found;
        if (performance.now() > deadlineAtMs) throw new Missed(awaited);
        await after(LOOK_EVERY_MS, undefined, { signal: this.#signal });
      }
    });
  }

  /** Names what is waited for while it is. */
  async naming<T>(what: string, wait: () => Promise<T>): Promise<T> {
    this.#awaited.add(what);
    try {
      return await wait();
    } finally {
      this.#awaited.delete(what);
    }
  }
}
