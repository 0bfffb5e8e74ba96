import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as after } from "node:timers/promises";

const LOOK_EVERY_MS = 50;

/** How long somebody waits for a mark that another is to make, ms; then it goes on without. */
const MARK_MS_MAX = 30_000;

/** A folder in which processes that share nothing else tell each other how far they are. */
export class Desk {
  readonly #dir: string;

  constructor(dir: string) {
    this.#dir = dir;
    mkdirSync(dir, { recursive: true });
  }

  /** Makes a mark, for good. */
  mark(name: string): void {
    writeFileSync(join(this.#dir, name), "");
  }

  /** Waits until a mark is made, but not for ever. Throws the signal's reason when it fires. */
  async awaitMark(name: string, signal: AbortSignal): Promise<void> {
    const deadlineAtMs = performance.now() + MARK_MS_MAX;
    while (!existsSync(join(this.#dir, name)) && performance.now() < deadlineAtMs)
      await after(LOOK_EVERY_MS, undefined, { signal });
  }
}
