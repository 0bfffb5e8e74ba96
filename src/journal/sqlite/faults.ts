import { Fault } from "../../ports/fault.ts";
import {
  asStorageFault,
  isBrokenDatabase,
  isIndexWithoutRoom,
} from "../../system/storage-fault.ts";

/**
 * The {@link Fault} for an error met while working on a journal; other errors pass unchanged, as a
 * decision's own do. `doing` completes "while …". A broken database is `journal_corrupt`.
 */
export function asJournalFault(error: unknown, doing: string): unknown {
  if (!isBrokenDatabase(error)) return asStorageFault(error, doing);
  return brokenJournal(error, doing);
}

/** The {@link Fault} for a database that shows itself broken while `doing`. */
export function brokenJournal(error: unknown, doing: string): Fault {
  const reason = error instanceof Error ? error.message : String(error);
  const message = `the journal's database must be whole while ${doing}, got: ${reason}`;
  return new Fault("journal_corrupt", message, { cause: error });
}

/**
 * The {@link Fault} for an error that COMMIT gave.
 *
 * Without room or without the lock nothing was written. After any other error, one of the log's
 * index included, the commit may be in the write-ahead log all the same and show at the next
 * recovery: `append_unknown`.
 */
export function asCommitFault(error: unknown): unknown {
  const fault = asJournalFault(error, "committing entries");
  if (!(fault instanceof Fault)) return fault;
  const isLogWithoutRoom = fault.code === "storage_full" && !isIndexWithoutRoom(error);
  if (isLogWithoutRoom || fault.code === "storage_busy") return fault;
  return new Fault(
    "append_unknown",
    `entries must be durable or known not to be, the commit failed: ${fault.message}`,
    { retryable: true, cause: error },
  );
}
