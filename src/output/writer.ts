// The output of one worker: frames, one a line, in two files. The one that is written becomes the
// older one when it has reached half of the bound; the older one before it is dropped. A write that
// fails is output lost, counted, and said by a later frame: it never stops the worker.

import { isUtf8 } from "node:buffer";
import { constants, existsSync } from "node:fs";
import { mkdir, open, rename, type FileHandle } from "node:fs/promises";
import { ok } from "../kernel/assert.ts";
import { DEFAULT_CONTRACT } from "../kernel/fleet/contract.ts";
import type { HitMeasure } from "../kernel/worker/limit.ts";
import type { OutputSink } from "../ports/sandbox.ts";
import { asStorageFault } from "../system/storage-fault.ts";
import { codeOf } from "../ports/error-code.ts";
import { pieces, wholeLength } from "./characters.ts";
import { endOf, outputFiles, parseFrame, type OutputFrame, type OutputStream } from "./frame.ts";

/** The most output in one frame, in bytes; a line with it is at most about six times as long. */
const frameBytesMax = 65_536;

/** The least bound of an output: below it not every frame fits a file. */
const bytesMaxMin = 4_096;

/** How much of a file's end is read to find its last whole frame. */
const lastFrameBytesMax = 1_048_576;

const openFlags = constants.O_RDWR | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW;

/** How an output is kept. */
export interface OutputOptions {
  /** The most that both files hold together; by default that of a contract. */
  readonly bytesMax?: number;
  /** The wall clock, in ms. */
  readonly nowMs?: () => number;
}

/**
 * Opens the output of an instance to append to it: mode 0600, goes on where an earlier writer has
 * stopped. Throws `Fault` `storage_failed` or `storage_full` when it cannot be opened.
 *
 * What is written is in the hands of the operating system, not on the disk: it outlives this
 * process but not a loss of power.
 */
export async function openOutput(
  folder: string,
  instance: string,
  options: OutputOptions = {},
): Promise<OutputSink> {
  const { bytesMax = DEFAULT_CONTRACT.sandbox.output_bytes, nowMs = Date.now } = options;
  ok(bytesMax >= bytesMaxMin, `an output must hold ${bytesMaxMin} bytes or more, got ${bytesMax}`);
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const files = outputFiles(folder, instance);
    const resumed = await resume(files);
    const writer = new FrameWriter({ files, resumed, fileBytesMax: Math.trunc(bytesMax / 2) });
    return new OutputWriter(writer, nowMs);
  } catch (error) {
    throw asStorageFault(error, `opening the output of ${instance}`);
  }
}

/** Where an earlier writer has stopped. */
interface Resumed {
  readonly handle: FileHandle;
  readonly sizeBytes: number;
  readonly offsetBytes: number;
  readonly isTorn: boolean;
}

async function resume(files: ReturnType<typeof outputFiles>): Promise<Resumed> {
  const handle = await open(files.current, openFlags, 0o600);
  const last = await readLast(handle);
  if (last.sizeBytes > 0) return { handle, ...last };
  // It may have stopped between the renaming of the one file and the first frame of the other.
  const older = await open(files.older, constants.O_RDONLY).catch(() => undefined);
  if (older === undefined) return { handle, ...last };
  try {
    return { handle, ...last, offsetBytes: (await readLast(older)).offsetBytes };
  } finally {
    await older.close();
  }
}

async function readLast(handle: FileHandle): Promise<Omit<Resumed, "handle">> {
  const { size } = await handle.stat();
  const length = Math.min(size, lastFrameBytesMax);
  const { buffer } = await handle.read(Buffer.alloc(length), 0, length, size - length);
  const lines = buffer.toString("utf8").split("\n");
  const isTorn = lines.pop() !== "";
  const frame = lines
    .toReversed()
    .map(parseFrame)
    .find((one) => one !== undefined);
  return { sizeBytes: size, offsetBytes: frame === undefined ? 0 : endOf(frame), isTorn };
}

interface FrameWriterParts {
  readonly files: ReturnType<typeof outputFiles>;
  readonly resumed: Resumed;
  readonly fileBytesMax: number;
}

/** Appends frames to the files of one output, and begins the next file in time. */
class FrameWriter {
  readonly frameBytesMax: number;
  readonly #files;
  readonly #fileBytesMax;
  /** Undefined while there is no file to write to: the next write opens one. */
  #handle: FileHandle | undefined;
  #sizeBytes: number;
  /** Whether the file ends in the middle of a line. */
  #isTorn: boolean;
  #offsetBytes: number;
  #lostBytes = 0;
  /** How often the older file was dropped. */
  #droppedCount = 0;

  constructor({ files, resumed, fileBytesMax }: FrameWriterParts) {
    this.frameBytesMax = Math.min(frameBytesMax, Math.trunc(fileBytesMax / 8));
    this.#files = files;
    this.#fileBytesMax = fileBytesMax;
    this.#handle = resumed.handle;
    this.#sizeBytes = resumed.sizeBytes;
    this.#isTorn = resumed.isTorn;
    this.#offsetBytes = resumed.offsetBytes;
  }

