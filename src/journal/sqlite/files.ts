import {
  closeSync,
  copyFileSync,
  openSync,
  readdirSync,
  rmSync,
  statSync,
  type Stats,
} from "node:fs";
import { join } from "node:path";
import { Fault } from "../../ports/fault.ts";
import { ignoreFolder, makeFolders } from "../../system/folders.ts";
import { codeOf } from "../../ports/error-code.ts";

/** The files of a journal in its folder. */
export interface JournalFiles {
  readonly folder: string;
  readonly database: string;
  /** SQLite's write-ahead log: commits live here until they are folded into the database. */
  readonly log: string;
  readonly head: string;
  /** The folder of segments. */
  readonly archive: string;
}

/** Names the files of the journal in a folder. */
export function filesIn(folder: string): JournalFiles {
  const database = join(folder, "journal.db");
  const archive = join(folder, "segments");
  return { folder, database, log: `${database}-wal`, head: join(folder, "head"), archive };
}

/** Makes sure that the folder is there, creating a missing one with mode 0700 if it may. */
export function ensureFolder(folder: string, options: { readonly create: boolean }): void {
  if (options.create) makeFolders(folder, { mode: 0o700 });
  if (find(folder) !== undefined) return;
  throw new Fault("journal_missing", `a journal must be in ${folder}, there is no such folder`);
}

/** What was there before an open. */
export interface Found {
  /** Whether a head file remembers this journal. */
  readonly isKnown: boolean;
}

/**
 * Makes sure that there is a file to open, creating an empty one only where no journal has been.
 *
 * Files are created with mode 0600. A folder that was empty is kept out of a repository around it.
 * Throws `Fault` `storage_failed`, `storage_full`, `journal_missing` when a journal has been here
 * and its database is gone, `journal_corrupt` when something else stands in its place.
 */
export function ensureFiles(files: JournalFiles, options: { readonly create: boolean }): Found {
  // The head file first: whoever creates both creates it last.
  const isKnown = find(files.head) !== undefined;
  const database = find(files.database);
  if (database !== undefined) {
    mustBeFile(files.database, database);
    return { isKnown };
  }
  if (isKnown || find(files.log) !== undefined) {
    const message = `${files.database} must be there, a journal was here and it is gone`;
    throw new Fault("journal_missing", message);
  }
  if (!options.create) {
    throw new Fault("journal_missing", `a journal must be in ${files.folder}, there is none`);
  }
  // A folder of its own, and not one of the user's: the secret is written after this.
  if (readdirSync(files.folder).length === 0) ignoreFolder(files.folder);
  createEmpty(files.database);
  return { isKnown };
}

function mustBeFile(path: string, found: Stats): void {
  if (found.isFile()) return;
  const kind = found.isDirectory() ? "a folder" : "no regular file";
  throw new Fault("journal_corrupt", `${path} must be a file, it is ${kind}`);
}

/**
 * Creates the database's file before SQLite would, for its mode.
 *
 * Only a file that is not there is opened: closing a descriptor of one that is would drop the locks
 * that SQLite holds on it in this process (https://www.sqlite.org/howtocorrupt.html, 2.2).
 */
function createEmpty(path: string): void {
  try {
    closeSync(openSync(path, "wx", 0o600));
  } catch (error) {
    // Another process was first.
    if (codeOf(error) !== "EEXIST") throw error;
  }
}

/** A file's identity, whatever its name. */
type Identity = Pick<Stats, "dev" | "ino">;

/**
 * A folder must have been left alone for this long before its change time is relied on, ms: some
 * kernels count it in steps of 10 ms, so a second change may look like the first.
 */
const SETTLED_MS = 100;

/**
 * The files under an open connection, to notice when somebody takes them away.
 *
 * A file can only be deleted or replaced by changing its folder, so mostly the folder alone is
 * looked at. Looking at the write-ahead log each time would be dear: a kernel with fine-grained
 * timestamps (Linux 6.13) gives a file whose times were asked for a new time at its next write, and
 * the sync after that must then write the inode too.
 */
export class OpenFiles {
  readonly #folder: string;
  readonly #identities: ReadonlyMap<string, Identity | undefined>;
  #settled: Stats | undefined;

  /** Remembers the files as they are now: the connection must have them open. */
  constructor(files: JournalFiles) {
    const paths = [files.database, files.log];
    this.#folder = files.folder;
    this.#identities = new Map(paths.map((path) => [path, find(path)]));
  }

  /**
   * Throws `Fault` `journal_missing` when a file has been deleted or replaced: what is written from
   * then on would go where nobody finds it. False when nothing in the folder has changed.
   */
  haveChanged(): boolean {
    const folder = find(this.#folder);
    if (folder !== undefined && this.#settled !== undefined) {
      if (isSame(folder, this.#settled) && folder.ctimeMs === this.#settled.ctimeMs) return false;
    }
    for (const [path, identity] of this.#identities) mustBe(path, identity);
    const isSettled = folder !== undefined && Date.now() - folder.ctimeMs > SETTLED_MS;
    this.#settled = isSettled ? folder : undefined;
    return true;
  }
}

function mustBe(path: string, identity: Identity | undefined): void {
  const now = find(path);
  if (now !== undefined && isSame(now, identity)) return;
  const what = now === undefined ? "deleted" : "replaced";
  const message = `${path} must be the file that was opened, it has been ${what}`;
  throw new Fault("journal_missing", message);
}

function isSame(one: Identity, other: Identity | undefined): boolean {
  return one.ino === other?.ino && one.dev === other.dev;
}

/**
 * Copies the write-ahead log aside before a broken journal is closed: closing folds what can be
 * read of it into the database and deletes the rest, which an expert may still want to see.
 */
export function keepEvidence(files: JournalFiles): void {
  const log = find(files.log);
  if (log === undefined || log.size === 0) return;
  const copy = `${files.log}.broken`;
  try {
    copyFileSync(files.log, copy);
  } catch {
    // No room or no right: the fault that is about to be thrown matters more.
    rmSync(copy, { force: true });
  }
}

function find(path: string): Stats | undefined {
  return statSync(path, { throwIfNoEntry: false });
}
