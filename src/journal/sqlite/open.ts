import { resolve } from "node:path";
import { LIMITS } from "../../kernel/limits.ts";
import { Fault, type FaultCode } from "../../ports/fault.ts";
import type { Head, Journal, Remembered, StoredEntry } from "../../ports/journal.ts";
import { SILENT, type Log } from "../../ports/log.ts";
import { loadSqlite, type SqliteDatabase } from "../../system/sqlite-library.ts";
import { continuing } from "../archive/continuing.ts";
import type { ScannedEntry } from "../archive/scan.ts";
import type { TimeOptions } from "../timekeeper.ts";
import { takeUp } from "./append.ts";
import { JournalDatabase } from "./database.ts";
import { asJournalFault } from "./faults.ts";
import { ensureFiles, ensureFolder, filesIn, keepEvidence, type JournalFiles } from "./files.ts";
import { SqliteJournal } from "./journal.ts";
import { refuseNetworkFileSystem } from "./network-file-system.ts";
import { ensureSchema } from "./schema.ts";
import { JournalStore } from "./store.ts";
import { BLOCK_MS, whileBusy } from "./waiting.ts";

/** Where a journal in SQLite lies, and what it needs. */
export interface SqliteJournalOptions extends TimeOptions {
  /** The folder that holds its files; it must be on a local file system. */
  readonly folder: string;
  /** Whether to begin an empty journal where none has been; default true. */
  readonly create?: boolean;
  /** How long to wait for another process that writes, ms; default `LIMITS.storeBusyMs`. */
  readonly busyMs?: number;
  /** Told when the head file cannot be written; an append does not fail for it. */
  readonly log?: Log;
}

/** A journal that may end before what is remembered of it. */
export interface LostJournal {
  readonly journal: Journal;
  /** The newest entry that it has. */
  readonly kept: Head;
  /** The newest entry that is remembered, `kept` where nothing is lost; and the highest epoch. */
  readonly remembered: Remembered;
  /** Entries in the segments beside it that continue it, by hash; see `continuing`. */
  continuing(): Iterable<ScannedEntry>;
  /** Takes up entries that continue it, verified, all or nothing; answers the head they end at. */
  takeUp(stored: Iterable<StoredEntry>): Promise<Head>;
}

/**
 * Opens the journal in a folder though it is shorter than remembered, to look at it, to take up
 * what segments beside it have of the rest, and to append a `fleet.recovered`, nothing else. Throws
 * the other faults of {@link openSqliteJournal}.
 */
export async function openLostJournal(options: SqliteJournalOptions): Promise<LostJournal> {
  const busyMs = options.busyMs ?? LIMITS.storeBusyMs;
  const files = filesIn(resolve(options.folder));
  const so = { ...options, create: false, recovers: true };
  const { store, kept, remembered } = await whileBusy(busyMs, () => {
    const opened = openStore(files, so);
    try {
      return { store: opened, kept: opened.look(), remembered: opened.remembered() };
    } catch (error) {
      opened.close();
      throw asJournalFault(error, `opening ${files.database}`);
    }
  });
  return {
    journal: new SqliteJournal(store, { ...options, busyMs }),
    kept,
    remembered,
    continuing: () => continuing(store.archive, kept),
    takeUp: (stored) => whileBusy(busyMs, () => takeUp(store, stored)),
  };
}

/**
 * Opens the journal in a folder. Any number of processes of one host may have it open at once.
 *
 * Its cost does not grow with the journal. Throws `Fault`: `journal_missing`, `journal_truncated`,
 * `journal_forked`, `journal_corrupt`, `journal_newer` when what is there is not the journal that
 * was there; `network_filesystem`, `sqlite_unsupported`, `storage_full`, `storage_failed`, and
 * `storage_busy` (retryable).
 */
export async function openSqliteJournal(options: SqliteJournalOptions): Promise<Journal> {
  const busyMs = options.busyMs ?? LIMITS.storeBusyMs;
  const files = filesIn(resolve(options.folder));
  const store = await whileBusy(busyMs, () => openStore(files, options));
  return new SqliteJournal(store, { ...options, busyMs });
}

/** Faults after which somebody may want to see the write-ahead log as it was. */
const BROKEN: ReadonlySet<FaultCode> = new Set([
  "journal_corrupt",
  "journal_truncated",
  "journal_forked",
]);

function openStore(
  files: JournalFiles,
  options: SqliteJournalOptions & { readonly recovers?: boolean },
): JournalStore {
  const create = { create: options.create ?? true };
  let db: SqliteDatabase | undefined;
  try {
    ensureFolder(files.folder, create);
    refuseNetworkFileSystem(files.folder);
    const found = ensureFiles(files, create);
    const library = loadSqlite();
    // The busy timeout comes first: every statement after it may meet another process.
    db = new library(files.database, { timeout: BLOCK_MS, fileMustExist: true });
    configure(db);
    ensureSchema(db, found);
    const { log = SILENT, recovers = false } = options;
    return new JournalStore(new JournalDatabase(db), { files, log, recovers });
  } catch (error) {
    const fault = asJournalFault(error, `opening ${files.database}`);
    if (fault instanceof Fault && BROKEN.has(fault.code)) keepEvidence(files);
    db?.close();
    throw fault;
  }
}

/** To this size the write-ahead log shrinks after an import has made it larger. */
const LOG_BYTES_KEPT = 64 * 1_024 * 1_024;

function configure(db: SqliteDatabase): void {
  // NORMAL would lose acknowledged commits when the power fails.
  db.pragma("synchronous = FULL");
  // On macOS a plain fsync leaves data in the drive's own cache.
  db.pragma("fullfsync = ON");
  db.pragma("checkpoint_fullfsync = ON");
  db.pragma(`journal_size_limit = ${LOG_BYTES_KEPT}`);
  // The file may have been written by anybody: no functions from its schema, no crooked pages.
  db.pragma("trusted_schema = OFF");
  db.pragma("cell_size_check = ON");
}
