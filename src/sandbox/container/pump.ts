// Carries what a container writes into a sink. It is attached before the start and reads on only
// when the sink has taken what there was, so a container that writes faster waits. The engine keeps
// all of it as well, up to a bound. How much of each stream was taken is noted in the sandbox's
// folder: when this process, the next one, or the engine comes back after a break, it goes on there
// with what the engine has kept.

import type { Readable } from "node:stream";
import { join } from "node:path";
import type { HitMeasure } from "../../kernel/worker/limit.ts";
import type { Log } from "../../ports/log.ts";
import type { OutputSink } from "../../ports/sandbox.ts";
import { within } from "../end/within.ts";
import { isObject, noteDocument, readDocument } from "../folder/document.ts";
import type { Engine } from "./engine/engine.ts";
import { FrameReader, type Piece } from "./engine/frames.ts";

/** Where it is noted how much was taken. */
export const CARRIED_FILE = "carried.json";

/** How often it is noted while there is something to note, ms. */
const noteEveryMs = 100;

/** How much was taken of each stream, bytes. */
type Carried = Record<Piece["stream"], number>;

/** What a pump is made of. */
export interface PumpParts {
  readonly engine: Engine;
  readonly id: string;
  readonly folder: string;
  /** The pump's from here on. */
  readonly sink: OutputSink;
  readonly log: Log;
}

/** Carries the output of one container. */
export class Pump {
  readonly #parts: PumpParts;
  readonly #carried: Carried;
  #stream: Readable | undefined;
  #noting: NodeJS.Timeout | undefined;
  #isWhole = false;
  #done: Promise<void> = Promise.resolve();

  constructor(parts: PumpParts, carried: Carried) {
    this.#parts = parts;
    this.#carried = carried;
  }

  /** A pump that goes on where an earlier one has stopped. */
  static async resume(parts: PumpParts): Promise<Pump> {
    const value = await readDocument(join(parts.folder, CARRIED_FILE));
    const [stdout, stderr] = isObject(value) ? [value["stdout"], value["stderr"]] : [];
    return new Pump(parts, { stdout: Number(stdout ?? 0), stderr: Number(stderr ?? 0) });
  }

  /** Attaches to a container that has not been started. */
  async attach(): Promise<void> {
    const { engine, id } = this.#parts;
    const stream = await engine.attach(id);
    this.#done = this.#carry(stream, { stdout: 0, stderr: 0 }).then((isWhole) => {
      this.#isWhole = isWhole;
    });
  }

  /**
   * Takes what the engine has kept since the last that was taken, and with `follow` what comes: for
   * when the engine was away, which looks as if the container had closed its output.
   */
  catchUp(follow: boolean): void {
    this.#done = this.#done.then(async () => {
      if (this.#isWhole && !follow) return;
      const { engine, id, log } = this.#parts;
      try {
        const isWhole = await this.#carry(await engine.logs(id), { ...this.#carried });
        this.#isWhole = isWhole && !follow;
      } catch (error) {
        log.info("the output of a container could not be read on", { id, error: String(error) });
      }
    });
  }

  /** What the sink says of a bound that it keeps. */
  overflow(): HitMeasure | undefined {
    return this.#parts.sink.overflow?.();
  }

  /** Waits until what was attached to has ended. */
  untilEnd(): Promise<void> {
    return this.#done;
  }

  /** Takes the rest of what an ended container wrote, or as much as comes in time, and closes. */
  async finish(withinMs: number): Promise<void> {
    this.catchUp(false);
    await within(this.#done, withinMs);
    await this.close();
  }

  /** Lets go of the stream, notes how far it came and closes the sink; safe to call twice. */
  async close(): Promise<void> {
    this.#stream?.destroy();
    await this.#done;
    clearTimeout(this.#noting);
    await this.#note();
    await this.#parts.sink.close();
  }

  /** Carries a stream without the first of it; answers whether it ended by itself. */
  async #carry(stream: Readable, skip: Carried): Promise<boolean> {
    this.#stream = stream;
    const frames = new FrameReader();
    try {
      for await (const chunk of stream as AsyncIterable<Buffer>) {
        for (const piece of frames.read(chunk)) await this.#take(piece, skip);
      }
      return true;
    } catch (error) {
      const { id, log } = this.#parts;
      log.info("the output of a container broke off", { id, error: String(error) });
      return false;
    }
  }

  async #take({ stream, bytes }: Piece, skip: Carried): Promise<void> {
    const known = Math.min(skip[stream], bytes.length);
    skip[stream] -= known;
    if (known === bytes.length) return;
    await this.#parts.sink.write(stream, bytes.subarray(known));
    this.#carried[stream] += bytes.length - known;
    this.#noting ??= setTimeout(() => void this.#note(), noteEveryMs).unref();
  }

  async #note(): Promise<void> {
    this.#noting = undefined;
    await noteDocument(this.#parts.folder, CARRIED_FILE, this.#carried).catch(() => {
      // The sandbox was forgotten, or the disk is full: then what follows may be carried twice.
    });
  }
}
