import type { ChildProcess } from "node:child_process";
import { Socket } from "node:net";
import { ok } from "../../kernel/assert.ts";
import type { HitMeasure } from "../../kernel/worker/limit.ts";
import { codeOf } from "../../ports/error-code.ts";
import type { OutputSink } from "../../ports/sandbox.ts";
import { within } from "../end/within.ts";

/** How much is kept of what a sandbox first writes to `stderr`: a launcher's complaint, bytes. */
const complaintBytesMax = 4_096;

/**
 * Carries what a sandbox's processes write into a sink, and reads on only when the sink has taken
 * it: a worker that writes faster than its output is kept waits. Ends when the last of its
 * processes has let go of the pipes, and then closes the sink.
 */
export class Pump {
  readonly #child: ChildProcess;
  readonly #sink: OutputSink;
  readonly #done: Promise<void>;
  #complaint = Buffer.alloc(0);

  /** `child` was spawned with pipes for its output. The sink is the pump's from here on. */
  constructor(child: ChildProcess, sink: OutputSink) {
    this.#child = child;
    this.#sink = sink;
    this.#done = Promise.all([this.#carry("stdout", sink), this.#carry("stderr", sink)]).then(() =>
      sink.close(),
    );
  }

  /** How often its sink has dropped what was older; undefined: never yet, as far as it tells. */
  overflow(): HitMeasure | undefined {
    return this.#sink.overflow?.();
  }

  /** The beginning of what was written to `stderr`. */
  complaint(): string {
    return this.#complaint.toString("utf8");
  }

  /** Waits until all is carried, or the time is up. */
  async drained(withinMs: number): Promise<void> {
    await within(this.#done, withinMs);
  }

  /** Lets go of the pipes, whatever is in them, and waits for the sink to be closed. */
  async close(): Promise<void> {
    this.#child.stdout?.destroy();
    this.#child.stderr?.destroy();
    await this.#done;
  }

  async #carry(name: "stdout" | "stderr", sink: OutputSink): Promise<void> {
    const stream = this.#child[name];
    ok(stream !== null, "a child whose output is carried has pipes");
    // As the child itself, its pipes keep nobody from exiting.
    if (stream instanceof Socket) stream.unref();
    let writing: Promise<void> = Promise.resolve();
    let writeCount = 0;
    // Not as an iterator: of 1 000 workers that end at once each would take twice as long over it.
    stream.on("data", (chunk: Buffer) => {
      if (name === "stderr") this.#keep(chunk);
      stream.pause();
      writeCount += 1;
      // In turn: when its process exits a child has its pipes flow, paused or not.
      writing = writing.then(async () => {
        await sink.write(name, chunk);
        writeCount -= 1;
        if (writeCount === 0) stream.resume();
      });
      writing.catch(() => stream.destroy());
    });
    // A pipe that breaks is closed next: what was in it is lost, the worker is none the worse.
    stream.on("error", () => undefined);
    await new Promise<void>((resolve) => {
      stream.once("close", resolve);
    });
    try {
      await writing;
    } catch (error) {
      // The sink took no more of it.
      if (codeOf(error) === "") throw error;
    }
  }

  #keep(chunk: Buffer): void {
    const room = complaintBytesMax - this.#complaint.length;
    if (room > 0) this.#complaint = Buffer.concat([this.#complaint, chunk.subarray(0, room)]);
  }
}
