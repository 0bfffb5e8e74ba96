import { expect, test } from "vitest";
import { asCommitFault } from "../../src/journal/sqlite/faults.ts";

test.each([
  // Nothing was written.
  ["SQLITE_FULL", "storage_full"],
  ["SQLITE_BUSY", "storage_busy"],
  // The log may hold the commit: its index comes after it.
  ["SQLITE_IOERR_SHMSIZE", "append_unknown"],
  ["SQLITE_IOERR_WRITE", "append_unknown"],
])("[JN29] a COMMIT that fails with %s is %s", (code, expected) => {
  const error = Object.assign(new Error("no luck"), { code });
  expect(asCommitFault(error)).toMatchObject({ name: "Fault", code: expected });
});
