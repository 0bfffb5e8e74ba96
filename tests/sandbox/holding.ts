// The outside view of what runs: a pipe that every fixture process holds open for writing. Its end
// comes when the last of them is gone, whatever group, session or parent it has.
import { execFileSync } from "node:child_process";
import { createReadStream } from "node:fs";
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createInterface } from "node:readline";

/** A named pipe that fixtures hold, and what they say on it. */
export class HeldPipe {
  readonly path: string;
  readonly #stream;
  readonly #lines: string[] = [];
  readonly #ended: Promise<unknown>;
  #wake = Promise.withResolvers<void>();

  constructor(folder: string, name = "held.pipe") {
    this.path = join(folder, name);
    execFileSync("sh", ["-c", 'mkfifo -m 600 "$0"', this.path]);
    this.#stream = createReadStream(this.path);
    this.#ended = once(this.#stream, "end");
    createInterface({ input: this.#stream }).on("line", (line) => {
      this.#lines.push(line);
      this.#wake.resolve();
    });
  }

  /** Waits until `count` processes have said that they are ready, and answers their pids. */
  async ready(count: number): Promise<number[]> {
    while (this.#lines.length < count) {
      await this.#wake.promise;
      this.#wake = Promise.withResolvers<void>();
    }
    return this.#lines.slice(0, count).map((line) => Number(line.replace("ready ", "")));
  }

  /** Whether the last holder is gone, waiting up to `withinMs` for it. */
  async isReleased(withinMs: number): Promise<boolean> {
    const given = new AbortController();
    const late = sleep(withinMs, false, { signal: given.signal }).catch(() => false);
    try {
      return await Promise.race([this.#ended.then(() => true), late]);
    } finally {
      given.abort();
    }
  }
}
