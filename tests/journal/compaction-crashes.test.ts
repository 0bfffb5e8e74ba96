import { cpSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openSqliteJournal } from "../../src/journal/sqlite/open.ts";
import { verifyJournal } from "../../src/journal/verify.ts";
import type { Journal, PlacedEntry } from "../../src/ports/journal.ts";
import { systemClock } from "../../src/system/clock.ts";
import { loadSqlite } from "../../src/system/sqlite-library.ts";
import { Child } from "./fixtures/child.ts";
import { freshFolder } from "./fixtures/folder.ts";
import { DATABASE } from "./fixtures/image.ts";
import { fillNotes } from "./fixtures/noted.ts";

const COMPACTING = new URL("./fixtures/compacting.ts", import.meta.url);
/** Two segments, of which the first is moved in two slices. */
const ENTRIES = 420;
const UNTIL = 400;
const SEGMENT = 300;
/** How many children run at once. */
const AT_ONCE = 2;

function open(folder: string): Promise<Journal> {
  return openSqliteJournal({ folder, clock: systemClock() });
}

async function compact(folder: string, ...at: readonly string[]): Promise<string[]> {
  const child = new Child(COMPACTING, [folder, String(UNTIL), String(SEGMENT), ...at]);
  const end = await child.end();
  const lines = (await child.output).trimEnd().split("\n");
  return end === "SIGKILL" ? [...lines, "killed"] : lines;
}

/** Throws unless a journal has all that it had, whole, and an entry can be added to it. */
async function mustBeWhole(folder: string, stored: readonly PlacedEntry[]): Promise<void> {
  const journal = await open(folder);
  try {
    await verifyJournal(journal, { verifySignature: () => false });
    expect(await journal.readStored(0, ENTRIES + 10)).toEqual(stored);
    expect((await journal.recall("c-7"))?.firstSeq).toBe(8);
  } finally {
    await journal.close();
  }
}

async function mustBeCompacted(folder: string, stored: readonly PlacedEntry[]): Promise<void> {
  await mustBeWhole(folder, stored);
  const journal = await open(folder);
  const segments = await journal.segments();
  await journal.close();
  expect(segments.map(({ firstSeq, last }) => [firstSeq, last.seq])).toEqual([
    [1, SEGMENT],
    [SEGMENT + 1, UNTIL],
  ]);
  const db = new (loadSqlite())(join(folder, DATABASE), { readonly: true });
  const left = db.prepare("SELECT count(*) FROM entry_rows WHERE text NOT LIKE '@%'").pluck().get();
  db.close();
  expect(left).toBe(ENTRIES - UNTIL);
  const names = segments.map(({ name }) => name);
  expect(readdirSync(join(folder, "segments")).toSorted()).toEqual([...names, "lock"]);
}

test("[CO10] a compaction killed at any step loses nothing, and the next ends it", async () => {
  const { folder, stored } = await fillNotes(freshFolder(), ENTRIES);
  const rehearsal = freshFolder();
  cpSync(folder, rehearsal, { recursive: true });
  const steps = (await compact(rehearsal)).slice(0, -1);
  await mustBeCompacted(rehearsal, stored);
  const names = new Set(steps.map((line) => line.split(" ")[1]));
  expect(names).toEqual(new Set(["sync", "write", "rename", "commit"]));

  const deaths = steps.flatMap((_, index) =>
    ["before", "after"].map((when) => [when, String(index + 1)]),
  );
  const die = async (): Promise<void> => {
    for (let death = deaths.shift(); death !== undefined; death = deaths.shift()) {
      const copy = freshFolder();
      cpSync(folder, copy, { recursive: true });
      expect((await compact(copy, ...death)).at(-1)).toBe("killed");
      await mustBeWhole(copy, stored);
      expect((await compact(copy)).at(-1)).toMatch(/^done/);
      await mustBeCompacted(copy, stored);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, die));
}, 300_000);

test("[CO11] a write that was cut short is found before it counts (leases H09)", async () => {
  const { folder, stored } = await fillNotes(freshFolder(), ENTRIES);
  for (const step of ["2", "3", "4"]) {
    const copy = freshFolder();
    cpSync(folder, copy, { recursive: true });
    const said = await compact(copy, "short", step);
    expect(said.at(-1)).toMatch(
      /^fault storage_failed what was written to .*draft-.* must be read/,
    );
    await mustBeWhole(copy, stored);
    const journal = await open(copy);
    expect(await journal.segments()).toEqual([]);
    await journal.close();
    expect(readdirSync(join(copy, "segments"))).toEqual(["lock"]);
    expect((await compact(copy)).at(-1)).toBe(`done ${UNTIL}`);
    await mustBeCompacted(copy, stored);
  }
}, 120_000);
