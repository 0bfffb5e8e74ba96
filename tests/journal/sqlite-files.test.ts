import { createHash } from "node:crypto";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { hashOf } from "../../src/journal/chain.ts";
import { HeadFile } from "../../src/journal/sqlite/head-file.ts";
import { refuseNetworkFileSystem } from "../../src/journal/sqlite/network-file-system.ts";
import { openSqliteJournal, type SqliteJournalOptions } from "../../src/journal/sqlite/open.ts";
import {
  GENESIS,
  type AppendOptions,
  type Journal,
  type Remembered,
} from "../../src/ports/journal.ts";
import { loadSqlite } from "../../src/system/sqlite-library.ts";
import { FakeClock } from "../../src/testing/fake-clock.ts";
import { appendNotes, noteDraft } from "../../src/testing/journal/case.ts";
import { freshFolder } from "./fixtures/folder.ts";
import { DATABASE, HEAD_FILE, LOG } from "./fixtures/image.ts";

const clock = new FakeClock();

async function open(folder: string, options: Partial<SqliteJournalOptions> = {}): Promise<Journal> {
  const journal = await openSqliteJournal({ folder, clock, ...options });
  onTestFinished(() => journal.close());
  return journal;
}

/** A folder with a journal of some notes that nobody has open. */
async function filled(count = 3): Promise<string> {
  const folder = freshFolder();
  const journal = await openSqliteJournal({ folder, clock });
  await appendNotes(journal, count);
  await journal.close();
  return folder;
}

function digestOf(path: string): string {
  return createHash("sha256").update(readFileSync(path)).digest("hex");
}

test("[JN1] a journal that is opened again goes on where it ended", async () => {
  const folder = await filled(3);
  const journal = await open(folder);
  const before = await journal.read(GENESIS, 10);
  expect(before.map((entry) => entry.seq)).toEqual([1, 2, 3]);
  const another = await open(folder);
  const outcome = await another.append(await another.head(), () => []);
  expect(outcome.kind).toBe("appended");
  expect(await journal.head()).toEqual({ seq: 3, hash: before[2]?.hash });
});

test("[CK2, CK4, CK9] journal time goes on in the next process", async () => {
  const host = new FakeClock();
  const timeOf = async (options: AppendOptions = {}): Promise<number> => {
    const journal = await openSqliteJournal({ folder, clock: host });
    try {
      const head = await journal.head();
      const drafts = [noteDraft(`c-${head.seq}`, "tick")];
      const outcome = await journal.append(head, () => drafts, options);
      return outcome.kind === "appended" ? outcome.atMs : 0;
    } finally {
      await journal.close();
    }
  };
  const folder = freshFolder();
  const startMs = await timeOf();
  host.advance(1_000);
  host.stepWall(-3_000);
  expect(await timeOf()).toBe(startMs + 1_000);
  // Three seconds were tolerated, three more are not: the anchor stays where it was.
  host.stepWall(-3_000);
  await expect(timeOf()).rejects.toMatchObject({ code: "clock_skew" });
  expect(await timeOf({ acceptsClock: true })).toBe(startMs + 1_000);
  host.reboot("next", 60_000);
  expect(await timeOf()).toBe(startMs + 1_000 - 6_000 + 60_000);
});

test("[JN27] files are for their owner alone, and so is a folder that is made", async () => {
  const folder = join(freshFolder(), "a", "b");
  const before = process.umask(0);
  onTestFinished(() => void process.umask(before));
  const journal = await open(folder);
  await appendNotes(journal, 1);
  expect(statSync(folder).mode & 0o777).toBe(0o700);
  for (const name of [DATABASE, LOG, `${DATABASE}-shm`, HEAD_FILE]) {
    expect([name, statSync(join(folder, name)).mode & 0o777]).toEqual([name, 0o600]);
  }
});

test("[JN27] a folder that is there keeps its mode", async () => {
  const folder = freshFolder();
  chmodSync(folder, 0o755);
  await open(folder);
  expect(statSync(folder).mode & 0o777).toBe(0o755);
});

test.each([
  ["head file", [DATABASE, LOG, `${DATABASE}-shm`]],
  ["write-ahead log", [DATABASE, HEAD_FILE]],
])("[JN21] a database that is gone is journal_missing while its %s stays", async (_, gone) => {
  const folder = freshFolder();
  const journal = await open(folder);
  await appendNotes(journal, 2);
  const copy = freshFolder();
  cpSync(folder, copy, { recursive: true });
  for (const name of gone) rmSync(join(copy, name), { force: true });
  for (const _again of [1, 2]) {
    await expect(open(copy)).rejects.toMatchObject({ code: "journal_missing" });
  }
  expect(existsSync(join(copy, DATABASE))).toBe(false);
});

test("[JN21] without leave to create, no journal is journal_missing", async () => {
  const folder = freshFolder();
  const none = join(folder, "none");
  for (const where of [folder, none]) {
    await expect(open(where, { create: false })).rejects.toMatchObject({ code: "journal_missing" });
  }
  expect(existsSync(none)).toBe(false);
  expect(existsSync(join(folder, DATABASE))).toBe(false);
  await (await open(folder)).close();
  await open(folder, { create: false });
});

