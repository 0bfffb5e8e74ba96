import { constants } from "node:fs";
import { open, stat, type FileHandle } from "node:fs/promises";
import { codeOf } from "../ports/error-code.ts";
import { parseFrame, type outputFiles, type OutputFrame } from "./frame.ts";

/** How much of a file is read at a time, in bytes: more than the longest line of a writer. */
const readBytesMax = 524_288;

/** Openings of the pair of files before a reader takes what it has: each costs a renaming. */
const openAttemptsMax = 100;

const newline = 0x0a;

/** A whole line of an output file; without a frame when it is broken. */
export interface OutputLine {
  readonly frame: OutputFrame | undefined;
  readonly lengthBytes: number;
}

/** One file of an output, open for reading from line to line; keeps its content when replaced. */
export class OutputSource {
  readonly inode: number;
  readonly #handle: FileHandle;
  #buffer: Buffer | undefined;
  /** Always the end of a line, but after {@link seek}. */
  #positionBytes = 0;
  #restBytes = 0;
  #isInsideLine = false;

  constructor(handle: FileHandle, inode: number) {
    this.#handle = handle;
    this.inode = inode;
  }

  /** How long the file is now. */
  async size(): Promise<number> {
    return (await this.#handle.stat()).size;
  }

  /** Goes to the first line that begins at `positionBytes` or later. */
  seek(positionBytes: number): void {
    this.#isInsideLine = positionBytes > 0;
    this.#positionBytes = Math.max(0, positionBytes - 1);
  }

  /** The bytes of an unfinished line that the last reading has found at the end. */
  rest(): number {
    return this.#restBytes;
  }

  /** Reads the lines that have come, up to the end of the last whole one. */
  async *lines(): AsyncGenerator<OutputLine, void, undefined> {
    this.#buffer ??= Buffer.alloc(readBytesMax);
    const buffer = this.#buffer;
    for (;;) {
      const { bytesRead } = await this.#handle.read(buffer, 0, readBytesMax, this.#positionBytes);
      const last = buffer.subarray(0, bytesRead).lastIndexOf(newline);
      this.#restBytes = bytesRead - (last + 1);
      if (last < 0 && bytesRead < readBytesMax) return;
      // No writer makes lines as long as the buffer: what fills it without an end is broken.
      const lengthBytes = last < 0 ? bytesRead : last + 1;
      this.#positionBytes += lengthBytes;
      yield* this.#parse(buffer.toString("utf8", 0, lengthBytes));
    }
  }

  *#parse(text: string): Generator<OutputLine, void, undefined> {
    const lines = text.endsWith("\n") ? text.slice(0, -1).split("\n") : [text];
    for (const line of lines) {
      const isPart = this.#isInsideLine;
      this.#isInsideLine = false;
      if (!isPart) yield { frame: parseFrame(line), lengthBytes: Buffer.byteLength(line) };
    }
  }

  /** Lets go of the file; safe to call twice. */
  async close(): Promise<void> {
    await this.#handle.close();
  }
}

/** Opens the files of an output, the older one first; as many as there are. */
export async function openSources(files: ReturnType<typeof outputFiles>): Promise<OutputSource[]> {
  for (let attempt = 1; ; attempt += 1) {
    const current = await openSource(files.current);
    const older = await openSource(files.older);
    const sources = [older, current].filter((one) => one !== undefined);
    // Unless the first is still in its place, a renaming came in between and the second may be it.
    const isPair = (await inodeOf(files.current)) === current?.inode;
    if (isPair || attempt === openAttemptsMax) return sources;
    for (const source of sources) await source.close();
  }
}

/**
 * The files that came after `source`, oldest first; undefined while it is the one that is written,
 * or nothing is.
 */
export async function openNext(
  files: ReturnType<typeof outputFiles>,
  source: OutputSource | undefined,
): Promise<OutputSource[] | undefined> {
  const inode = await inodeOf(files.current);
  if (inode === undefined || inode === source?.inode) return undefined;
  const sources = await openSources(files);
  const later = sources.filter((one) => one.inode !== source?.inode);
  for (const one of sources) if (!later.includes(one)) await one.close();
  return later.length === 0 ? undefined : later;
}

async function openSource(file: string): Promise<OutputSource | undefined> {
  try {
    const handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW);
    return new OutputSource(handle, (await handle.stat()).ino);
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}

async function inodeOf(file: string): Promise<number | undefined> {
  try {
    return (await stat(file)).ino;
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}

function isAbsent(error: unknown): boolean {
  return codeOf(error) === "ENOENT";
}
