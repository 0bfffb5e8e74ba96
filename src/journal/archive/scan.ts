import type { Entry } from "../../kernel/entry.ts";
import { LIMITS } from "../../kernel/limits.ts";
import { Fault } from "../../ports/fault.ts";
import type { Segment, StoredEntry } from "../../ports/journal.ts";
import { decodeVerified, mustFollow, type Link } from "../chain.ts";
import type { Pointer } from "./pointer.ts";
import {
  parseEnd,
  parseEntryLine,
  parseStart,
  SegmentSum,
  TEXT_OFFSET,
  type SegmentEnd,
} from "./segment.ts";

/** The bytes of a segment, wherever they are. */
export interface SegmentBytes {
  /** How it is called in messages: its path. */
  readonly path: string;
  /** Up to so many bytes from a place on; fewer only at the end. Throws errors of the system. */
  read(offset: number, sizeBytes: number): Buffer;
}

/** An entry as it stands in a segment, verified by its hash and by the one before it. */
export interface ScannedEntry {
  readonly stored: StoredEntry;
  readonly entry: Entry;
  readonly at: Pointer;
}

const CHUNK_BYTES = 256 * 1_024;
/** The longest line that can be one: an entry, and what is around it. */
const LINE_BYTES_MAX = LIMITS.entryBytesMax + 1_024;
const NEWLINE = 0x0a;

/**
 * Reads a segment from its first byte to its last and hands out its entries, each verified by hash
 * and chain; answers what is to be recorded of it, once all of it is what its last line says.
 *
 * Throws `Fault` `archive_broken`, naming the file and the line. `epoch` is the highest before it.
 */
export function* scanSegment(
  bytes: SegmentBytes,
  epoch = 0,
): Generator<ScannedEntry, Segment, undefined> {
  const scan = new Scan(bytes.path, epoch);
  for (const { line, offset } of linesOf(bytes)) {
    const found = scan.take(line, offset);
    if (found !== undefined) yield found;
  }
  return scan.finish();
}

class Scan {
  readonly #path: string;
  readonly #epoch: number;
  #lineCount = 0;
  #sum: SegmentSum | undefined;
  #last: Link | undefined;
  #end: SegmentEnd | undefined;

  constructor(path: string, epoch: number) {
    this.#path = path;
    this.#epoch = epoch;
  }

  take(line: string, offset: number): ScannedEntry | undefined {
    this.#lineCount += 1;
    if (this.#end !== undefined) throw this.#broken("nothing may follow its end");
    if (!line.endsWith("\n")) throw this.#broken("it must end with its last line, it breaks off");
    if (this.#sum === undefined) return this.#begin(line);
    const stored = parseEntryLine(line);
    if (stored !== undefined) return this.#step(this.#sum, stored, offset);
    this.#end = parseEnd(line);
    if (this.#end !== undefined) return undefined;
    throw this.#broken(`it must be an entry or the end, got ${JSON.stringify(line.slice(0, 40))}`);
  }

  finish(): Segment {
    const [sum, end] = [this.#sum, this.#end];
    if (sum === undefined || end === undefined || sum.entryCount === 0) {
      throw this.#broken("its last line must follow, it breaks off");
    }
    const { segment, line } = sum.end();
    const found = { count: segment.entryCount, ...segment.last, sha256: segment.sha256 };
    const said = { count: end.count, ...end.last, sha256: end.sha256 };
    if (JSON.stringify(found) === JSON.stringify(said)) return segment;
    throw this.#broken(`it must be ${line.trimEnd()}, it says ${JSON.stringify(said)}`);
  }

  #begin(line: string): undefined {
    const start = parseStart(line);
    if (start === undefined) throw this.#broken("it must begin a segment of a form that is known");
    const sum = new SegmentSum(start, this.#epoch);
    if (sum.begin() !== line) throw this.#broken("it must be in canonical form");
    this.#sum = sum;
    // Of the time of the entry before it nothing is known here.
    this.#last = { ...start.after, at_ms: 0 };
    return undefined;
  }

  #step(sum: SegmentSum, stored: StoredEntry, offset: number): ScannedEntry {
    const last = this.#last ?? { seq: 0, hash: "", at_ms: 0 };
    try {
      const entry = decodeVerified(stored, last.seq + 1);
      mustFollow(last, entry, "journal_corrupt");
      sum.add(entry, stored);
      this.#last = entry;
      const sizeBytes = Buffer.byteLength(stored.text);
      return { stored, entry, at: { offset: offset + TEXT_OFFSET, sizeBytes } };
    } catch (error) {
      if (!(error instanceof Fault) || error.code !== "journal_corrupt") throw error;
      throw this.#broken(error.message, error);
    }
  }

  #broken(what: string, cause?: unknown): Fault {
    const message = `${this.#path} line ${this.#lineCount}: ${what}`;
    return new Fault("archive_broken", message, cause === undefined ? {} : { cause });
  }
}

/** The lines of a text with their newlines, and where each begins; the last may have none. */
function* linesOf(
  bytes: SegmentBytes,
): Generator<{ readonly line: string; readonly offset: number }, void, undefined> {
  let offset = 0;
  let rest = Buffer.alloc(0);
  for (;;) {
    const chunk = bytes.read(offset + rest.length, CHUNK_BYTES);
    if (chunk.length === 0) break;
    rest = Buffer.concat([rest, chunk]);
    let start = 0;
    for (let at = rest.indexOf(NEWLINE); at >= 0; at = rest.indexOf(NEWLINE, start)) {
      yield { line: rest.toString("utf8", start, at + 1), offset: offset + start };
      start = at + 1;
    }
    rest = rest.subarray(start);
    offset += start;
    // Longer than any line: it is handed out as far as it was read, and is found to be none.
    if (rest.length > LINE_BYTES_MAX) break;
  }
  if (rest.length > 0) yield { line: rest.toString("utf8"), offset };
}
