import { rm } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import type { Log } from "../../ports/log.ts";

/** How long nothing must be added before anything is removed, ms. */
const quietMs = 200;

/**
 * Folders that nobody looks at any more, to be removed in a quiet moment: who ends hundreds has no
 * time for it, and whoever waits for their ends is not to wait for this. What a process leaves of
 * them at its death is removed by whoever opens the same claims next.
 */
export class Debris {
  readonly #log: Log;
  readonly #paths: string[] = [];
  readonly #closing = new AbortController();
  #addedAtMs = 0;
  #removing: Promise<void> | undefined;

  constructor(log: Log) {
    this.#log = log;
  }

  /** Takes in a folder, which is then nobody else's. */
  add(path: string): void {
    this.#paths.push(path);
    this.#addedAtMs = performance.now();
    this.#removing ??= this.#removeAll().finally(() => (this.#removing = undefined));
  }

  /** Removes at once what is left, and waits for it; also of what is added from here on. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#removing;
  }

  async #removeAll(): Promise<void> {
    for (let path = this.#paths.shift(); path !== undefined; path = this.#paths.shift()) {
      await this.#quiet();
      await rm(path, { recursive: true, force: true }).catch((error: unknown) => {
        this.#log.info("a forgotten sandbox's folder was left", { path, error: String(error) });
      });
    }
  }

  async #quiet(): Promise<void> {
    const { signal } = this.#closing;
    for (;;) {
      const leftMs = this.#addedAtMs + quietMs - performance.now();
      if (leftMs <= 0 || signal.aborted) return;
      await sleep(leftMs, undefined, { signal, ref: false }).catch(() => undefined);
    }
  }
}
