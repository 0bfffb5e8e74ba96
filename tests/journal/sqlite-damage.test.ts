import { createHash, randomInt } from "node:crypto";
import { copyFileSync, existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openSqliteJournal } from "../../src/journal/sqlite/open.ts";
import { GENESIS, type Journal } from "../../src/ports/journal.ts";
import { systemClock } from "../../src/system/clock.ts";
import { loadSqlite } from "../../src/system/sqlite-library.ts";
import { seededRandom } from "../../src/testing/seeded-random.ts";
import { Child } from "./fixtures/child.ts";
import { flip, flipBits } from "./fixtures/flips.ts";
import {
  bendFile,
  copyOf,
  DATABASE,
  examine,
  HEAD_FILE,
  LOG,
  makeClosedImage,
  makeKilledImage,
  type Image,
} from "./fixtures/image.ts";

const APPENDER = new URL("./fixtures/appender.ts", import.meta.url);
const PAGE_BYTES = 4_096;
const FLIPS = 80;

/** Of a journal whose writer was killed, and the same one closed in order. */
let killed: Image;
let closed: Image;

beforeAll(async () => {
  killed = await makeKilledImage();
  closed = await makeClosedImage(killed);
});

afterAll(() => {
  for (const { folder } of [killed, closed]) rmSync(folder, { recursive: true });
});

function open(folder: string): Promise<Journal> {
  return openSqliteJournal({ folder, clock: systemClock() });
}

test("[JN18] a flipped bit of the database is a fault or changes nothing", async () => {
  expect(existsSync(join(closed.folder, LOG))).toBe(false);
  const random = seededRandom(randomInt(2 ** 32));
  const tally = await flipBits(closed, DATABASE, { count: FLIPS, random });
  // Most of the file is entries and indices: flips there cannot all be harmless.
  expect(tally["journal_corrupt"]).toBeGreaterThan(5);
}, 60_000);

test("[JN18] a flipped bit of the write-ahead log is a fault or changes nothing", async () => {
  const random = seededRandom(randomInt(2 ** 32));
  const tally = await flipBits(killed, LOG, { count: FLIPS, random });
  // A frame that is broken ends the log: the head file knows better.
  expect(tally["journal_truncated"]).toBeGreaterThan(5);
}, 60_000);

test("[JN18] a flipped bit of the head file changes nothing", async () => {
  const random = seededRandom(randomInt(2 ** 32));
  expect(await flipBits(killed, HEAD_FILE, { count: 20, random })).toEqual({ whole: 20 });
});

test("[JN5] a flipped bit in an entry's text names the entry", async () => {
  const folder = copyOf(closed.folder);
  const text = closed.stored[9]?.text ?? "";
  bendFile(folder, DATABASE, (bytes) => flip(bytes, bytes.indexOf(text) + 50, 0));
  const journal = await open(folder);
  await expect(journal.read(GENESIS, 100)).rejects.toMatchObject({
    code: "journal_corrupt",
    message: expect.stringContaining("entry 10 must hash to") as string,
  });
  await expect(journal.about("w-old", 100)).rejects.toMatchObject({ code: "journal_corrupt" });
  await journal.close();
});

test("[JN33] an index that lacks an entry is found by an inspection", async () => {
  const folder = copyOf(closed.folder);
  const db = new (loadSqlite())(join(folder, DATABASE));
  db.unsafeMode(true).pragma("writable_schema = ON");
  const index = "SELECT sql FROM sqlite_schema WHERE name = 'entries_command'";
  const sql = db.prepare<[], string>(index).pluck().get();
  db.prepare("UPDATE sqlite_schema SET sql = replace(sql, 'NOT NULL', 'NULL') WHERE sql = ?").run(
    sql,
  );
  db.close();
  // Rebuilt under the other text the index is empty; then the old text is put back.
  const again = new (loadSqlite())(join(folder, DATABASE));
  again.exec("REINDEX entries_command");
  again.unsafeMode(true).pragma("writable_schema = ON");
  again.prepare("UPDATE sqlite_schema SET sql = ? WHERE name = 'entries_command'").run(sql);
  again.close();

  const journal = await open(folder);
  expect(await journal.recall(closed.commandIds[0] ?? "")).toBeUndefined();
  await expect(journal.inspect()).rejects.toMatchObject({
    code: "journal_corrupt",
    message: expect.stringContaining("entries_command") as string,
  });
  await journal.close();
});

