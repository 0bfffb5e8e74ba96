import type { Actor } from "../kernel/actor.ts";
import type { Entry, RecordedCommand } from "../kernel/entry.ts";
import type { Event } from "../kernel/event.ts";

/** The hash that the first entry names as its predecessor. */
export const GENESIS_HASH = "0".repeat(64);

/** The newest entry of a journal; seq 0 with {@link GENESIS_HASH} while it is empty. */
export interface Head {
  readonly seq: number;
  readonly hash: string;
}

/** What is remembered of a journal outside its entries. */
export interface Remembered extends Head {
  /**
   * The highest epoch that is remembered, which those that are lost may have raised above what was
   * kept; 0 also where no epoch is.
   */
  readonly epoch: number;
}

/** The head of an empty journal. */
export const GENESIS: Head = { seq: 0, hash: GENESIS_HASH };

/** An entry before the journal has given it its place, time and hash. */
export interface Draft {
  readonly fleet: string;
  readonly rules: number;
  readonly id: string;
  readonly actor: Actor;
  readonly command: RecordedCommand | null;
  readonly event: Event;
}

/**
 * What an append did. `moved`: somebody wrote first, nothing was written; look again.
 * `appended` with no entries: `make` had nothing to write.
 */
export type AppendOutcome =
  | { readonly kind: "appended"; readonly atMs: number; readonly entries: readonly Entry[] }
  | { readonly kind: "moved"; readonly head: Head };

/** How an append is made. */
export interface AppendOptions {
  /**
   * An operator has accepted the host's clock: journal time is tied to it anew by this append, and
   * never runs backwards for it. Default false.
   */
  readonly acceptsClock?: boolean;
}

/** What a journal remembers of a command id: the first decision's place, and what was asked. */
export interface Recollection {
  readonly firstSeq: number;
  readonly atMs: number;
  /** The entries of that decision, in order. */
  readonly entries: readonly Entry[];
}

/** A state at a place of the journal, as bytes; trusted only when a signed head names its hash. */
export interface Snapshot {
  readonly seq: number;
  readonly hash: string;
  readonly rules: number;
  /** Canonical JSON of the state. */
  readonly state: string;
  /** SHA-256 over `state`, lowercase hex. */
  readonly stateHash: string;
}

/**
 * A part of the archive: entries that stand in a file of their own, in order, each with its hash.
 * The segments of a journal follow one another without a gap, from its first entry on.
 */
export interface Segment {
  /** The name of its file, which says its first and its last seq. */
  readonly name: string;
  readonly firstSeq: number;
  readonly last: Head;
  /** The entry before its first; {@link GENESIS} before the first of all. */
  readonly after: Head;
  readonly entryCount: number;
  /** Journal time of its first and of its last entry. */
  readonly firstAtMs: number;
  readonly lastAtMs: number;
  /** The highest epoch of the recoveries up to its end; 0 where there is none. */
  readonly epoch: number;
  readonly sizeBytes: number;
  /** SHA-256 over all of its file but the line that ends it, lowercase hex. */
  readonly sha256: string;
}

/** How far a journal is compacted. */
export interface CompactOptions {
  /** The newest entry that may go: before the head, and not after the newest snapshot. */
  readonly untilSeq: number;
  /** The most entries of one segment; default, and at most, `LIMITS.segmentEntriesMax`. */
  readonly segmentEntriesMax?: number;
  /**
   * The most bytes of one segment; default, and at most, `LIMITS.segmentBytesMax`. Only an entry
   * that alone is longer makes a longer one.
   */
  readonly segmentBytesMax?: number;
  /** Told now and then up to which entry segments are written, or rows have given up their text. */
  readonly onProgress?: (doing: "archiving" | "moving", seq: number) => void;
  /** Stops it between two steps; what is done stays done. */
  readonly signal?: AbortSignal;
}

/** What a compaction has done; nothing where there was nothing to do. */
export interface Compaction {
  /** The segments that it has recorded. */
  readonly segments: readonly Segment[];
  /** How many entries gave up their text in the store. */
  readonly movedCount: number;
}

