import { setTimeout as sleep } from "node:timers/promises";
import type { Log } from "../../ports/log.ts";

/** How long nothing must be added before anything is removed, ms. */
const quietMs = 200;

/** How long is waited for that in all, ms: where some end all the time it never is. */
const patienceMs = 2_000;

/** Something that is to be removed. */
export interface Removal {
  /** What it is, for the log. */
  readonly what: string;
  /** Removes it; one that rejects leaves it, and is told of. */
  readonly remove: () => Promise<void>;
}

/**
 * What nobody looks at any more, to be removed in a quiet moment: who ends hundreds has no time for
 * it, and whoever waits for their ends is not to wait for this. What a process leaves of it at its
 * death is removed by whoever comes next.
 */
export class Debris {
  readonly #log: Log;
  readonly #removals: Removal[] = [];
  readonly #closing = new AbortController();
  #addedAtMs = 0;
  #sinceMs = 0;
  #removing: Promise<void> | undefined;

  constructor(log: Log) {
    this.#log = log;
  }

  /** Takes in what is then nobody else's to remove. */
  add(removal: Removal): void {
    this.#removals.push(removal);
    this.#addedAtMs = performance.now();
    if (this.#removing === undefined) this.#sinceMs = this.#addedAtMs;
    this.#removing ??= this.#removeAll();
  }

  /** Removes at once what is left, and waits for it; also of what is added from here on. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#removing;
  }

  async #removeAll(): Promise<void> {
    for (let next = this.#removals.shift(); next !== undefined; next = this.#removals.shift()) {
      await this.#quiet();
      const { what, remove } = next;
      await remove().catch((error: unknown) => {
        this.#log.info("something was left of a sandbox", { what, error: String(error) });
      });
    }
    this.#removing = undefined;
  }

  async #quiet(): Promise<void> {
    const { signal } = this.#closing;
    for (;;) {
      const dueAtMs = Math.min(this.#addedAtMs + quietMs, this.#sinceMs + patienceMs);
      const leftMs = dueAtMs - performance.now();
      if (leftMs <= 0 || signal.aborted) return;
      await sleep(leftMs, undefined, { signal, ref: false }).catch(() => undefined);
    }
  }
}
