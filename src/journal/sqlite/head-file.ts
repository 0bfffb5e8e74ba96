// The head file remembers, outside the database, how far the journal has come, and in which epoch:
//
//     0000000000000041 <hash of entry 41> 0003 <checksum>
//     0000000000000042 <hash of entry 42> 0003 <checksum>
//
// The epoch is the highest of the entries up to there. Lines of before it was remembered lack it.
//
// A head is written over the older line, so that a write that is torn spoils only that. The file is
// written after COMMIT: it may lag behind the database and is never ahead of it. Whoever compares
// the two must therefore read this file first. It is not synced: after a power cut it may lag, and
// the database, which is synced, tells the rest.
//
// Two writers can overtake each other between COMMIT and the write. Each looks first and leaves a
// newer head alone; what still slips through lags by one, and the next append mends it.

import {
  closeSync,
  fstatSync,
  fsyncSync,
  linkSync,
  openSync,
  readSync,
  rmSync,
  writeSync,
} from "node:fs";
import { Fault } from "../../ports/fault.ts";
import type { Head, Remembered } from "../../ports/journal.ts";
import { codeOf } from "../../ports/error-code.ts";
import { hashOf } from "../chain.ts";

const SEQ_DIGITS = 16;
const EPOCH_DIGITS = 4;
const SUM_DIGITS = 16;
const LINE_BYTES = 128;
const LINES = 2;
const READS_MAX = 3;
const LINE = /^((\d{16}) ([0-9a-f]{64})(?: (\d{4}))?) ([0-9a-f]{16}) *\n$/;

/** What a line says: an entry, and the highest epoch up to it; null in a line that lacks it. */
export interface HeadLine extends Head {
  readonly epoch: number | null;
}

/** The head file of a journal, open for as long as the journal is. */
export class HeadFile {
  readonly #path: string;
  readonly #known = new Map<string, HeadLine>();
  readonly #buffer = Buffer.alloc(LINE_BYTES * LINES);
  #descriptor: number;

  /** Opens the file, or creates it as `first` says. Throws errors of the file system. */
  constructor(path: string, first: () => Remembered) {
    this.#path = path;
    this.#descriptor = openOrCreate(path, first);
  }

  /** The newest head remembered; throws `Fault` `journal_corrupt` when no line can be read. */
  read(): HeadLine {
    // A line can be half written while it is read; both at once, again and again, cannot.
    for (let count = 0; count < READS_MAX; count += 1) {
      const [one, other] = this.#readLines();
      const head = isOlder(one, other) ? other : one;
      if (head !== undefined) return head;
    }
    throw new Fault(
      "journal_corrupt",
      `the head file ${this.#path} must name the journal's newest entry, no line of it can be read`,
    );
  }

  /**
   * Remembers a head that is durable, and the highest epoch up to it; does nothing when a newer one
   * is remembered.
   */
  write(head: Remembered): void {
    const [one, other] = this.#readLines();
    const isFirstOlder = isOlder(one, other);
    if (!isOlder(isFirstOlder ? other : one, head)) return;
    const line = encodeLine(head);
    writeSync(this.#descriptor, line, isFirstOlder ? 0 : LINE_BYTES);
    this.#learn(line, head);
  }

  /** Takes up the file anew if somebody has deleted it, or creates it as `first` says. */
  mend(first: () => Remembered): void {
    if (fstatSync(this.#descriptor).nlink > 0) return;
    const descriptor = openOrCreate(this.#path, first);
    closeSync(this.#descriptor);
    this.#descriptor = descriptor;
  }

  /** Closes the file. */
  close(): void {
    closeSync(this.#descriptor);
  }

  #readLines(): [HeadLine | undefined, HeadLine | undefined] {
    const size = readSync(this.#descriptor, this.#buffer, 0, this.#buffer.length, 0);
    const text = this.#buffer.toString("latin1", 0, size);
    return [this.#decode(text.slice(0, LINE_BYTES)), this.#decode(text.slice(LINE_BYTES))];
  }

  /** Decodes a line, by heart if it is one of those seen last. */
  #decode(line: string): HeadLine | undefined {
    const known = this.#known.get(line);
    if (known !== undefined) return known;
    const head = decodeLine(line);
    if (head !== undefined) this.#learn(line, head);
    return head;
  }

  /** Remembers the newest lines: whoever wrote one need not take it apart again. */
  #learn(line: string, head: HeadLine): void {
    this.#known.set(line, head);
    const [oldest] = this.#known.keys();
    if (this.#known.size > LINES && oldest !== undefined) this.#known.delete(oldest);
  }
}

function openOrCreate(path: string, first: () => Remembered): number {
  try {
    return openSync(path, "r+");
  } catch (error) {
    if (codeOf(error) !== "ENOENT") throw error;
  }
  createWhole(path, first());
  return openSync(path, "r+");
}

/** Makes the file appear with its content or not at all; leaves one that is there alone. */
function createWhole(path: string, head: Remembered): void {
  const draft = `${path}.${process.pid}.new`;
  const descriptor = openSync(draft, "w", 0o600);
  try {
    const blank = `${" ".repeat(LINE_BYTES - 1)}\n`.repeat(LINES);
    writeSync(descriptor, blank, 0);
    writeSync(descriptor, encodeLine(head), 0);
    fsyncSync(descriptor);
    linkSync(draft, path);
  } catch (error) {
    if (codeOf(error) !== "EEXIST") throw error;
  } finally {
    closeSync(descriptor);
    rmSync(draft, { force: true });
  }
}

function encodeLine({ seq, hash, epoch }: Remembered): string {
  const place = `${String(seq).padStart(SEQ_DIGITS, "0")} ${hash}`;
  const words = `${place} ${String(epoch).padStart(EPOCH_DIGITS, "0")}`;
  return `${`${words} ${sumOf(words)}`.padEnd(LINE_BYTES - 1)}\n`;
}

/** Whether a line names an older head than another does; one that cannot be read is oldest. */
function isOlder(line: Head | undefined, other: Head | undefined): boolean {
  return (line?.seq ?? -1) < (other?.seq ?? -1);
}

function decodeLine(text: string): HeadLine | undefined {
  const [, words, seq, hash, epoch, sum] = LINE.exec(text) ?? [];
  if (words === undefined || hash === undefined || sumOf(words) !== sum) return undefined;
  return { seq: Number(seq), hash, epoch: epoch === undefined ? null : Number(epoch) };
}

function sumOf(words: string): string {
  return hashOf(words).slice(0, SUM_DIGITS);
}
