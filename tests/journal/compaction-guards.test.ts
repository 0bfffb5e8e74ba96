import fs, { chownSync, cpSync, existsSync, readdirSync, statSync } from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { SegmentTable } from "../../src/journal/sqlite/archive/table.ts";
import { openSqliteJournal } from "../../src/journal/sqlite/open.ts";
import { codeOf } from "../../src/ports/error-code.ts";
import type { CompactOptions, Journal } from "../../src/ports/journal.ts";
import { systemClock } from "../../src/system/clock.ts";
import { loadSqlite } from "../../src/system/sqlite-library.ts";
import { needs } from "../support/require-all.ts";
import { Child } from "./fixtures/child.ts";
import { freshFolder } from "./fixtures/folder.ts";
import { DATABASE } from "./fixtures/image.ts";
import { fillNotes, readAll } from "./fixtures/noted.ts";

const COMPACTING = new URL("./fixtures/compacting.ts", import.meta.url);

async function open(folder: string): Promise<Journal> {
  const journal = await openSqliteJournal({ folder, clock: systemClock() });
  onTestFinished(() => journal.close());
  return journal;
}

/** Runs statements on the store of a journal, as another connection; answers the last's rows. */
function meddle(folder: string, sql: string): readonly unknown[] {
  const db = new (loadSqlite())(join(folder, DATABASE));
  try {
    if (!sql.startsWith("SELECT")) return [db.exec(sql)];
    return db.prepare(sql).raw().all();
  } finally {
    db.close();
  }
}

test("[CO27] what is relied on is durable before anything relies on it (leases H09)", async () => {
  const { folder } = await fillNotes(freshFolder(), 420);
  const steps = async (...so: readonly string[]): Promise<string> => {
    const child = new Child(COMPACTING, [folder, ...so]);
    expect(await child.end()).toBe(0);
    const names = (await child.output).trimEnd().split("\n").slice(0, -1);
    return names.map((line) => line.split(" ")[1]).join(" ");
  };
  // The folder; then of each segment: pages and end, its sync, its name, the folder's sync, its
  // record, and the rows in slices.
  const first = "write write write sync rename sync commit commit commit commit";
  const second = "write write sync rename sync commit commit";
  expect(await steps("400", "300")).toBe(`sync ${first} ${second}`);
  // A folder that is there may have been made by somebody who died before it was durable.
  expect(await steps("410", "300")).toBe(`sync ${second}`);
});

/** What somebody else does to a journal of 60 entries after 41 to 45 were read to be archived. */
const CHANGES = [
  ["the segment before is taken back", "DELETE FROM segments WHERE first_seq = 21"],
  ["the last entry is another", "UPDATE entry_rows SET hash = '0' WHERE seq = 45"],
  ["an entry is gone", "DELETE FROM entry_rows WHERE seq = 43"],
  ["the snapshots are given up", "DELETE FROM snapshots"],
] as const;

test.for(CHANGES)("[CO28] nothing is recorded of a journal where %s", async ([, sql]) => {
  const { folder } = await fillNotes(freshFolder(), 60);
  const journal = await open(folder);
  await journal.compact({ untilSeq: 40, segmentEntriesMax: 20 });
  const onProgress: CompactOptions["onProgress"] = (doing) => {
    if (doing === "archiving") meddle(folder, sql);
  };
  const done = journal.compact({ untilSeq: 45, onProgress });
  await expect(done).rejects.toMatchObject({ code: "storage_busy", retryable: true });
  expect(meddle(folder, "SELECT first_seq FROM segments WHERE first_seq > 21")).toEqual([]);
  const pointing = "SELECT seq FROM entry_rows WHERE seq > 40 AND text LIKE '@%'";
  expect(meddle(folder, pointing)).toEqual([]);
});

test("[CO28] a row that is another entry's keeps its text", async () => {
  const { folder } = await fillNotes(freshFolder(), 200);
  const journal = await open(folder);
  // After the first slice of rows, of 128.
  const sql = "UPDATE entry_rows SET hash = '0' WHERE seq = 150";
  const onProgress: CompactOptions["onProgress"] = (doing) => {
    if (doing === "moving") meddle(folder, sql);
  };
  expect(await journal.compact({ untilSeq: 180, onProgress }).catch(codeOf)).toBe(
    "journal_corrupt",
  );
  expect(meddle(folder, "SELECT seq FROM entry_rows WHERE text LIKE '@%'")).toHaveLength(128);
  expect(meddle(folder, "SELECT seq FROM entry_rows WHERE seq = 150 AND text LIKE '{%'")).toEqual([
    [150],
  ]);
});

