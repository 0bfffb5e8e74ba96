import {
  cpSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { entriesIn, findSegments, unread } from "../../src/journal/archive/restoring.ts";
import { openSqliteJournal } from "../../src/journal/sqlite/open.ts";
import { verifyJournal } from "../../src/journal/verify.ts";
import {
  GENESIS,
  type Draft,
  type Head,
  type Journal,
  type StoredEntry,
} from "../../src/ports/journal.ts";
import { codeOf } from "../../src/ports/error-code.ts";
import { SILENT, type Log } from "../../src/ports/log.ts";
import { systemClock } from "../../src/system/clock.ts";
import { loadSqlite } from "../../src/system/sqlite-library.ts";
import { appendAll, appendNotes, noteDraft } from "../../src/testing/journal/case.ts";
import { seededRandom } from "../../src/testing/seeded-random.ts";
import { bringToFirstForm } from "./fixtures/first-form.ts";
import { flip } from "./fixtures/flips.ts";
import { freshFolder } from "./fixtures/folder.ts";
import { DATABASE, HEAD_FILE } from "./fixtures/image.ts";
import { fillNotes, keepSnapshot, readAll } from "./fixtures/noted.ts";

async function open(folder: string, log?: Log): Promise<Journal> {
  const given = log === undefined ? {} : { log };
  const journal = await openSqliteJournal({ folder, clock: systemClock(), ...given });
  onTestFinished(() => journal.close());
  return journal;
}

/** The code that something fails with; "" where it does not. */
async function codeFrom(asked: Promise<unknown>): Promise<string> {
  return asked.then(() => "", codeOf);
}

const verifySignature = (): boolean => false;

/** A folder with a journal of 60 notes, of which 40 are in two segments. */
async function compacted(): Promise<Awaited<ReturnType<typeof fillNotes>>> {
  const noted = await fillNotes(freshFolder(), 60);
  const journal = await open(noted.folder);
  await journal.compact({ untilSeq: noted.untilSeq, segmentEntriesMax: 20 });
  await journal.close();
  return noted;
}

function segmentsIn(folder: string): string[] {
  const names = readdirSync(join(folder, "segments")).filter((name) => name.endsWith(".jsonl"));
  return names.toSorted().map((name) => join(folder, "segments", name));
}

test("[CO15] without a segment all goes on but what needs it, which is told", async () => {
  const { folder, stored } = await compacted();
  const [, second = ""] = segmentsIn(folder);
  renameSync(second, `${second}.away`);
  const journal = await open(folder);
  const message = `${second} must hold the entries 21 to 40, it is missing: put the file back`;
  const broken = { code: "archive_broken", message: expect.stringContaining(message) as string };
  for (const asked of [
    () => journal.read({ seq: 20, hash: stored[19]?.hash ?? "" }, 50),
    () => journal.readStored(25, 1),
    () => journal.recall("c-25"),
    () => journal.about("w-aaaaaaaaaaaaaaaa", 30),
    () => journal.inspect(),
    () => verifyJournal(journal, { verifySignature }),
  ])
    await expect(asked()).rejects.toMatchObject(broken);
  expect(await journal.readStored(0, 20)).toEqual(stored.slice(0, 20));
  expect(await journal.readStored(40, 50)).toEqual(stored.slice(40));
  await appendAll(journal, [noteDraft("c-on", "goes on")]);
  expect(await journal.about("w-aaaaaaaaaaaaaaaa", 21)).toHaveLength(21);
  renameSync(`${second}.away`, second);
  expect((await readAll(journal)).slice(0, 60)).toEqual(stored);
  await journal.inspect();
});

test("[CO16] no changed byte of a segment changes an answer (leases H39)", async () => {
  const { folder, stored } = await compacted();
  const seed = Date.now();
  const random = seededRandom(seed);
  for (const path of segmentsIn(folder)) {
    const whole = readFileSync(path);
    for (let count = 0; count < 40; count += 1) {
      const bent = Buffer.from(whole);
      const at = random.below(bent.length);
      bent.writeUInt8(bent.readUInt8(at) ^ (1 << random.below(8)), at);
      writeFileSync(path, bent);
      const journal = await openSqliteJournal({ folder, clock: systemClock() });
      const where = `seed ${seed}, byte ${at} of ${path}`;
      expect([where, await codeFrom(journal.inspect())]).toEqual([where, "archive_broken"]);
      const read = await readAll(journal).catch(codeOf);
      expect([where, read === "archive_broken" ? stored : read]).toEqual([where, stored]);
      await journal.close();
    }
    writeFileSync(path, whole);
  }
});

test("[CO16] a segment that is cut, longer or another's is archive_broken", async () => {
  const { folder, stored } = await compacted();
  const [first = "", second = ""] = segmentsIn(folder);
  const whole = readFileSync(first);
  const other = await fillNotes(freshFolder(), 60, 41);
  const journal = await open(other.folder);
  await journal.compact({ untilSeq: 40, segmentEntriesMax: 20 });
  const changes: readonly (() => void)[] = [
    () => truncateSync(first, whole.length - 1),
    () => truncateSync(first, 0),
    () => writeFileSync(first, `${whole.toString()}\n`),
    () => cpSync(second, first),
    () => cpSync(segmentsIn(other.folder)[0] ?? "", first),
  ];
  for (const change of changes) {
    change();
    const bent = await openSqliteJournal({ folder, clock: systemClock() });
    expect([change, await codeFrom(bent.inspect())]).toEqual([change, "archive_broken"]);
    expect([change, await codeFrom(bent.readStored(0, 5))]).toEqual([change, "archive_broken"]);
    expect(await bent.readStored(20, 50)).toEqual(stored.slice(20));
    await bent.close();
    writeFileSync(first, whole);
  }
});

test("[CO16] no changed bit of a compacted store changes an answer (leases H39)", async () => {
  const { folder, stored } = await compacted();
  const whole = readFileSync(join(folder, DATABASE));
  const seed = Date.now();
  const random = seededRandom(seed);
  let faultCount = 0;
  for (let count = 0; count < 80; count += 1) {
    const copy = freshFolder();
    cpSync(folder, copy, { recursive: true });
    const [at, bit] = [random.below(whole.length), random.below(8)];
    writeFileSync(join(copy, DATABASE), flip(Buffer.from(whole), at, bit));
    const answered = await answersOf(copy).catch(codeOf);
    const isFault = typeof answered === "string" && /^(journal|archive|storage)_/.test(answered);
    faultCount += isFault ? 1 : 0;
    const where = `seed ${seed}, bit ${bit} of byte ${at}`;
    expect([where, isFault ? stored : answered]).toEqual([where, stored]);
  }
  expect(faultCount).toBeGreaterThan(0);
});

/** All entries of a journal, as reading, its commands and verification agree on them. */
async function answersOf(folder: string): Promise<unknown> {
  const journal = await openSqliteJournal({ folder, clock: systemClock() });
  try {
    await verifyJournal(journal, { verifySignature });
    await journal.segments();
    return await readAll(journal);
  } finally {
    await journal.close();
  }
}

test("[CO16] a row that says a wrong place is found", async () => {
  const { folder } = await compacted();
  const db = new (loadSqlite())(join(folder, DATABASE));
  for (const [text, code] of [
    ["@150+300", "archive_broken"],
    ["@0+999999999", "archive_broken"],
    ["@0", "journal_corrupt"],
    ["", "journal_corrupt"],
  ] as const) {
    db.prepare("UPDATE entry_rows SET text = ? WHERE seq = 7").run(text);
    const journal = await openSqliteJournal({ folder, clock: systemClock() });
    expect([text, await codeFrom(journal.recall("c-6"))]).toEqual([text, code]);
    expect([text, await codeFrom(journal.inspect())]).toEqual([text, "journal_corrupt"]);
    await journal.close();
  }
  db.prepare("UPDATE segments SET text = replace(text, '\"epoch\":0', '\"epoch\":1')").run();
  db.close();
  const journal = await open(folder);
  await expect(journal.segments()).rejects.toMatchObject({ code: "journal_corrupt" });
});

test("[CO17] a segment of another history is set aside, never overwritten", async () => {
  const { folder } = await compacted();
  // An older copy of the store beside a newer archive, and it has gone on otherwise.
  const older = await fillNotes(freshFolder(), 20);
  cpSync(join(folder, "segments"), join(older.folder, "segments"), { recursive: true });
  const [first = "", second = ""] = segmentsIn(older.folder).map((path) =>
    readFileSync(path, "utf8"),
  );
  const warned: string[] = [];
  const journal = await open(older.folder, {
    ...SILENT,
    warn: (message) => void warned.push(message),
  });
  await appendNotes(journal, 30);
  await keepSnapshot(journal);
  await journal.compact({ untilSeq: 45, segmentEntriesMax: 20 });
  expect(warned).toHaveLength(2);
  const aside = readdirSync(join(older.folder, "segments")).filter((name) =>
    name.includes("unrec"),
  );
  const texts = aside
    .toSorted()
    .map((name) => readFileSync(join(older.folder, "segments", name), "utf8"));
  expect(texts).toEqual([first, second]);
  expect((await journal.segments()).map(({ last }) => last.seq)).toEqual([20, 40, 45]);
  await journal.inspect();
  expect(await journal.compact({ untilSeq: 45 })).toEqual({ segments: [], movedCount: 0 });
});

test("[CO17] an older copy of the store takes up the segments that are of it", async () => {
  const { folder, untilSeq, stored } = await fillNotes(freshFolder(), 60);
  const older = freshFolder();
  cpSync(folder, older, { recursive: true });
  const journal = await open(folder);
  await journal.compact({ untilSeq, segmentEntriesMax: 20 });
  cpSync(join(folder, "segments"), join(older, "segments"), { recursive: true });
  const again = await open(older);
  const before = segmentsIn(older).map((path) => statSync(path).ino);
  const { segments, movedCount } = await again.compact({ untilSeq });
  expect([segments.length, movedCount]).toEqual([2, untilSeq]);
  expect(segmentsIn(older).map((path) => statSync(path).ino)).toEqual(before);
  expect(await readAll(again)).toEqual(stored);
  await again.inspect();
});

test("[AX5] a folder of segments that lacks one, or begins later, is not restored", async () => {
  const { folder, stored } = await compacted();
  const path = join(folder, "segments");
  const read = (): readonly StoredEntry[] => [
    ...entriesIn(findSegments(path), { untilSeq: Number.MAX_SAFE_INTEGER, read: unread() }),
  ];
  const [first = "", second = ""] = segmentsIn(folder);
  expect(read().map(({ hash }) => hash)).toEqual(stored.slice(0, 40).map(({ hash }) => hash));
  // Its last line says what all of it is, where nothing else does.
  const whole = readFileSync(second, "utf8");
  for (const [said, other] of [
    ['"count":20', '"count":21'],
    ['"seq":40,"sha256":"', '"seq":40,"sha256":"0'],
    ['\n{"end"', '\n\n{"end"'],
  ] as const) {
    writeFileSync(second, whole.replace(said, other));
    expect(read).toThrow(`${second} line 22: `);
  }
  writeFileSync(second, whole);
  renameSync(first, `${first}.away`);
  expect(read).toThrow(`${second} must begin with the first entry, it begins with 21`);
  renameSync(second, `${second}.away`);
  expect(read).toThrow("it has none");
});

test("[CO18] a journal of the version before is brought to this one, and keeps all", async () => {
  const { folder, stored, untilSeq } = await fillNotes(freshFolder(), 60);
  bringToFirstForm(folder);
  const [one, other] = await Promise.all([open(folder), open(folder)]);
  expect(await readAll(one)).toEqual(stored);
  await other.compact({ untilSeq });
  expect(await readAll(one)).toEqual(stored);
  const look = new (loadSqlite())(join(folder, DATABASE));
  expect(look.pragma("user_version", { simple: true })).toBe(2);
  look.close();
});

test("[CO18] whoever has it open in the version before can do nothing more", async () => {
  const { folder, untilSeq } = await fillNotes(freshFolder(), 60);
  bringToFirstForm(folder);
  const older = new (loadSqlite())(join(folder, DATABASE));
  // As it prepared them: the statements that read, and the one that writes.
  const count = older.prepare("SELECT count(*) FROM entries WHERE seq > ?").pluck();
  const insert = older.prepare("INSERT INTO entries VALUES (?, ?, ?, ?, ?)");
  expect(count.get(0)).toBe(60);
  const journal = await open(folder);
  await journal.compact({ untilSeq });
  expect(() => count.get(0)).toThrow("no such table: entries");
  expect(() => insert.run(61, "{}", "0", null, null)).toThrow("no such table: entries");
  older.close();
  await journal.inspect();
});

test("[CO19] an archived recovery keeps its epoch, whatever is left (leases H24)", async () => {
  const folder = freshFolder();
  const journal = await open(folder);
  await appendNotes(journal, 3);
  await appendAll(journal, [recovery(await journal.head(), 7), noteDraft("c-a", "on")]);
  await appendAll(journal, [noteDraft("c-b", "on")]);
  // A snapshot of an older form, which names no epoch.
  await keepSnapshot(journal);
  await journal.compact({ untilSeq: 9 });
  await journal.close();
  rmSync(join(folder, HEAD_FILE));
  const again = await open(folder);
  await again.head();
  expect(readFileSync(join(folder, HEAD_FILE), "utf8")).toMatch(/ 0007 [0-9a-f]{16} *\n/);
});

test("[CO19] a head file that lags hides no archived recovery (leases H24)", async () => {
  const folder = freshFolder();
  const journal = await open(folder);
  await appendNotes(journal, 3);
  // As after a power cut: the file is not synced.
  const lagging = readFileSync(join(folder, HEAD_FILE));
  await appendAll(journal, [recovery(await journal.head(), 7), noteDraft("c-a", "on")]);
  await appendAll(journal, [noteDraft("c-b", "on")]);
  await keepSnapshot(journal);
  await journal.compact({ untilSeq: 9 });
  await journal.close();
  writeFileSync(join(folder, HEAD_FILE), lagging);
  const again = await open(folder);
  await appendAll(again, [noteDraft("c-c", "on")]);
  expect(readFileSync(join(folder, HEAD_FILE), "utf8")).toMatch(/ 0007 [0-9a-f]{16} *\n/);
});

test("[CO20] whoever stands below the archive's end reads on (leases H44)", async () => {
  const { folder, untilSeq, stored } = await fillNotes(freshFolder(), 60);
  const reader = await open(folder);
  const [tenth] = await reader.read({ seq: 9, hash: stored[8]?.hash ?? "" }, 1);
  const compacting = await open(folder);
  await compacting.compact({ untilSeq, segmentEntriesMax: 15 });
  const on = await reader.read(tenth ?? GENESIS, 100);
  expect(on.map(({ seq }) => seq)).toEqual(stored.slice(10).map(({ seq }) => seq));
  const forked = { seq: 9, hash: "f".repeat(64) };
  await expect(reader.read(forked, 10)).rejects.toMatchObject({ code: "journal_forked" });
  await appendAll(reader, [noteDraft("c-on", "goes on")]);
});

test("[CO21] what an archive is made of is for its owner alone", async () => {
  const { folder } = await compacted();
  expect(statSync(join(folder, "segments")).mode & 0o777).toBe(0o700);
  for (const name of readdirSync(join(folder, "segments")))
    expect([name, statSync(join(folder, "segments", name)).mode & 0o777]).toEqual([name, 0o600]);
});

function recovery(kept: Head, epoch: number): Draft {
  const hashes = { kept_hash: kept.hash, remembered_hash: "9".repeat(64) };
  const known = { reason: "test", ...hashes, remembered_seq: kept.seq + 4 };
  return {
    ...noteDraft("c-recover", ""),
    command: { kind: "fleet.recover", data: { ...known, workers: [] } },
    event: { kind: "fleet.recovered", data: { ...known, kept_seq: kept.seq, epoch } },
  };
}
