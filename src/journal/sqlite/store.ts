import { ok } from "../../kernel/assert.ts";
import { GENESIS, type Head } from "../../ports/journal.ts";
import type { Log } from "../../ports/log.ts";
import { decodeOne } from "../chain.ts";
import { mustContinue } from "../continuation.ts";
import type { ClockAnchor, JournalTime } from "../journal-time.ts";
import { decodeAnchor, encodeAnchor, type StoredAnchor } from "./anchor.ts";
import type { JournalDatabase } from "./database.ts";
import { OpenFiles, type JournalFiles } from "./files.ts";
import { HeadFile } from "./head-file.ts";

/** A journal's database together with what is remembered of it outside. */
export class JournalStore {
  readonly database: JournalDatabase;
  readonly files: JournalFiles;
  readonly #openFiles: OpenFiles;
  readonly #headFile: HeadFile;
  readonly #log: Log;
  /** Whether what is remembered beyond the database's end is being given up. */
  readonly #isRecovering: boolean;
  #seen: Head = GENESIS;
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
    this.#log = options.log;
    this.#isRecovering = options.recovers ?? false;
    const head = database.head();
    this.#openFiles = new OpenFiles(options.files);
    this.#headFile = new HeadFile(options.files.head, head);
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
    if (this.#openFiles.haveChanged()) this.#tryHeadFile((file) => file.mend(this.#seen));
    // Before the database, which may run ahead of it but never behind.
    const remembered = this.#headFile.read();
    const head = this.database.head();
    if (!this.#isRecovering) this.#mustReach(remembered, head);
    this.mustContinue(this.#seen, head, "this process");
    this.#seen = head;
    return head;
  }

  /**
   * The newest entry that anything in the folder remembers: the head file, or a snapshot, which is
   * only kept of entries that are durable.
   */
  remembered(): Head {
    const filed = this.#headFile.read();
    const [newest] = this.database.snapshots();
    const known = newest !== undefined && newest.seq > filed.seq ? newest : filed;
    const head = this.database.head();
    return known.seq > head.seq ? { seq: known.seq, hash: known.hash } : head;
  }

  /**
   * Throws `Fault` unless the database continues what the head file remembers, or has gone on
   * without it by a recovery that gives it up. A crash may have come between that recovery's commit
   * and the file: then the file is brought up.
   */
  #mustReach(remembered: Head, head: Head): void {
    if (head.seq > remembered.seq && this.#isGivenUp(remembered)) {
      this.#tryHeadFile((file) => file.write(head));
      return;
    }
    this.mustContinue(remembered, head, "the head file");
  }

  #isGivenUp({ seq, hash }: Head): boolean {
    if (seq === 0 || this.database.hashAt(seq) !== undefined) return false;
    const [next] = this.database.range(seq, 1);
    const entry = next === undefined ? undefined : decodeOne(next, next.seq);
    if (entry?.kind !== "fleet.recovered") return false;
    const { kept_seq, remembered_seq, remembered_hash } = entry.data;
    if (seq === remembered_seq) return hash === remembered_hash;
    // Something else in the folder remembered more than this file did.
    return kept_seq < seq && seq < remembered_seq;
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
  remember(head: Head, atMs: number): void {
    this.#seen = head;
    this.#timed = { hash: head.hash, atMs };
    this.#tryHeadFile((file) => file.write(head));
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
    try {
      this.database.close();
    } finally {
      this.#headFile.close();
    }
  }
}
