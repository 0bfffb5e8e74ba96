import { expect, test } from "vitest";
import { Fault } from "../../src/ports/fault.ts";
import { asStorageFault, isBrokenDatabase } from "../../src/system/storage-fault.ts";

test.each([
  ["SQLITE_BUSY", "storage_busy", true],
  ["SQLITE_BUSY_SNAPSHOT", "storage_busy", true],
  ["SQLITE_LOCKED", "storage_busy", true],
  ["SQLITE_FULL", "storage_full", false],
  ["ENOSPC", "storage_full", false],
  ["EDQUOT", "storage_full", false],
  ["SQLITE_IOERR_SHMSIZE", "storage_full", false],
  ["SQLITE_CORRUPT_INDEX", "storage_failed", false],
  ["SQLITE_IOERR_READ", "storage_failed", false],
  ["EACCES", "storage_failed", false],
])("[SY15] the error %s is the fault %s, retryable: %s", (code, expected, retryable) => {
  const error = Object.assign(new Error("no luck"), { code });
  const fault = asStorageFault(error, "writing");
  expect(fault).toMatchObject({ code: expected, retryable, cause: error });
  expect((fault as Fault).message).toBe(`storage must work while writing, got ${code}: no luck`);
});

test("[SY15] an error that is not of the storage stays what it is", () => {
  const bugs = [
    new TypeError("x is not a function"),
    Object.assign(new Error("bad"), { code: "ERR_INVALID_ARG_TYPE" }),
    "text",
    undefined,
  ];
  for (const bug of bugs) expect(asStorageFault(bug, "writing")).toBe(bug);
  const fault = new Fault("closed", "closed");
  expect(asStorageFault(fault, "writing")).toBe(fault);
});

test("[SY15] only damage counts as a broken database", () => {
  const errorOf = (code: string): Error => Object.assign(new Error("no luck"), { code });
  expect(isBrokenDatabase(errorOf("SQLITE_CORRUPT_VTAB"))).toBe(true);
  expect(isBrokenDatabase(errorOf("SQLITE_NOTADB"))).toBe(true);
  expect(isBrokenDatabase(errorOf("SQLITE_BUSY"))).toBe(false);
  expect(isBrokenDatabase(new Error("no luck"))).toBe(false);
});
