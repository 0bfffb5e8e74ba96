import { watch, type FSWatcher } from "node:fs";

/** The first of the waits for a file to be there, in ms: mostly it is being replaced. */
const absentMsMin = 2;

/**
 * Wakes a follower of a file: when the file system says that it changed, when somebody calls
 * {@link Alarm.ring}, or when a time has passed, whichever is first.
 */
export class Alarm {
  readonly #file: string;
  #watcher: FSWatcher | undefined;
  #isRung = false;
  #wake: (() => void) | undefined;
  #absentMs = absentMsMin;

  constructor(file: string) {
    this.#file = file;
  }

  /** Ends the wait that is going on, or the next one at once. */
  ring(): void {
    this.#isRung = true;
    this.#wake?.();
  }

  /** Resolves when it was rung since the last wait, or `withinMs` later. Never rejects. */
  async wait(withinMs: number): Promise<void> {
    // What came before the watch began was not heard: then the follower looks once more.
    if (this.#watcher === undefined && this.#arm()) this.#isRung = true;
    if (!this.#isRung) {
      const woken = Promise.withResolvers<void>();
      const timer = setTimeout(woken.resolve, Math.min(withinMs, this.#untilNextLook()));
      this.#wake = woken.resolve;
      await woken.promise;
      this.#wake = undefined;
      clearTimeout(timer);
    }
    this.#isRung = false;
  }

  /** Stops watching; safe to call twice. */
  close(): void {
    this.#watcher?.close();
    this.#watcher = undefined;
  }

  /** Without a watch, soon at first, then ever later. */
  #untilNextLook(): number {
    const nextMs = this.#absentMs;
    this.#absentMs = this.#watcher === undefined ? nextMs * 2 : absentMsMin;
    return this.#watcher === undefined ? nextMs : Number.POSITIVE_INFINITY;
  }

  #arm(): boolean {
    try {
      const watcher = watch(this.#file, (event) => {
        // Another file is in its place now, or none: the next wait watches that one.
        if (event === "rename") this.close();
        this.ring();
      });
      watcher.on("error", () => this.close());
      this.#watcher = watcher;
      return true;
    } catch {
      // ENOENT: not there yet. ENOSPC, EMFILE: no watch to be had. Time wakes the follower.
      return false;
    }
  }
}
