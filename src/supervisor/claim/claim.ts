import { closeSync, openSync, statSync, type Stats } from "node:fs";
import { asStorageFault } from "../../system/storage-fault.ts";
import { loadSqlite, type SqliteDatabase } from "../../system/sqlite-library.ts";
import { codeOf } from "../../ports/error-code.ts";

/**
 * The right to be the supervisor of a state folder: an exclusive transaction on a database of its
 * own, held for life. The kernel lets go of its lock when the process ends, however it ends, and
 * no child inherits it.
 */
export class Claim {
  readonly #file: string;
  readonly #db: SqliteDatabase;
  readonly #identity: Pick<Stats, "dev" | "ino">;

  private constructor(file: string, db: SqliteDatabase) {
    this.#file = file;
    this.#db = db;
    this.#identity = statSync(file);
  }

  /** Takes the claim; undefined while another process has it. Throws `Fault` `storage_*`. */
  static take(file: string): Claim | undefined {
    let db: SqliteDatabase | undefined;
    try {
      createEmpty(file);
      const library = loadSqlite();
      db = new library(file, { timeout: 0, fileMustExist: true });
      db.exec("BEGIN EXCLUSIVE");
      return new Claim(file, db);
    } catch (error) {
      db?.close();
      if (isBusy(error)) return undefined;
      throw asStorageFault(error, `claiming ${file}`);
    }
  }

  /**
   * Whether the file that is locked still is the one that another would have to lock: without it,
   * or with another in its place, somebody else may have claimed the folder too.
   */
  isHeld(): boolean {
    const now = statSync(this.#file, { throwIfNoEntry: false });
    return now?.ino === this.#identity.ino && now.dev === this.#identity.dev;
  }

  /** Lets go; safe to call twice. */
  release(): void {
    this.#db.close();
  }
}

/**
 * Creates the file before SQLite would, for its mode. One that is there is not opened: closing a
 * descriptor of it would drop the locks that this process holds on it.
 */
function createEmpty(file: string): void {
  try {
    closeSync(openSync(file, "wx", 0o600));
  } catch (error) {
    // Another process was first.
    if (codeOf(error) !== "EEXIST") throw error;
  }
}

function isBusy(error: unknown): boolean {
  return codeOf(error) === "SQLITE_BUSY";
}
