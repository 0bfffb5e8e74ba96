import { ok } from "../../kernel/assert.ts";
import { Fault } from "../../ports/fault.ts";
import {
  GENESIS,
  type Head,
  type PlacedEntry,
  type Snapshot,
  type StoredEntry,
} from "../../ports/journal.ts";
import type { SqliteDatabase } from "../../system/sqlite-library.ts";
import type { Sealed } from "../chain.ts";
import { SNAPSHOTS_MAX } from "../snapshots.ts";
import type { StoredAnchor } from "./anchor.ts";
import { SegmentTable } from "./archive/table.ts";

/** What a row holds as long as nothing is broken; a flipped bit makes null or bytes of a text. */
type Row = [text: unknown, hash: unknown];
type SnapshotRow = [seq: number, hash: unknown, rules: number, state: unknown, stateHash: unknown];

/** An entry's row, whole; its text may say where the text is. */
export interface FiledRow extends StoredEntry {
  readonly commandId: string | null;
}

/** How much is read at a time. */
export interface PageBounds {
  readonly limit: number;
  readonly bytesMax: number;
}

/** How long the stored text of an entry is. */
export interface TextSize {
  readonly seq: number;
  readonly sizeBytes: number;
}

/** A journal's database: every statement, prepared once. Errors are those of SQLite. */
export class JournalDatabase {
  readonly #db: SqliteDatabase;
  readonly #begin;
  readonly #commit;
  readonly #rollback;
  readonly #head;
  readonly #anchor;
  readonly #setAnchor;
  readonly #hashAt;
  readonly #range;
  readonly #textSizes;
  readonly #maybeRecoveries;
  readonly #insert;
  readonly #firstSeq;
  readonly #about;
  readonly #changes;
  readonly #saveSnapshot;
  readonly #dropSnapshots;
  readonly #dropSnapshotsAfter;
  readonly #snapshots;
  readonly #filed;
  readonly #countBetween;
  /** The archive's part of it. */
  readonly segments: SegmentTable;