test("[JN10] a snapshot that is no longer what was kept is journal_corrupt", async () => {
  const folder = copyOf(closed.folder);
  const journal = await open(folder);
  const state = '{"marked":"by this text"}';
  const stateHash = createHash("sha256").update(state).digest("hex");
  await journal.saveSnapshot({ ...closed.head, rules: 1, state, stateHash });
  await journal.close();
  bendFile(folder, DATABASE, (bytes) => flip(bytes, bytes.indexOf("by this text"), 1));
  const again = await open(folder);
  await expect(again.snapshots()).rejects.toMatchObject({ code: "journal_corrupt" });
  await expect(again.inspect()).rejects.toMatchObject({ code: "journal_corrupt" });
  await again.close();
});

test.each([
  ["with the shared memory file", [LOG]],
  ["without it", [LOG, `${DATABASE}-shm`]],
])("[JN19] a deleted write-ahead log is journal_truncated, %s", async (_, deleted) => {
  expect(await examine(copyOf(killed.folder, deleted), killed)).toBe("journal_truncated");
  expect(await examine(copyOf(killed.folder), killed)).toBe("whole");
});

test("[JN19] a write-ahead log cut anywhere is journal_truncated", async () => {
  const size = readFileSync(join(killed.folder, LOG)).length;
  for (const length of [0, 20, 32, 32 + 24 + PAGE_BYTES, size >> 1, size - PAGE_BYTES, size - 1]) {
    const copy = copyOf(killed.folder);
    bendFile(copy, LOG, (bytes) => bytes.subarray(0, length));
    expect([length, await examine(copy, killed)]).toEqual([length, "journal_truncated"]);
  }
});

test("[JN19] a database cut anywhere is a fault", async () => {
  const size = readFileSync(join(closed.folder, DATABASE)).length;
  const pages = Array.from({ length: size / PAGE_BYTES }, (_, index) => index * PAGE_BYTES);
  for (const length of [...pages, 1, 100, size - 1]) {
    const copy = copyOf(closed.folder);
    bendFile(copy, DATABASE, (bytes) => bytes.subarray(0, length));
    const outcome = await examine(copy, closed);
    expect(`cut to ${length}: ${outcome}`).toMatch(/journal_(corrupt|truncated)/);
  }
});

test("[JN19] an older copy of the database is journal_truncated", async () => {
  const newer = copyOf(closed.folder);
  expect(await new Child(APPENDER, [newer, "more", "2"]).end()).toBe(0);
  const mixed = copyOf(closed.folder);
  copyFileSync(join(newer, HEAD_FILE), join(mixed, HEAD_FILE));
  expect(await examine(mixed, closed)).toBe("journal_truncated");
});

test("[JN20] a database of another history is journal_forked", async () => {
  for (const count of ["1", "3"]) {
    const mine = copyOf(closed.folder);
    const theirs = copyOf(closed.folder);
    expect(await new Child(APPENDER, [mine, "mine", "1"]).end()).toBe(0);
    expect(await new Child(APPENDER, [theirs, "theirs", count]).end()).toBe(0);
    copyFileSync(join(mine, HEAD_FILE), join(theirs, HEAD_FILE));
    expect([count, await examine(theirs, closed)]).toEqual([count, "journal_forked"]);
  }
});

test("[JN35] a broken write-ahead log is copied aside before it is folded away", async () => {
  const copy = copyOf(killed.folder);
  const size = readFileSync(join(copy, LOG)).length;
  bendFile(copy, LOG, (bytes) => flip(bytes, 100, 3));
  const broken = readFileSync(join(copy, LOG));
  for (const _ of [1, 2]) {
    await expect(open(copy)).rejects.toMatchObject({ code: "journal_truncated" });
  }
  const kept = readFileSync(join(copy, `${LOG}.broken`));
  expect(kept).toHaveLength(size);
  expect(kept.equals(broken)).toBe(true);
});
