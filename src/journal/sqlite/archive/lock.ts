import { closeSync, openSync } from "node:fs";
import { codeOf } from "../../../ports/error-code.ts";
import { Fault } from "../../../ports/fault.ts";
import { giveToOwnerOf } from "../../archive/owner.ts";
import { loadSqlite, type SqliteDatabase } from "../../../system/sqlite-library.ts";

/**
 * The right to compact a journal: an exclusive transaction on a file of its own, beside the
 * segments. The kernel lets go of its lock when the process ends, however it ends; the file that
 * stays behind says nothing.
 */
export class CompactionLock {
  readonly #db: SqliteDatabase;

  private constructor(db: SqliteDatabase) {
    this.#db = db;
  }

  /**
   * Takes the lock, whose file is that of the store's owner. Throws `Fault` `storage_busy`,
   * retryable, while another has it.
   */
  static take(file: string, store: string): CompactionLock {
    createEmpty(file, store);
    const db = new (loadSqlite())(file, { timeout: 0, fileMustExist: true });
    try {
      // Nothing is ever written: no file of a rollback is left behind by whoever dies.
      db.pragma("journal_mode = MEMORY");
      db.exec("BEGIN EXCLUSIVE");
      return new CompactionLock(db);
    } catch (error) {
      db.close();
      if (codeOf(error) !== "SQLITE_BUSY") throw error;
      const message = "nobody else must compact this journal, another does: wait until it is done";
      throw new Fault("storage_busy", message, { retryable: true, cause: error });
    }
  }

  /** Lets go. */
  release(): void {
    this.#db.close();
  }
}

/**
 * Creates the file before SQLite would, for its mode. One that is there is not opened: closing a
 * descriptor of it would drop the locks that this process holds on it.
 */
function createEmpty(file: string, store: string): void {
  try {
    const descriptor = openSync(file, "wx", 0o600);
    giveToOwnerOf(store, descriptor);
    closeSync(descriptor);
  } catch (error) {
    // Another process was first.
    if (codeOf(error) !== "EEXIST") throw error;
  }
}