/**
 * The ordered, hash-chained record. Several processes may use one journal at once.
 *
 * Adapters owe: appends are all or nothing and durable when the promise resolves; seqs have no gap
 * but before `fleet.recovered`, which says what is missing there; journal time never runs backwards
 * (I11) and is read inside the critical section; whatever is broken, missing or shorter than
 * remembered is a named {@link Fault}, never a shorter answer. A part of the archive that is
 * missing or broken is `archive_broken` for whoever asks for its entries, and for nobody else.
 */
export interface Journal {
  /** The newest entry's seq and hash, as the store has it now. */
  head(): Promise<Head>;

  /**
   * Appends what `make` answers, if the head still is `expected`.
   *
   * `make(atMs)` is synchronous and pure and runs inside the critical section, with the journal
   * time of the entries it makes; it may be called again with a later time when the first answer
   * grew older than `LIMITS.decisionAgeMsMax` before it could be committed. If it throws, nothing
   * is written and the error is passed on. Throws `Fault` `storage_full`, `storage_busy`
   * (retryable), `clock_skew`, `journal_*`; `append_unknown` when it cannot tell whether the
   * entries are durable: submit again with the same command ids.
   */
  append(
    expected: Head,
    make: (atMs: number) => readonly Draft[],
    options?: AppendOptions,
  ): Promise<AppendOutcome>;

  /**
   * Up to `limit` entries after `after`, decoded and verified: seqs without gap but what a
   * `fleet.recovered` accounts for, hashes over the stored bytes, and a chain that begins at
   * `after.hash`. A chain that does not begin there is a Fault `journal_forked`; broken bytes are
   * `journal_corrupt`.
   */
  read(after: Head, limit: number): Promise<readonly Entry[]>;

  /** The decision first recorded under a command id, or undefined. */
  recall(commandId: string): Promise<Recollection | undefined>;

  /**
   * The newest entries about a worker or a lease (`subjectOf` in the kernel), newest first, up to
   * `limit`; verified singly by hash.
   */
  about(subject: string, limit: number): Promise<readonly Entry[]>;

  /** Keeps a snapshot; only the newest few are kept. */
  saveSnapshot(snapshot: Snapshot): Promise<void>;

  /** The snapshots kept, newest first. */
  snapshots(): Promise<readonly Snapshot[]>;

  /**
   * Takes over entries exported elsewhere, hashes intact, into an empty journal, all or nothing.
   * Each item is the canonical text of an entry without its hash, and the hash.
   */
  load(stored: Iterable<StoredEntry>): Promise<Head>;

  /** The stored text and hash of up to `limit` entries after `afterSeq`; unverified. */
  readStored(afterSeq: number, limit: number): Promise<readonly PlacedEntry[]>;

  /**
   * Writes entries, from the oldest on, into segments of the archive, and has the store give up
   * their texts; all that finds and reads entries answers as before. Others append and read
   * meanwhile. A process that dies on the way loses nothing, and the next compaction goes on.
   *
   * Throws `Fault` `storage_busy` (retryable) while another compacts, `storage_full`, `journal_*`
   * when an entry that is to go is broken: then it stays; `archive_broken`.
   */
  compact(options: CompactOptions): Promise<Compaction>;

  /** The segments of the archive, oldest first. */
  segments(): Promise<readonly Segment[]>;

  /**
   * Reads a whole segment and compares it with what is recorded of it. Throws `Fault`
   * `archive_broken`, naming the file and its entries.
   */
  inspectSegment(segment: Segment): Promise<void>;

  /**
   * Calls `listener` after something may have been appended, by this process or another.
   * A hint only: it may be late, doubled or missing. Returns how to stop it.
   */
  watch(listener: () => void): () => void;

  /**
   * Checks the store beyond what reading entries can show: that its indices hold exactly its
   * entries, that its pages and its archive are sound. Throws `Fault` `journal_corrupt`,
   * `archive_broken`. Its cost grows with the
   * journal, so only verification calls it.
   */
  inspect(): Promise<void>;

  /** Takes over how far the wall clock may be off, ms, from the contract in force. */
  setClockTolerance(toleranceMs: number): void;

  /** Releases the store; safe to call twice. */
  close(): Promise<void>;
}

/** An entry as it is stored: canonical text without the hash, and the SHA-256 over it. */
export interface StoredEntry {
  readonly text: string;
  readonly hash: string;
}

/** A stored entry, and the place that it is stored under. */
export interface PlacedEntry extends StoredEntry {
  readonly seq: number;
}
