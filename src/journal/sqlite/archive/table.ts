import { Fault } from "../../../ports/fault.ts";
import type { Segment } from "../../../ports/journal.ts";
import type { SqliteDatabase } from "../../../system/sqlite-library.ts";
import { hashOf } from "../../chain.ts";

/** A segment as the database has it. */
export interface RecordedSegment extends Segment {
  /** Up to where rows have given up their text; below its first while none has. */
  readonly movedSeq: number;
}

type Row = [firstSeq: number, text: unknown, hash: unknown, movedSeq: number];

/** The table of segments, and what takes texts out of rows. Errors are those of SQLite. */
export class SegmentTable {
  readonly #all;
  readonly #holding;
  readonly #newest;
  readonly #insert;
  readonly #setMoved;
  readonly #point;
  readonly #remove;

  constructor(db: SqliteDatabase) {
    const select = "SELECT first_seq, text, hash, moved_seq FROM segments";
    this.#all = db.prepare<[], Row>(`${select} ORDER BY first_seq`).raw();
    this.#holding = db
      .prepare<[number], Row>(`${select} WHERE first_seq <= ? ORDER BY first_seq DESC LIMIT 1`)
      .raw();
    this.#newest = db.prepare<[], Row>(`${select} ORDER BY first_seq DESC LIMIT 1`).raw();
    this.#insert = db.prepare("INSERT INTO segments VALUES (?, ?, ?, ?)");
    this.#remove = db.prepare("DELETE FROM segments WHERE first_seq = ?");
    this.#setMoved = db.prepare("UPDATE segments SET moved_seq = ? WHERE first_seq = ?");
    this.#point = db.prepare("UPDATE entry_rows SET text = ? WHERE seq = ? AND hash = ?");
  }

  /** All of them, oldest first. */
  all(): RecordedSegment[] {
    return this.#all.all().map(decodeRow);
  }

  /** The newest one. */
  newest(): RecordedSegment | undefined {
    const row = this.#newest.get();
    return row && decodeRow(row);
  }

  /** The one that has an entry of this seq, if any has. */
  holding(seq: number): RecordedSegment | undefined {
    const row = this.#holding.get(seq);
    const segment = row && decodeRow(row);
    return segment === undefined || segment.last.seq < seq ? undefined : segment;
  }

  /** Records a segment, of whose entries no row has given up its text yet. */
  insert(segment: Segment): void {
    const text = encodeSegment(segment);
    this.#insert.run(segment.firstSeq, text, hashOf(text), segment.firstSeq - 1);
  }

  /** Takes back the record of a segment, of whose entries every row must have its text. */
  remove(firstSeq: number): void {
    this.#remove.run(firstSeq);
  }

  /** Notes up to where the rows of a segment have given up their texts. */
  setMoved(firstSeq: number, movedSeq: number): void {
    this.#setMoved.run(movedSeq, firstSeq);
  }

  /** Has the row of an entry say where its text is; false where no row has this seq and hash. */
  point(so: { readonly seq: number; readonly hash: string; readonly pointer: string }): boolean {
    return this.#point.run(so.pointer, so.seq, so.hash).changes === 1;
  }
}

/** A segment without what only its own store needs to know. */
export function asSegment(segment: Segment): Segment {
  const { name, firstSeq, last, after, entryCount, firstAtMs, lastAtMs } = segment;
  const { epoch, sizeBytes, sha256 } = segment;
  const place = { name, firstSeq, last, after, entryCount, firstAtMs, lastAtMs };
  return { ...place, epoch, sizeBytes, sha256 };
}

function encodeSegment(segment: Segment): string {
  return JSON.stringify(asSegment(segment));
}

function decodeRow([firstSeq, text, hash, movedSeq]: Row): RecordedSegment {
  const isWhole = typeof text === "string" && typeof hash === "string" && hashOf(text) === hash;
  // Written by `encodeSegment`: the hash says so.
  const segment = isWhole ? (JSON.parse(text) as Segment) : undefined;
  if (segment?.firstSeq === firstSeq) return { ...segment, movedSeq };
  const message = `the record of the segment from entry ${firstSeq} on must hash to what it says`;
  throw new Fault("journal_corrupt", message);
}
