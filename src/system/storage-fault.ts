import { codeOf } from "../ports/error-code.ts";
import { Fault } from "../ports/fault.ts";

/**
 * The {@link Fault} for an error of SQLite or of the file system, or the error itself when it is
 * neither, because then it is a bug. `doing` completes "while …".
 *
 * `storage_busy` is retryable. A broken file is `storage_failed` here; stores that know what a
 * broken file means for them ask {@link isBrokenDatabase} first.
 */
export function asStorageFault(error: unknown, doing: string): unknown {
  if (error instanceof Fault) return error;
  const code = errorCode(error);
  if (code === undefined) return error;
  const message = `storage must work while ${doing}, got ${code}: ${(error as Error).message}`;
  if (/^SQLITE_(BUSY|LOCKED)/.test(code)) {
    return new Fault("storage_busy", message, { retryable: true, cause: error });
  }
  if (/^(SQLITE_FULL|ENOSPC|EDQUOT)/.test(code) || code === INDEX_WITHOUT_ROOM) {
    return new Fault("storage_full", message, { cause: error });
  }
  return new Fault("storage_failed", message, { cause: error });
}

/** Whether SQLite says that the file is damaged or no database at all. */
export function isBrokenDatabase(error: unknown): boolean {
  return /^SQLITE_(CORRUPT|NOTADB)/.test(errorCode(error) ?? "");
}

/** What SQLite says when the index of a write-ahead log cannot grow, as when a disk is full. */
const INDEX_WITHOUT_ROOM = "SQLITE_IOERR_SHMSIZE";

/** Whether SQLite found no room for the index of its log; what is in the log may count already. */
export function isIndexWithoutRoom(error: unknown): boolean {
  return errorCode(error) === INDEX_WITHOUT_ROOM;
}

/** The code of an error of SQLite or of the operating system, undefined for any other value. */
function errorCode(error: unknown): string | undefined {
  const code = codeOf(error);
  return /^(SQLITE_|E[A-Z0-9]+$)/.test(code) ? code : undefined;
}
