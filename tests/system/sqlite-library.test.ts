import { expect, test } from "vitest";
import { Fault } from "../../src/ports/fault.ts";
import { demandNode } from "../../src/system/node-version.ts";
import { demandSqlite, loadSqlite } from "../../src/system/sqlite-library.ts";

test("[SY14] this Node and the SQLite of this package are new enough", () => {
  expect(loadSqlite()).toBe(loadSqlite());
});

test.each(["20.19.5", "22.17.9", "22", "9.99.99"])("[SY14] Node %s is refused", (version) => {
  const message = `Node must be 22.18 or newer, got ${version}`;
  expect(() => demandNode(version)).toThrow(new Fault("sqlite_unsupported", message));
});

test.each(["22.18.0", "24.0.0", "24.21.0"])("[SY14] Node %s is accepted", (version) => {
  expect(() => demandNode(version)).not.toThrow();
});

test.each(["3.51.2", "3.50.9", "2.99.99", "3.9.0"])("[SY14] SQLite %s is refused", (version) => {
  const message = `SQLite must be 3.51.3 or newer, got ${version}`;
  expect(() => demandSqlite(version)).toThrow(new Fault("sqlite_unsupported", message));
});

test.each(["3.51.3", "3.52.0", "4.0.0"])("[SY14] SQLite %s is accepted", (version) => {
  expect(() => demandSqlite(version)).not.toThrow();
});
