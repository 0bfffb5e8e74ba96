// A segment of the archive is a text of JSON lines that anybody can read without Stint:
//
//     {"segment":{"after_hash":"…","after_seq":0,"fleet":"f-…","form":1}}
//     {"entry":{…canonical form…},"hash":"…"}
//     {"end":{"count":2,"hash":"…","seq":2,"sha256":"…"}}
//
// The lines of entries are those of an export. `after_…` is the entry before its first, `sha256` is
// over every byte before the line that has it. It is a function of its entries alone: whoever
// writes the same entries anew writes the same bytes.

import crypto from "node:crypto";
import canonicalize from "canonicalize";
import { ok } from "../../kernel/assert.ts";
import type { Entry } from "../../kernel/entry.ts";
import type { Head, Segment, StoredEntry } from "../../ports/journal.ts";
import type { SegmentBounds } from "./bounds.ts";

/** The version of this form; another is not read. */
export const SEGMENT_FORM = 1;

const SEQ_DIGITS = 16;
const NAME = /^(\d{16})-(\d{16})\.jsonl$/;
const BEFORE_TEXT = '{"entry":';
const BEFORE_HASH = ',"hash":"';
const AFTER_HASH = '"}\n';

/** How many bytes stand before the text of an entry in its line. */
export const TEXT_OFFSET = BEFORE_TEXT.length;

/** How many bytes a line has besides the text of its entry. */
const AROUND_TEXT_BYTES = TEXT_OFFSET + BEFORE_HASH.length + 64 + AFTER_HASH.length;
/** More than the line that begins a segment, or ends it, ever has: its parts are bounded. */
const EDGE_BYTES_MAX = 512;

/** At most how many bytes a segment has of entries whose texts have these lengths together. */
export function segmentBytesMax(entryCount: number, textBytes: number): number {
  return 2 * EDGE_BYTES_MAX + entryCount * AROUND_TEXT_BYTES + textBytes;
}

/** The name of the segment that has these entries first and last. */
export function segmentName(firstSeq: number, lastSeq: number): string {
  const [first, last] = [firstSeq, lastSeq].map((seq) => String(seq).padStart(SEQ_DIGITS, "0"));
  return `${first}-${last}.jsonl`;
}

/** Whether a file of this name is a segment. */
export function isSegmentName(name: string): boolean {
  return NAME.test(name);
}

/** The line of an entry, as an export has it. */
export function entryLine({ text, hash }: StoredEntry): string {
  return `${BEFORE_TEXT}${text}${BEFORE_HASH}${hash}${AFTER_HASH}`;
}

/** What a line of {@link entryLine} has, or undefined when it is none. */
export function parseEntryLine(line: string): StoredEntry | undefined {
  const hashAt = line.length - AFTER_HASH.length - 64;
  const textEnd = hashAt - BEFORE_HASH.length;
  const isLine =
    textEnd > TEXT_OFFSET &&
    line.startsWith(BEFORE_TEXT) &&
    line.startsWith(BEFORE_HASH, textEnd) &&
    line.endsWith(AFTER_HASH);
  if (!isLine) return undefined;
  return { text: line.slice(TEXT_OFFSET, textEnd), hash: line.slice(hashAt, hashAt + 64) };
}

/** The line that begins a segment. */
export interface SegmentStart {
  readonly fleet: string;
  readonly after: Head;
}

/** The line that ends a segment. */
export interface SegmentEnd {
  readonly last: Head;
  readonly count: number;
  readonly sha256: string;
}

/** Reads the first line of a segment; undefined when it is none, or of another form. */
export function parseStart(line: string): SegmentStart | undefined {
  const { segment } = objectIn(line) as { segment?: Record<string, unknown> };
  const { after_seq: seq, after_hash: hash, fleet, form } = segment ?? {};
  const isStart = form === SEGMENT_FORM && typeof fleet === "string" && isPlace(seq, hash);
  // As `isPlace` has found them.
  return isStart ? { fleet, after: { seq: seq as number, hash: hash as string } } : undefined;
}

/** Reads the last line of a segment; undefined when it is none. */
export function parseEnd(line: string): SegmentEnd | undefined {
  const { end } = objectIn(line) as { end?: Record<string, unknown> };
  const { seq, hash, count, sha256 } = end ?? {};
  const isEnd = typeof count === "number" && typeof sha256 === "string" && isPlace(seq, hash);
  return isEnd ? { last: { seq: seq as number, hash: hash as string }, count, sha256 } : undefined;
}

function objectIn(line: string): object {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null ? value : {};
  } catch {
    // Torn or bent: whoever asked says what is wrong.
    return {};
  }
}

function isPlace(seq: unknown, hash: unknown): boolean {
  return typeof seq === "number" && typeof hash === "string";
}

/** Adds up a segment, line by line: while it is written, and while it is read. */
export class SegmentSum {
  readonly #start: SegmentStart;
  readonly #sha256 = crypto.createHash("sha256");
  #first: Entry | undefined;
  #last: Entry | undefined;
  #epoch: number;
  entryCount = 0;
  sizeBytes = 0;

  /** `epoch` is the highest of the recoveries before it. */
  constructor(start: SegmentStart, epoch: number) {
    this.#start = start;
    this.#epoch = epoch;
  }

  /** The line that begins it. */
  begin(): string {
    const { fleet, after } = this.#start;
    const form = SEGMENT_FORM;
    const segment = { after_hash: after.hash, after_seq: after.seq, fleet, form };
    return this.#take(`${canonical({ segment })}\n`);
  }

  /** Whether it stays within its bounds with one more entry; the first always goes in. */
  hasRoomFor({ text }: StoredEntry, { entriesMax, bytesMax }: SegmentBounds): boolean {
    const lineBytes = Buffer.byteLength(text) + AROUND_TEXT_BYTES;
    const isWithin = this.sizeBytes + lineBytes + EDGE_BYTES_MAX <= bytesMax;
    return this.entryCount === 0 || (this.entryCount < entriesMax && isWithin);
  }

  /** The line of the next entry, whose text and hash are verified and follow the one before. */
  add(entry: Entry, stored: StoredEntry): string {
    this.#first ??= entry;
    this.#last = entry;
    this.entryCount += 1;
    if (entry.kind === "fleet.recovered") this.#epoch = Math.max(this.#epoch, entry.data.epoch);
    return this.#take(entryLine(stored));
  }

  /** The line that ends it, and what is to be recorded of it. It must have an entry. */
  end(): { readonly line: string; readonly segment: Segment } {
    ok(this.#first !== undefined && this.#last !== undefined, "a segment has an entry");
    const { seq, hash, at_ms: lastAtMs } = this.#last;
    const sha256 = this.#sha256.digest("hex");
    const line = `${canonical({ end: { count: this.entryCount, hash, seq, sha256 } })}\n`;
    const segment: Segment = {
      name: segmentName(this.#first.seq, seq),
      firstSeq: this.#first.seq,
      last: { seq, hash },
      after: { seq: this.#start.after.seq, hash: this.#start.after.hash },
      entryCount: this.entryCount,
      firstAtMs: this.#first.at_ms,
      lastAtMs,
      epoch: this.#epoch,
      sizeBytes: this.sizeBytes + Buffer.byteLength(line),
      sha256,
    };
    return { line, segment };
  }

  #take(line: string): string {
    this.#sha256.update(line);
    this.sizeBytes += Buffer.byteLength(line);
    return line;
  }
}

function canonical(value: object): string {
  const text = canonicalize(value);
  ok(text !== undefined, "an object has a canonical form");
  return text;
}
