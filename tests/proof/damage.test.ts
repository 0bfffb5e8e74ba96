// A store that cannot be read, or not be believed, is a fault: never a world in which nobody holds
// anything. The ground of every try here is held; whoever gets it has been given another's.
import {
  cpSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { openFleet, sqlite, type Fleet } from "stint";
import { expect, onTestFinished, test, vi } from "vitest";
import { openSqliteJournal } from "../../src/journal/sqlite/open.ts";
import { verifyJournal } from "../../src/journal/verify.ts";
import { systemClock } from "../../src/system/clock.ts";
import { flip } from "../journal/fixtures/flips.ts";
import { freshFolder } from "../journal/fixtures/folder.ts";
import { makeSite } from "./contest.ts";
import { readEntries } from "./outside-journal.ts";
import { Party } from "./party.ts";

vi.setConfig({ testTimeout: 120_000 });

const HOUR_MS = 3_600_000;

/** A store in which `first` holds all below `src`, closed as it should be. */
async function makeClosed(): Promise<string> {
  const stateDir = await makeSite();
  const fleet = await openFleet({ store: sqlite({ dir: stateDir }) });
  await fleet.acquire({ holder: "first", region: "src/**", ttlMs: HOUR_MS });
  await fleet.close();
  return stateDir;
}

/** The same with its newest entries in the write-ahead log alone: who wrote them was killed. */
async function makeKilled(): Promise<string> {
  const stateDir = await makeSite();
  const party = await Party.enter(stateDir, "first");
  await party.acquire({ region: "src/**", ttlMs: HOUR_MS });
  await party.kill();
  return stateDir;
}

/** What becomes of a try to get ground that is held: a code, or `granted`. */
async function tryFor(stateDir: string): Promise<string> {
  let fleet: Fleet | undefined;
  try {
    fleet = await openFleet({ store: sqlite({ dir: stateDir }), steward: false });
    const asked = await fleet.tryAcquire({ holder: "second", region: "src/api/**" });
    return asked.ok ? "granted" : asked.refusal.code;
  } catch (error) {
    return (error as { readonly code?: string }).code ?? String(error);
  } finally {
    await fleet?.close();
  }
}

const RUINS: readonly [string, string, (stateDir: string) => void][] = [
  ["deleted", "journal_missing", (dir) => rmSync(join(dir, "journal.db"))],
  ["emptied", "journal_truncated", (dir) => truncateSync(join(dir, "journal.db"))],
  [
    "garbage",
    "journal_corrupt",
    (dir) => writeFileSync(join(dir, "journal.db"), "x".repeat(9_999)),
  ],
  ["a folder", "journal_corrupt", (dir) => replaceBy("folder", join(dir, "journal.db"))],
  ["a link in a circle", "storage_failed", (dir) => replaceBy("link", join(dir, "journal.db"))],
  ["without its beginning", "journal_corrupt", (dir) => blank(join(dir, "journal.db"))],
  ["beside a spoilt head file", "journal_corrupt", (dir) => writeFileSync(join(dir, "head"), "?")],
];

test.each(RUINS)(
  "[LP7] a store that is %s is %s, never an empty world (leases H10)",
  async (_, code, ruin) => {
    const stateDir = await makeClosed();
    const kept = freshFolder();
    cpSync(stateDir, kept, { recursive: true });
    ruin(stateDir);
    expect(await tryFor(stateDir)).toBe(code);
    expect(await tryFor(stateDir)).toBe(code);
    // What is put back is as it was.
    expect(await tryFor(kept)).toBe("conflict");
  },
);

test("[LP7] a log that is taken away is journal_truncated (leases H10)", async () => {
  const stateDir = await makeKilled();
  rmSync(join(stateDir, "journal.db-wal"));
  expect(await tryFor(stateDir)).toBe("journal_truncated");
});

test("[LP7] whoever has it open meets the fault as well (leases H10)", async () => {
  const stateDir = await makeClosed();
  const fleet = await openFleet({ store: sqlite({ dir: stateDir }), steward: false });
  onTestFinished(() => fleet.close());
  renameSync(join(stateDir, "journal.db"), join(stateDir, "elsewhere.db"));
  const asked = fleet.tryAcquire({ holder: "second", region: "src/api/**" });
  await expect(asked).rejects.toMatchObject({ code: "journal_missing" });
});

/** How many bytes apart those are that are turned over, one at a time. */
const STEP = 37;

test.each([
  ["database", makeClosed, "journal.db"],
  ["log", makeKilled, "journal.db-wal"],
] as const)(
  "[LP8] a bit that is turned over in a grant in the %s frees nothing (leases H11, H39)",
  async (_, make, name) => {
    const stateDir = await make();
    const grant = readEntries(stateDir).find(({ kind }) => kind === "lease.granted");
    const bytes = readFileSync(join(stateDir, name));
    const at = bytes.lastIndexOf(JSON.stringify(grant?.data));
    const length = JSON.stringify(grant?.data).length;
    expect(at).toBeGreaterThan(0);
    const codes = new Set<string>();
    for (let offset = 0; offset < length; offset += STEP) {
      const copy = freshFolder();
      cpSync(stateDir, copy, { recursive: true });
      writeFileSync(join(copy, name), flip(Buffer.from(bytes), at + offset, offset % 7));
      expect(await verificationOf(copy)).toMatch(/^journal_(corrupt|truncated)$/);
      codes.add(await tryFor(copy));
    }
    // By the snapshot, or by what is said of it: never by an entry that nobody wrote.
    for (const code of codes)
      expect(code).toMatch(/^(conflict|journal_corrupt|journal_truncated)$/);
  },
);

const POISONS: readonly [string, (text: string) => string][] = [
  ["a number without end", (text) => text.replace(/"expires_at_ms":\d+/, '"expires_at_ms":1e999')],
  ["a seq without end", (text) => text.replace(/"seq":\d+/, '"seq":1e999')],
  ["5 000 digits", (text) => text.replace(/"ttl_ms":\d+/, `"ttl_ms":${"9".repeat(5_000)}`)],
  ["deep nesting", (text) => text.replace('"run_id"', '"x"').replace("}", `,"x":${deep()}}`)],
  ["no JSON", (text) => text.slice(1)],
];

test.each(POISONS)(
  "[LP9] a grant with %s is journal_corrupt, for everybody and every time (leases H11)",
  async (_, poison) => {
    const stateDir = await makeClosed();
    const db = new Database(join(stateDir, "journal.db"));
    const grant = "json_extract(text, '$.kind') = 'lease.granted'";
    const text = db.prepare<[], string>(`SELECT text FROM entry_rows WHERE ${grant}`).pluck().get();
    expect(poison(text ?? "")).not.toBe(text);
    // Without a snapshot every entry has to be read.
    db.prepare("DELETE FROM snapshots").run();
    db.prepare(`UPDATE entry_rows SET text = ? WHERE ${grant}`).run(poison(text ?? ""));
    db.close();
    expect(await tryFor(stateDir)).toBe("journal_corrupt");
    expect(await tryFor(stateDir)).toBe("journal_corrupt");
    expect(await verificationOf(stateDir)).toBe("journal_corrupt");
  },
);

async function verificationOf(stateDir: string): Promise<string> {
  try {
    const journal = await openSqliteJournal({ folder: stateDir, clock: systemClock() });
    try {
      await verifyJournal(journal, { verifySignature: () => true });
    } finally {
      await journal.close();
    }
    return "whole";
  } catch (error) {
    return (error as { readonly code?: string }).code ?? String(error);
  }
}

function deep(): string {
  return "[".repeat(20_000) + "]".repeat(20_000);
}

/** What cannot be read at all, whoever tries. */
function replaceBy(what: "folder" | "link", path: string): void {
  rmSync(path);
  if (what === "folder") mkdirSync(path);
  else symlinkSync(path, path);
}

function blank(path: string): void {
  writeFileSync(path, readFileSync(path).fill(0, 0, 100));
}