test("[CO29] of large entries few are done in one go", async () => {
  const { folder, stored } = await fillNotes(freshFolder(), 60, 100_000);
  const journal = await open(folder);
  const seqs = { archiving: [0], moving: [0] };
  const onProgress: CompactOptions["onProgress"] = (doing, seq) => void seqs[doing].push(seq);
  await journal.compact({ untilSeq: 40, onProgress });
  for (const done of [seqs.archiving, seqs.moving]) {
    expect(done.at(-1)).toBe(40);
    const most = Math.max(...done.slice(1).map((seq, index) => seq - (done[index] ?? 0)));
    // Of 400 kB each; the fullest of a megabyte has three.
    expect(most).toBeLessThanOrEqual(3);
  }
  expect(await readAll(journal)).toEqual(stored);
});

test.for(["archiving", "moving"] as const)("[CO30] closed while %s it is closed", async (when) => {
  const { folder, stored } = await fillNotes(freshFolder(), 420);
  const copy = freshFolder();
  cpSync(folder, copy, { recursive: true });
  const journal = await open(copy);
  const onProgress: CompactOptions["onProgress"] = (doing) => {
    if (doing === when) void journal.close();
  };
  const done = journal.compact({ untilSeq: 400, onProgress });
  await expect(done).rejects.toMatchObject({ code: "closed" });
  expect(readdirSync(join(copy, "segments")).filter((name) => name.endsWith(".tmp"))).toEqual([]);
  const again = await open(copy);
  await again.compact({ untilSeq: 400 });
  expect(await readAll(again)).toEqual(stored);
  await again.inspect();
});

/** Has every disk be full, as far as it is asked, until the test has ended. */
function fillDisks(): void {
  const { statfsSync } = fs;
  const full = { bavail: 0, bsize: 4_096, blocks: 1_000 };
  fs.statfsSync = (() => full) as unknown as typeof statfsSync;
  syncBuiltinESMExports();
  onTestFinished(() => {
    fs.statfsSync = statfsSync;
    syncBuiltinESMExports();
  });
}

function withSegments(folder: string, act: (segments: SegmentTable) => void): void {
  const db = new (loadSqlite())(join(folder, DATABASE));
  act(new SegmentTable(db));
  db.close();
}

const FIRST = "0000000000000001-0000000000000150.jsonl";

/** What is left of a first segment, recorded by one who was killed, where the disk is full. */
async function takenBack(
  change: string | ((segments: SegmentTable) => void),
  ...at: readonly string[]
): Promise<readonly unknown[]> {
  const { folder } = await fillNotes(freshFolder(), 220);
  const child = new Child(COMPACTING, [folder, "200", "150", ...at]);
  expect(await child.end()).toBe("SIGKILL");
  if (typeof change === "string") meddle(folder, change);
  else withSegments(folder, change);
  fillDisks();
  const journal = await open(folder);
  const said = await journal.compact({ untilSeq: 200 }).catch(codeOf);
  const recorded = await journal.segments();
  return [said, recorded.length, existsSync(join(folder, "segments", FIRST))];
}

test("[CO26] a segment is taken back where all rows have its texts", async () => {
  expect(await takenBack("SELECT 1", "after", "7")).toEqual(["storage_full", 0, false]);
});

const KEPT = [
  ["a row has another text", "UPDATE entry_rows SET text = text || ' ' WHERE seq = 9", "7"],
  ["a row was moved", "SELECT 1", "8"],
  ["a row has another hash", "UPDATE entry_rows SET hash = '0' WHERE seq = 9", "7"],
  ["a row is gone", "DELETE FROM entry_rows WHERE seq = 9", "7"],
] as const;

test.for(KEPT)("[CO26] a segment is kept where %s", async ([, sql, step]) => {
  expect(await takenBack(sql, "after", step)).toEqual(["storage_full", 1, true]);
});

test("[CO26] a segment is kept where another follows it", async () => {
  const follow = (segments: SegmentTable): void => {
    const newest = segments.newest();
    if (newest !== undefined) segments.insert({ ...newest, firstSeq: 151 });
  };
  expect(await takenBack(follow, "after", "7")).toEqual(["storage_full", 2, true]);
});

test("[CO31] what root compacts stays its owner's", async () => {
  needs(process.geteuid?.() === 0, "only root can give files to another");
  const { folder } = await fillNotes(freshFolder(), 60);
  const [uid, gid] = [54_321, 54_322];
  for (const name of [".", ...readdirSync(folder)]) chownSync(join(folder, name), uid, gid);
  const journal = await open(folder);
  await journal.compact({ untilSeq: 40, segmentEntriesMax: 20 });
  const segments = join(folder, "segments");
  const names = [".", ...readdirSync(segments)];
  expect(names).toHaveLength(4);
  const owners = names.map((name) => {
    const found = statSync(join(segments, name));
    return [name, found.uid, found.gid];
  });
  expect(owners).toEqual(names.map((name) => [name, uid, gid]));
});