  constructor(db: SqliteDatabase) {
    this.#db = db;
    this.segments = new SegmentTable(db);
    this.#filed = db
      .prepare<[number], [...Row, commandId: unknown]>(
        "SELECT text, hash, command_id FROM entry_rows WHERE seq = ?",
      )
      .raw();
    this.#countBetween = db
      .prepare<[number, number], number>(
        "SELECT count(*) FROM entry_rows WHERE seq BETWEEN ? AND ?",
      )
      .pluck();
    this.#begin = db.prepare("BEGIN IMMEDIATE");
    this.#commit = db.prepare("COMMIT");
    this.#rollback = db.prepare("ROLLBACK");
    this.#head = db.prepare<[], { seq: number; hash: unknown }>(
      "SELECT seq, hash FROM entry_rows ORDER BY seq DESC LIMIT 1",
    );
    this.#anchor = db.prepare<[], { text: unknown; hash: unknown }>("SELECT text, hash FROM clock");
    this.#setAnchor = db.prepare("UPDATE clock SET text = ?, hash = ?");
    this.#hashAt = db.prepare<[number]>("SELECT hash FROM entry_rows WHERE seq = ?").pluck();
    this.#range = db
      .prepare<[number, number], [seq: number, ...Row]>(
        "SELECT seq, text, hash FROM entry_rows WHERE seq > ? ORDER BY seq LIMIT ?",
      )
      .raw();
    this.#textSizes = db
      .prepare<[number, number, number], [seq: number, sizeBytes: number]>(
        `SELECT seq, octet_length(text) FROM entry_rows
         WHERE seq > ? AND seq <= ? ORDER BY seq LIMIT ?`,
      )
      .raw();
    this.#maybeRecoveries = db
      .prepare<[number], [seq: number, ...Row]>(
        `SELECT seq, text, hash FROM entry_rows
         WHERE seq > ? AND instr(text, '"kind":"fleet.recovered"') > 0
         ORDER BY seq DESC`,
      )
      .raw();
    this.#insert = db.prepare("INSERT INTO entry_rows VALUES (?, ?, ?, ?, ?)");
    this.#firstSeq = db
      .prepare<[string], number>("SELECT seq FROM entry_rows WHERE command_id = ?")
      .pluck();
    this.#about = db
      .prepare<[string, number], [seq: number, ...Row]>(
        "SELECT seq, text, hash FROM entry_rows WHERE subject = ? ORDER BY seq DESC LIMIT ?",
      )
      .raw();
    this.#changes = db.prepare<[], number>("PRAGMA data_version").pluck();
    this.#saveSnapshot = db.prepare("INSERT OR REPLACE INTO snapshots VALUES (?, ?, ?, ?, ?)");
    this.#dropSnapshots = db.prepare(
      `DELETE FROM snapshots WHERE seq NOT IN
       (SELECT seq FROM snapshots ORDER BY seq DESC LIMIT ${SNAPSHOTS_MAX})`,
    );
    this.#dropSnapshotsAfter = db.prepare<[number]>("DELETE FROM snapshots WHERE seq > ?");
    this.#snapshots = db
      .prepare<[], SnapshotRow>("SELECT * FROM snapshots ORDER BY seq DESC")
      .raw();
  }

  /** Takes the one lock of writers and with it the newest view; SQLITE_BUSY when another has it. */
  begin(): void {
    ok(!this.#db.inTransaction, "an append must not begin within another");
    this.#begin.run();
  }

  /** Makes what was written since {@link begin} durable. */
  commit(): void {
    this.#commit.run();
  }

  /** Gives up what was written since {@link begin}; SQLite may have done so on an error. */
  rollback(): void {
    if (this.#db.inTransaction) this.#rollback.run();
  }

  /** The newest entry's place and hash. */
  head(): Head {
    const row = this.#head.get();
    return row === undefined ? GENESIS : { seq: row.seq, hash: textOf(row.hash) };
  }

  /** What journal time is tied to. */
  anchor(): StoredAnchor {
    const anchor = this.#anchor.get();
    if (anchor === undefined) throw new Fault("journal_corrupt", "the journal must have a clock");
    return { text: textOf(anchor.text), hash: textOf(anchor.hash) };
  }

  /** Ties journal time anew. */
  setAnchor({ text, hash }: StoredAnchor): void {
    this.#setAnchor.run(text, hash);
  }

  /** The stored hash of an entry. */
  hashAt(seq: number): string | undefined {
    const hash = this.#hashAt.get(seq);
    return hash === undefined ? undefined : textOf(hash);
  }

  /** An entry's row with the command that it is filed under. */
  filed(seq: number): FiledRow | undefined {
    const row = this.#filed.get(seq);
    if (row === undefined) return undefined;
    const [text, hash, commandId] = row;
    return { ...toStored([text, hash]), commandId: commandId === null ? null : textOf(commandId) };
  }

  /** How many entries there are from one seq to another, both included. */
  countBetween(firstSeq: number, lastSeq: number): number {
    return this.#countBetween.get(firstSeq, lastSeq) ?? 0;
  }

  /** The stored entries after `afterSeq`, in order; a text may say where in the archive it is. */
  range(afterSeq: number, limit: number): PlacedEntry[] {
    return this.#range.all(afterSeq, limit).map(([seq, ...row]) => ({ seq, ...toStored(row) }));
  }

  /** As {@link range}, but no more once their texts have so many bytes together. */
  page(afterSeq: number, { limit, bytesMax }: PageBounds): PlacedEntry[] {
    const page: PlacedEntry[] = [];
    let sizeBytes = 0;
    for (const [seq, ...row] of this.#range.iterate(afterSeq, limit)) {
      const stored = toStored(row);
      page.push({ seq, ...stored });
      sizeBytes += Buffer.byteLength(stored.text);
      if (sizeBytes >= bytesMax) break;
    }
    return page;
  }

  /** How many bytes the stored texts from one seq (excluded) to another have, in order. */
  textSizes(after: number, until: number, limit: number): readonly TextSize[] {
    const rows = this.#textSizes.all(after, until, limit);
    return rows.map(([seq, sizeBytes]) => ({ seq, sizeBytes }));
  }

  /**
   * The stored entries after `afterSeq` that may be recoveries, newest first: those that hold the
   * words, which may also be what a worker said. Its cost grows with the entries after `afterSeq`.
   */
  *maybeRecoveries(afterSeq: number): Generator<PlacedEntry, void, undefined> {
    for (const [seq, ...row] of this.#maybeRecoveries.iterate(afterSeq))
      yield { seq, ...toStored(row) };
  }

  /** Writes an entry. */
  insert({ seq, text, hash, commandId, subject }: Sealed): void {
    this.#insert.run(seq, text, hash, commandId, subject);
  }

  /** Where the decision of a command begins. */
  firstSeq(commandId: string): number | undefined {
    return this.#firstSeq.get(commandId);
  }

  /** The newest entries about a subject, newest first. */
  about(subject: string, limit: number): PlacedEntry[] {
    const rows = this.#about.all(subject, limit);
    return rows.map(([seq, ...row]) => ({ seq, ...toStored(row) }));
  }

  /** A number that changes when another connection has committed something. */
  changes(): number {
    return this.#changes.get() ?? 0;
  }

  /** Writes a snapshot and drops those that are no longer kept. */
  saveSnapshot({ seq, hash, rules, state, stateHash }: Snapshot): void {
    this.#saveSnapshot.run(seq, hash, rules, state, stateHash);
    this.#dropSnapshots.run();
  }

  /** Drops the snapshots of places after a seq: of entries that are lost. */
  dropSnapshotsAfter(seq: number): void {
    this.#dropSnapshotsAfter.run(seq);
  }

  /** The snapshots kept, newest first. */
  snapshots(): Snapshot[] {
    return this.#snapshots.all().map(([seq, hash, rules, state, stateHash]) => ({
      seq,
      hash: textOf(hash),
      rules,
      state: textOf(state),
      stateHash: textOf(stateHash),
    }));
  }

  /** What is wrong with the pages, tables and indices, at most a few; empty when nothing is. */
  listDamage(): string[] {
    const found = this.#db.prepare<[], string>("PRAGMA integrity_check(10)").pluck().all();
    const misnamed = this.#db
      .prepare<[], number>(
        `SELECT seq FROM entry_rows
         WHERE command_id IS NOT NULL
         AND CASE WHEN text LIKE '@%' THEN 0 ELSE command_id <> json_extract(text, '$.id') END
         LIMIT 10`,
      )
      .pluck()
      .all();
    return [
      ...found.filter((line) => line !== "ok"),
      ...misnamed.map((seq) => `entry ${seq} is filed under another command`),
    ];
  }

  /**
   * Sets after how many pages a commit here folds the write-ahead log into the database; nothing
   * where that was closed.
   */
  checkpointEvery(pageCount: number): void {
    if (this.#db.open) this.#db.pragma(`wal_autocheckpoint = ${pageCount}`);
  }

  /** Folds the write-ahead log into the database and gives back its room, unless it is in use. */
  foldLog(): void {
    this.#db.pragma("wal_checkpoint(TRUNCATE)");
  }

  /** Closes the database; the last one to do so folds the write-ahead log into it. */
  close(): void {
    this.#db.close();
  }
}

function toStored([text, hash]: Row): StoredEntry {
  return { text: textOf(text), hash: textOf(hash) };
}

/** A value that was written as text. */
function textOf(value: unknown): string {
  if (typeof value === "string") return value;
  throw new Fault("journal_corrupt", `the journal's rows must hold text, got ${typeof value}`);
}
