import { ok } from "../../kernel/assert.ts";
import { GENESIS, type Head, type PlacedEntry, type Remembered } from "../../ports/journal.ts";
import type { Log } from "../../ports/log.ts";
import { ArchiveFolder } from "../archive/folder.ts";
import { decodeOne } from "../chain.ts";
import { mustContinue } from "../continuation.ts";
import type { ClockAnchor, JournalTime } from "../journal-time.ts";
import { epochIn } from "../snapshots.ts";
import { ArchivedTexts } from "./archive/texts.ts";
import { decodeAnchor, encodeAnchor, type StoredAnchor } from "./anchor.ts";
import type { JournalDatabase, PageBounds } from "./database.ts";
import { OpenFiles, type JournalFiles } from "./files.ts";
import { HeadFile, type HeadLine } from "./head-file.ts";

/** What is known of entries that were just written. */
export interface Made {
  /** The journal time of the last. */
  readonly atMs: number;
  /** The epoch of the last recovery among them; undefined where there is none. */
  readonly epoch: number | undefined;
}

/** A journal's database together with what is remembered of it outside. */
export class JournalStore {
  readonly database: JournalDatabase;
  readonly files: JournalFiles;
  readonly archive: ArchiveFolder;
  readonly #texts: ArchivedTexts;
  readonly #openFiles: OpenFiles;
  readonly #headFile: HeadFile;
  readonly #log: Log;
  /** Whether what is remembered beyond the database's end is being given up. */
  readonly #isRecovering: boolean;
  #seen: Head = GENESIS;
  /** The highest epoch up to what was seen, or is remembered; undefined until the first look. */
  #epoch: number | undefined;
  /** The last entry whose time was read, and the last anchor: mostly they are asked for again. */
  #timed: { readonly hash: string; readonly atMs: number } | undefined;
  #anchor: { readonly stored: StoredAnchor; readonly anchor: ClockAnchor | null } | undefined;

  /** Compares the database with the head file, creating that if it is missing. */
  constructor(
    database: JournalDatabase,
    options: { readonly files: JournalFiles; readonly log: Log; readonly recovers?: boolean },
  ) {
    this.database = database;
    this.files = options.files;
    this.archive = new ArchiveFolder(options.files.archive, options.files.database);
    this.#texts = new ArchivedTexts(this.archive, database.segments);
    this.#log = options.log;
    this.#isRecovering = options.recovers ?? false;
    this.#openFiles = new OpenFiles(options.files);
    this.#headFile = new HeadFile(options.files.head, () => this.#place(database.head()));
    try {
      this.look();
    } catch (error) {
      this.#headFile.close();
      throw error;
    }
  }

