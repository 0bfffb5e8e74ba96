import type { ChildProcess } from "node:child_process";
import { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { ok } from "../../kernel/assert.ts";
import type { HitMeasure } from "../../kernel/worker/limit.ts";
import { codeOf } from "../../ports/error-code.ts";
import type { OutputSink } from "../../ports/sandbox.ts";

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
    const waiting = new AbortController();
    const late = sleep(withinMs, undefined, { signal: waiting.signal }).catch(() => undefined);
    await Promise.race([this.#done, late]);
    waiting.abort();
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
    try {
      for await (const chunk of stream) {
        ok(chunk instanceof Buffer, "a pipe without an encoding gives bytes");
        if (name === "stderr") this.#keep(chunk);
        await sink.write(name, chunk);
      }
    } catch (error) {
      // The pipe was let go of, or broke: what was in it is lost, the worker is none the worse.
      if (codeOf(error) === "") throw error;
    }
  }

  #keep(chunk: Buffer): void {
    const room = complaintBytesMax - this.#complaint.length;
    if (room > 0) this.#complaint = Buffer.concat([this.#complaint, chunk.subarray(0, room)]);
  }
}