test("[JN19] an emptied database is journal_truncated", async () => {
  const folder = await filled();
  writeFileSync(join(folder, DATABASE), "");
  await expect(open(folder)).rejects.toMatchObject({ code: "journal_truncated" });
  expect(statSync(join(folder, DATABASE)).size).toBe(0);
});

test.each<[string, (path: string) => void]>([
  ["a folder", (path) => mkdirSync(path)],
  ["garbage", (path) => writeFileSync(path, "not a database ".repeat(1_000))],
  ["somebody else's database", makeForeign],
])(
  "[JN22] %s in the place of the database is journal_corrupt and is left alone",
  async (_, make) => {
    const folder = await filled();
    const path = join(folder, DATABASE);
    rmSync(path);
    make(path);
    const before = statSync(path).isFile() ? digestOf(path) : "";
    await expect(open(folder)).rejects.toMatchObject({ code: "journal_corrupt" });
    rmSync(join(folder, HEAD_FILE));
    await expect(open(folder)).rejects.toMatchObject({ code: "journal_corrupt" });
    expect(statSync(path).isFile() ? digestOf(path) : "").toBe(before);
  },
);

function makeForeign(path: string): void {
  const db = new (loadSqlite())(path);
  db.exec("CREATE TABLE entries (seq INTEGER PRIMARY KEY, text TEXT)");
  db.close();
}

test.each([
  "CREATE TRIGGER forget AFTER INSERT ON entry_rows BEGIN DELETE FROM entry_rows; END",
  "DROP INDEX entries_subject; CREATE INDEX entries_subject ON entry_rows (hash)",
])("[JN22] a journal whose tables were changed is journal_corrupt: %s", async (change) => {
  const folder = await filled();
  const db = new (loadSqlite())(join(folder, DATABASE));
  db.exec(change);
  db.close();
  await expect(open(folder)).rejects.toMatchObject({ code: "journal_corrupt" });
});

test("[JN23] a database of a newer schema is journal_newer", async () => {
  const folder = await filled();
  const db = new (loadSqlite())(join(folder, DATABASE));
  db.pragma("user_version = 3");
  db.close();
  await expect(open(folder)).rejects.toMatchObject({ code: "journal_newer" });
});

test("[JN28] a database that may not be read is storage_failed", async () => {
  const folder = await filled();
  const path = join(folder, DATABASE);
  chmodSync(path, 0o000);
  chmodSync(folder, 0o755);
  // Root may read everything; then another user tries.
  const isRoot = process.geteuid?.() === 0;
  if (isRoot) process.seteuid?.(65_534);
  try {
    await expect(open(folder)).rejects.toMatchObject({ code: "storage_failed" });
  } finally {
    if (isRoot) process.seteuid?.(0);
  }
});

test.each([
  ["NFS", 0x6969],
  ["CIFS", 0xff534d42],
  ["CIFS", -0xacb2be],
  ["SMB2", 0xfe534d42],
  ["9P", 0x01021997],
  ["Ceph", 0x00c36400],
])("[JN26] a folder on %s is refused", (name, type) => {
  const refuse = (): void => refuseNetworkFileSystem("/net/state", () => type);
  expect(refuse).toThrow(expect.objectContaining({ code: "network_filesystem" }));
  expect(refuse).toThrow(`/net/state is on ${name}`);
});

test("[JN26] a folder on a local file system is taken", () => {
  expect(() => refuseNetworkFileSystem(freshFolder())).not.toThrow();
  for (const type of [0xef53, 0x01021994, 0x58465342, 0x9123683e, 0x794c7630]) {
    expect(() => refuseNetworkFileSystem("/state", () => type)).not.toThrow();
  }
});

test.each([
  ["deleted", LOG, (path: string) => rmSync(path)],
  ["deleted", DATABASE, (path: string) => rmSync(path)],
  ["replaced", LOG, replace],
  ["replaced", DATABASE, replace],
])("[JN34] an open journal whose file is %s is journal_missing: %s", async (_, name, take) => {
  for (const quietMs of [0, 150]) {
    const folder = freshFolder();
    const journal = await open(folder);
    await appendNotes(journal, 2);
    // From a while after its last change on, only the folder is looked at.
    await pause(quietMs);
    const head = await journal.head();
    take(join(folder, name));
    const missing = { code: "journal_missing" };
    await expect(journal.append(head, () => [])).rejects.toMatchObject(missing);
    await expect(journal.head()).rejects.toMatchObject(missing);
    await expect(journal.read(GENESIS, 1)).rejects.toMatchObject(missing);
  }
});

function replace(path: string): void {
  cpSync(path, `${path}.copy`);
  renameSync(`${path}.copy`, path);
}