  /** Appends a frame with these bytes, or counts them as lost. */
  async append(atMs: number, stream: OutputStream, bytes: Uint8Array): Promise<void> {
    const piece = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const at = { at_ms: atMs, offset_bytes: this.#offsetBytes + this.#lostBytes, stream };
    const frame: OutputFrame = isUtf8(piece)
      ? { ...at, text: piece.toString("utf8") }
      : { ...at, base64: piece.toString("base64") };
    if (await this.#store(atMs, frame)) this.#offsetBytes = endOf(frame);
    else this.#lostBytes += piece.length;
  }

  /** How often it has dropped what was older, and how much was written to it in all. */
  overflow(): HitMeasure | undefined {
    if (this.#droppedCount === 0) return undefined;
    const use = this.#offsetBytes + this.#lostBytes;
    return { value: this.#fileBytesMax * 2, use, count: this.#droppedCount };
  }

  /** Says what is lost, if anything is and it can be said, and lets go of the file. */
  async close(atMs: number): Promise<void> {
    if (this.#lostBytes > 0) await this.#store(atMs, undefined);
    const handle = this.#handle;
    this.#handle = undefined;
    await handle?.close().catch(() => undefined);
  }

  /** Stores a frame, after the mark of what was lost before it; false when it cannot. */
  async #store(atMs: number, frame: OutputFrame | undefined): Promise<boolean> {
    const mark: OutputFrame = {
      at_ms: atMs,
      offset_bytes: this.#offsetBytes,
      lost_bytes: this.#lostBytes,
    };
    const frames = [
      ...(this.#lostBytes > 0 ? [mark] : []),
      ...(frame === undefined ? [] : [frame]),
    ];
    const text = frames.map((one) => `${JSON.stringify(one)}\n`).join("");
    try {
      await this.#appendText(Buffer.from(text));
    } catch {
      // Whatever the disk says, the worker goes on; the loss is counted by the caller.
      return false;
    }
    this.#offsetBytes += this.#lostBytes;
    this.#lostBytes = 0;
    return true;
  }

  async #appendText(text: Buffer): Promise<void> {
    const isFull = this.#sizeBytes > 0 && this.#sizeBytes + text.length > this.#fileBytesMax;
    if (isFull || this.#handle === undefined) await this.#begin(isFull);
    const handle = this.#handle;
    ok(handle !== undefined, "a file that was begun must be open");
    const wasTorn = this.#isTorn;
    const bytes = wasTorn ? Buffer.concat([Buffer.from("\n"), text]) : text;
    const before = this.#sizeBytes;
    try {
      for (let written = 0; written < bytes.length;) {
        const { bytesWritten } = await handle.write(bytes, written);
        written += bytesWritten;
        this.#sizeBytes += bytesWritten;
      }
      this.#isTorn = false;
    } catch (error) {
      // Takes back the front of a line whose end did not fit. Where that fails too, the next line
      // begins on a line of its own, and readers skip what stands before it.
      const isCut = await handle.truncate(before).then(
        () => true,
        () => this.#sizeBytes === before,
      );
      if (isCut) this.#sizeBytes = before;
      this.#isTorn = wasTorn || !isCut;
      throw error;
    }
  }

  /** Begins a file; before that the one that is full becomes the older one. */
  async #begin(isFull: boolean): Promise<void> {
    if (isFull && this.#handle !== undefined) {
      const isDropping = existsSync(this.#files.older);
      await rename(this.#files.current, this.#files.older).catch(ignoreAbsent);
      if (isDropping) this.#droppedCount += 1;
      const full = this.#handle;
      this.#handle = undefined;
      await full.close();
    }
    const handle = await open(this.#files.current, openFlags, 0o600);
    this.#handle = handle;
    this.#sizeBytes = (await handle.stat()).size;
    this.#isTorn = false;
  }
}

/** The full file, or its folder, was taken away: then there is nothing to keep. */
function ignoreAbsent(error: unknown): void {
  if (codeOf(error) !== "ENOENT") throw error;
}

/** Puts characters together per stream, and writes in the order of arrival. */
class OutputWriter implements OutputSink {
  readonly #writer: FrameWriter;
  readonly #nowMs: () => number;
  readonly #unfinished: Record<OutputStream, Uint8Array> = {
    stdout: new Uint8Array(),
    stderr: new Uint8Array(),
  };
  #isClosed = false;
  #last: Promise<void> = Promise.resolve();

  constructor(writer: FrameWriter, nowMs: () => number) {
    this.#writer = writer;
    this.#nowMs = nowMs;
  }

  write(stream: OutputStream, chunk: Uint8Array): Promise<void> {
    if (this.#isClosed) return Promise.resolve();
    const atMs = this.#nowMs();
    const bytes = Buffer.concat([this.#unfinished[stream], chunk]);
    const whole = bytes.subarray(0, wholeLength(bytes));
    this.#unfinished[stream] = bytes.subarray(whole.length);
    return this.#then(() => this.#append(atMs, stream, whole));
  }

  overflow(): HitMeasure | undefined {
    return this.#writer.overflow();
  }

  close(): Promise<void> {
    if (this.#isClosed) return this.#last;
    this.#isClosed = true;
    const atMs = this.#nowMs();
    return this.#then(async () => {
      for (const stream of ["stdout", "stderr"] as const) {
        await this.#append(atMs, stream, this.#unfinished[stream]);
      }
      await this.#writer.close(atMs);
    });
  }

  #then(work: () => Promise<void>): Promise<void> {
    this.#last = this.#last.then(work);
    return this.#last;
  }

  async #append(atMs: number, stream: OutputStream, bytes: Uint8Array): Promise<void> {
    for (const piece of pieces(bytes, this.#writer.frameBytesMax)) {
      await this.#writer.append(atMs, stream, piece);
    }
  }
}