  /**
   * Where the journal ends now. Throws `Fault` when that is not a continuation of what this
   * process or the head file has seen, or when the files have been taken away.
   */
  look(): Head {
    if (this.#openFiles.haveChanged())
      this.#tryHeadFile((file) => file.mend(() => this.#place(this.#seen)));
    // Before the database, which may run ahead of it but never behind.
    const remembered = this.#headFile.read();
    const head = this.database.head();
    const epoch = this.#epochAt(remembered, head);
    if (!this.#isRecovering) this.#mustReach(remembered, head, epoch);
    this.mustContinue(this.#seen, head, "this process");
    this.#seen = head;
    this.#epoch = epoch;
    return head;
  }

  /**
   * The newest entry, and the highest epoch, that anything in the folder remembers: the head file,
   * or a snapshot, which is only kept of entries that are durable.
   */
  remembered(): Remembered {
    const filed = this.#headFile.read();
    const snapshots = this.database.snapshots();
    const [newest] = snapshots;
    const known = newest !== undefined && newest.seq > filed.seq ? newest : filed;
    const head = this.database.head();
    const { seq, hash } = known.seq > head.seq ? known : head;
    const epoch = Math.max(this.#epochAt(filed, head), ...snapshots.map(epochIn));
    return { seq, hash, epoch };
  }

  /**
   * The highest epoch up to `head`, or up to what the head file remembers. The file tells it, and
   * what this process has seen; only entries after both are looked through, of which there are none
   * but after a crash, or while another process writes; what of them is archived, its segment
   * tells. Where neither tells, as with a head file that is new or of an older form, the newest
   * snapshot does.
   */
  #epochAt({ seq, epoch }: HeadLine, head: Head): number {
    if (epoch === null && this.#epoch === undefined) return this.#storedEpoch(head);
    const known = Math.max(epoch ?? 0, this.#epoch ?? 0);
    const lookedSeq = Math.max(epoch === null ? 0 : seq, this.#seen.seq);
    if (head.seq <= lookedSeq) return known;
    return Math.max(known, this.#archivedEpoch(), this.#recoveredAfter(lookedSeq));
  }

  /**
   * The highest epoch of the entries, from the newest snapshot of one of them on; what is archived
   * is in no row, and its segment has it.
   */
  #storedEpoch(head: Head): number {
    const snapshot = this.database.snapshots().find(({ seq }) => seq <= head.seq);
    const archived = this.#archivedEpoch();
    if (snapshot === undefined) return Math.max(archived, this.#recoveredAfter(0));
    return Math.max(archived, epochIn(snapshot), this.#recoveredAfter(snapshot.seq));
  }

  /** The highest epoch of what is archived; 0 where nothing is. */
  #archivedEpoch(): number {
    return this.database.segments.newest()?.epoch ?? 0;
  }

  /** The epoch of the newest recovery after a seq that a row has; 0 where there is none. */
  #recoveredAfter(seq: number): number {
    for (const stored of this.database.maybeRecoveries(seq)) {
      const entry = decodeOne(stored, stored.seq);
      if (entry.kind === "fleet.recovered") return entry.data.epoch;
    }
    return 0;
  }

  /** A head as the head file is to remember it. */
  #place({ seq, hash }: Head): Remembered {
    return { seq, hash, epoch: this.#epoch ?? this.#storedEpoch({ seq, hash }) };
  }

  /**
   * Throws `Fault` unless the database continues what the head file remembers, or has gone on
   * without it by a recovery that gives it up. A crash may have come between that recovery's commit
   * and the file: then the file is brought up.
   */
  #mustReach(remembered: Head, head: Head, epoch: number): void {
    if (head.seq > remembered.seq && this.#isGivenUp(remembered)) {
      this.#tryHeadFile((file) => file.write({ ...head, epoch }));
      return;
    }
    this.mustContinue(remembered, head, "the head file");
  }

  #isGivenUp({ seq, hash }: Head): boolean {
    if (seq === 0 || this.database.hashAt(seq) !== undefined) return false;
    const [next] = this.range(seq, 1);
    const entry = next === undefined ? undefined : decodeOne(next, next.seq);
    if (entry?.kind !== "fleet.recovered") return false;
    const { kept_seq, remembered_seq, remembered_hash } = entry.data;
    if (seq === remembered_seq) return hash === remembered_hash;
    // Something else in the folder remembered more than this file did.
    return kept_seq < seq && seq < remembered_seq;
  }

  /** The entries after a seq with their texts, wherever these are. */
  range(afterSeq: number, limit: number): PlacedEntry[] {
    return this.database.range(afterSeq, limit).map((placed) => this.#texts.resolve(placed));
  }

  /** As {@link range}, no more than has these bounds. */
  page(afterSeq: number, bounds: PageBounds): PlacedEntry[] {
    return this.database.page(afterSeq, bounds).map((placed) => this.#texts.resolve(placed));
  }

  /** The newest entries about a subject with their texts, newest first. */
  about(subject: string, limit: number): PlacedEntry[] {
    return this.database.about(subject, limit).map((placed) => this.#texts.resolve(placed));
  }

  /** Says something that somebody should know and that stops nothing. */
  warn(message: string, facts: Readonly<Record<string, unknown>>): void {
    this.#log.warn(message, facts);
  }

  /** Journal time as the entry at `head` left it; null while the journal is empty. */
  timeAt(head: Head): JournalTime | null {
    if (head.seq === 0) return null;
    if (this.#timed?.hash !== head.hash) {
      const [stored] = this.database.range(head.seq - 1, 1);
      ok(stored !== undefined, `entry ${head.seq} is stored`);
      this.#timed = { hash: head.hash, atMs: decodeOne(stored, head.seq).at_ms };
    }
    return { atMs: this.#timed.atMs, anchor: this.#readAnchor() };
  }

  /** Writes what journal time is tied to, if that has changed. */
  setAnchor(anchor: ClockAnchor | null): void {
    // Mostly the very one that was read under the same lock, by `timeAt`.
    if (anchor !== null && anchor === this.#anchor?.anchor) return;
    const stored = encodeAnchor(anchor);
    if (stored.hash !== this.database.anchor().hash) this.database.setAnchor(stored);
  }

  /** Throws `Fault` unless a journal that ends at `head` continues what was seen. */
  mustContinue(seen: Head, head: Head, where: string): void {
    mustContinue(seen, head, { where, hashAt: (seq) => this.database.hashAt(seq) });
  }

  /** Remembers a head that is durable. It never fails: the entries are in the database. */
  remember(head: Head, { atMs, epoch }: Made): void {
    this.#seen = head;
    this.#timed = { hash: head.hash, atMs };
    this.#epoch = Math.max(this.#epoch ?? 0, epoch ?? 0);
    const line = { seq: head.seq, hash: head.hash, epoch: this.#epoch };
    this.#tryHeadFile((file) => file.write(line));
  }

  #tryHeadFile(act: (file: HeadFile) => void): void {
    try {
      act(this.#headFile);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#log.warn("the head file could not be written", { file: this.files.head, reason });
    }
  }

  #readAnchor(): ClockAnchor | null {
    const stored = this.database.anchor();
    if (this.#anchor?.stored.text !== stored.text || this.#anchor.stored.hash !== stored.hash) {
      this.#anchor = { stored, anchor: decodeAnchor(stored) };
    }
    return this.#anchor.anchor;
  }

  /** Closes the files. */
  close(): void {
    this.#texts.close();
    try {
      this.database.close();
    } finally {
      this.#headFile.close();
    }
  }
}
