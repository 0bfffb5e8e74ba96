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
  #broken = new AbortController();

  constructor(signal: AbortSignal) {
    this.#signal = signal;
  }

  /** Fires when nothing is waited for any longer: the demo is to end, or nothing can come. */
  get signal(): AbortSignal {
    return AbortSignal.any([this.#signal, this.#broken.signal]);
  }

  /** Has all that is waited for, now or later, fail for one reason, until {@link resume}. */
  breakOff(why: Error): void {
    this.#broken.abort(why);
  }

  /** Waits again, for what can still come. */
  resume(): void {
    this.#broken = new AbortController();
  }

  /** What is waited for, the oldest first. */
  get awaited(): readonly string[] {
    return [...this.#awaited];
  }

  /**
   * Looks again and again until there is something. Throws {@link Missed} when nothing came in
   * time, and the reason of {@link signal} when it fires.
   */
  async poll<T>(awaited: Awaited, look: () => T | Promise<T>): Promise<NonNullable<T>> {
    const deadlineAtMs = performance.now() + awaited.withinMs;
    const { signal } = this;
    return this.naming(awaited.what, async () => {
      for (;;) {
        signal.throwIfAborted();
        const found = await look();
        if (found !== undefined && found !== null && found !== false) return found;
        if (performance.now() > deadlineAtMs) throw new Missed(awaited);
        await pauseFor(LOOK_EVERY_MS, signal);
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

/** Waits; throws the signal's own reason when it fires, so that it can be told. */
async function pauseFor(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await after(ms, undefined, { signal });
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  }
}