test("[JN24] a head file that cannot be written fails no append, and is told of", async () => {
  const folder = freshFolder();
  const warnings: unknown[] = [];
  const log = { info: () => undefined, warn: (_: string, facts: unknown) => warnings.push(facts) };
  const journal = await open(folder, { log });
  const head = join(folder, HEAD_FILE);
  rmSync(head);
  mkdirSync(head);
  await appendNotes(journal, 2);
  expect(warnings.length).toBeGreaterThan(1);
  expect(warnings[0]).toMatchObject({ file: head });
  expect((await journal.head()).seq).toBe(2);
});

test("[JN24] a head file that is deleted is made again by the next append", async () => {
  const folder = freshFolder();
  const journal = await open(folder);
  rmSync(join(folder, HEAD_FILE));
  const [, newest] = await appendNotes(journal, 2);
  expect(readFileSync(join(folder, HEAD_FILE), "latin1")).toContain(newest?.hash);
});

test("[JN19] a database behind what a process has seen is truncated for it", async () => {
  const folder = freshFolder();
  const journal = await open(folder);
  const [, second] = await appendNotes(journal, 3);
  const db = new (loadSqlite())(join(folder, DATABASE));
  db.exec("DELETE FROM entry_rows WHERE seq = 3");
  db.close();
  // Whoever cuts the journal may well put the head file right.
  rmSync(join(folder, HEAD_FILE));
  new HeadFile(join(folder, HEAD_FILE), () => ({ ...(second ?? GENESIS), epoch: 0 })).close();
  await expect(journal.head()).rejects.toMatchObject({
    code: "journal_truncated",
    message: expect.stringContaining("which this process has seen") as string,
  });
  await expect(journal.append(second ?? GENESIS, () => [])).rejects.toMatchObject({
    code: "journal_truncated",
  });
});

test("[JN19] the head file keeps the newest head, and the one before it", () => {
  const path = join(freshFolder(), HEAD_FILE);
  const headAt = (seq: number): Remembered => {
    return { seq, hash: String(seq % 10).repeat(64), epoch: seq % 3 };
  };
  const genesis = { ...GENESIS, epoch: 0 };
  const file = new HeadFile(path, () => genesis);
  onTestFinished(() => file.close());
  expect(file.read()).toEqual(genesis);
  for (const seq of [2, 4, 6]) file.write(headAt(seq));
  // A writer that was overtaken between its commit and now comes late.
  for (const seq of [5, 6, 1]) file.write({ ...headAt(seq), hash: "f".repeat(64) });
  expect(file.read()).toEqual(headAt(6));
  const lines = readFileSync(path, "latin1");
  writeFileSync(path, lines.replace("6".repeat(64), "7".repeat(64)), { flag: "r+" });
  expect(file.read()).toEqual(headAt(4));
  file.write(headAt(6));
  expect(file.read()).toEqual(headAt(6));
  const another = new HeadFile(path, () => headAt(9));
  expect(another.read()).toEqual(headAt(6));
  another.close();
});

test("[JN38] a head file of before epochs is read, and goes on in the new form", () => {
  const path = join(freshFolder(), HEAD_FILE);
  const lineOf = (words: string): string =>
    `${`${words} ${hashOf(words).slice(0, 16)}`.padEnd(127)}\n`;
  const [old, before] = ["8", "7"].map((digit) => `${digit.padStart(16, "0")} ${digit.repeat(64)}`);
  writeFileSync(path, lineOf(old ?? "") + lineOf(before ?? ""));
  const genesis = { ...GENESIS, epoch: 0 };
  const file = new HeadFile(path, () => genesis);
  onTestFinished(() => file.close());
  expect(file.read()).toEqual({ seq: 8, hash: "8".repeat(64), epoch: null });
  const next = { seq: 9, hash: "9".repeat(64), epoch: 12 };
  file.write(next);
  expect(file.read()).toEqual(next);
  expect(readFileSync(path, "latin1")).toContain(` ${"9".repeat(64)} 0012 `);
  // The sum is over the epoch too.
  const text = readFileSync(path, "latin1");
  writeFileSync(path, text.replace(" 0012 ", " 0011 "), { flag: "r+" });
  expect(file.read()).toMatchObject({ seq: 8, epoch: null });
});

test("[JN20] a head file without one line that can be read is journal_corrupt", async () => {
  const folder = await filled();
  writeFileSync(join(folder, HEAD_FILE), "x".repeat(256));
  await expect(open(folder)).rejects.toMatchObject({ code: "journal_corrupt" });
});

test("[JN19] a database behind its head file is truncated, also while it is open", async () => {
  const folder = await filled(2);
  const journal = await open(folder);
  const head = await journal.head();
  const ahead = `${String(head.seq + 1).padStart(16, "0")} ${"a".repeat(64)}`;
  const line = `${ahead} ${hashOf(ahead).slice(0, 16)}`.padEnd(127);
  writeFileSync(join(folder, HEAD_FILE), `${line}\n${line}\n`, { flag: "r+" });
  await expect(journal.head()).rejects.toMatchObject({ code: "journal_truncated" });
  await expect(journal.append(head, () => [])).rejects.toMatchObject({ code: "journal_truncated" });
  await expect(open(folder)).rejects.toMatchObject({ code: "journal_truncated" });
});
