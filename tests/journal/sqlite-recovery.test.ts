import { cpSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { hashOf } from "../../src/journal/chain.ts";
import { exportLines, importFile } from "../../src/journal/jsonl.ts";
import { openLostJournal, openSqliteJournal } from "../../src/journal/sqlite/open.ts";
import { verifyJournal } from "../../src/journal/verify.ts";
import type { Draft, Head, Journal, Remembered } from "../../src/ports/journal.ts";
import { loadSqlite } from "../../src/system/sqlite-library.ts";
import { FakeClock } from "../../src/testing/fake-clock.ts";
import { appendAll, appendNotes, noteDraft } from "../../src/testing/journal/case.ts";
import { freshFolder } from "./fixtures/folder.ts";
import { DATABASE, HEAD_FILE } from "./fixtures/image.ts";

const clock = new FakeClock();

async function open(folder: string): Promise<Journal> {
  const journal = await openSqliteJournal({ folder, clock });
  onTestFinished(() => journal.close());
  return journal;
}

/** A folder whose database was put back to three entries, of six that its head file remembers. */
async function restoredFolder(): Promise<string> {
  const folder = freshFolder();
  const journal = await openSqliteJournal({ folder, clock });
  await appendNotes(journal, 3);
  await journal.close();
  const backup = freshFolder();
  cpSync(join(folder, DATABASE), join(backup, DATABASE));
  const again = await openSqliteJournal({ folder, clock });
  for (const id of ["c-4", "c-5", "c-6"]) await appendAll(again, [noteDraft(id, "lost")]);
  await again.close();
  cpSync(join(backup, DATABASE), join(folder, DATABASE));
  return folder;
}

function recovery(kept: Head, remembered: Remembered): Draft {
  const hashes = { kept_hash: kept.hash, remembered_hash: remembered.hash };
  const known = { reason: "test", ...hashes, remembered_seq: remembered.seq };
  return {
    ...noteDraft("c-recover", ""),
    command: { kind: "fleet.recover", data: { ...known, workers: [] } },
    event: {
      kind: "fleet.recovered",
      data: { ...known, kept_seq: kept.seq, epoch: remembered.epoch + 1 },
    },
  };
}

/** Runs SQL on the database of a folder that nobody has open. */
function alter(folder: string, sql: string): void {
  const db = new (loadSqlite())(join(folder, DATABASE));
  db.exec(sql);
  db.close();
}

/** What is remembered of the journal in a folder; nothing is changed. */
async function remembers(folder: string): Promise<Remembered> {
  const { journal, remembered } = await openLostJournal({ folder, clock });
  await journal.close();
  return remembered;
}

async function recover(folder: string): Promise<Head> {
  const { journal, kept, remembered } = await openLostJournal({ folder, clock });
  try {
    const [entry] = await appendAll(journal, [recovery(kept, remembered)]);
    return { seq: entry?.seq ?? 0, hash: entry?.hash ?? "" };
  } finally {
    await journal.close();
  }
}

test("[RV10] a store that ends too early opens for a recovery alone", async () => {
  const folder = await restoredFolder();
  await expect(open(folder)).rejects.toMatchObject({ code: "journal_truncated" });
  const { journal, kept, remembered } = await openLostJournal({ folder, clock });
  onTestFinished(() => journal.close());
  expect([kept.seq, remembered.seq]).toEqual([3, 6]);
  expect(await journal.head()).toEqual(kept);
  await journal.close();
  // Looking changes nothing: what was lost is still missed.
  await expect(open(folder)).rejects.toMatchObject({ code: "journal_truncated" });
});

test("[RV10] after a recovery it opens, verifies and goes on as any other", async () => {
  const folder = await restoredFolder();
  expect((await recover(folder)).seq).toBe(7);
  const journal = await open(folder);
  await appendAll(journal, [noteDraft("c-4", "anew")]);
  const verified = await verifyJournal(journal, { verifySignature: () => true });
  expect(verified).toMatchObject({ head: { seq: 8 }, entryCount: 5, unanchoredCount: 5 });
  const file = join(folder, "export.jsonl");
  await writeFile(file, exportLines(journal));
  const copy = await open(freshFolder());
  expect((await importFile(copy, { path: file })).head).toEqual(await journal.head());
});

test("[RV10] where nothing is lost, both heads are one", async () => {
  const folder = freshFolder();
  await appendNotes(await open(folder), 2);
  const { journal, kept, remembered } = await openLostJournal({ folder, clock });
  onTestFinished(() => journal.close());
  expect(remembered).toEqual({ ...kept, epoch: 0 });
});

test("[RV11] a head file that a crash left behind a recovery is brought up", async () => {
  const folder = await restoredFolder();
  const before = readFileSync(join(folder, HEAD_FILE));
  const head = await recover(folder);
  writeFileSync(join(folder, HEAD_FILE), before);
  const journal = await open(folder);
  expect(await journal.head()).toEqual(head);
  expect(readFileSync(join(folder, HEAD_FILE), "latin1")).toContain(head.hash);
});

test("[RV11] a head file that remembers another entry there is still a fork", async () => {
  const folder = await restoredFolder();
  const other = freshFolder();
  const fork = await openSqliteJournal({ folder: other, clock });
  await appendNotes(fork, 3);
  for (const id of ["c-4", "c-5", "c-6"]) await appendAll(fork, [noteDraft(id, "elsewhere")]);
  await fork.close();
  await recover(folder);
  cpSync(join(other, HEAD_FILE), join(folder, HEAD_FILE));
  await expect(open(folder)).rejects.toMatchObject({ code: "journal_forked" });
});

test("[RV12] a snapshot beyond the end is remembered, and dropped by the recovery", async () => {
  const folder = freshFolder();
  const journal = await openSqliteJournal({ folder, clock });
  const entries = await appendNotes(journal, 6);
  const newest = entries.at(-1);
  if (newest === undefined) throw new Error("six were appended");
  const state = "{}";
  const { seq, hash } = newest;
  await journal.saveSnapshot({ seq, hash, rules: 1, state, stateHash: hashOf(state) });
  await journal.close();
  alter(folder, "DELETE FROM entry_rows WHERE seq > 3");
  rmSync(join(folder, HEAD_FILE));
  const { journal: lost, remembered } = await openLostJournal({ folder, clock });
  expect(remembered).toEqual({ seq, hash, epoch: 0 });
  await lost.close();
  await recover(folder);
  expect(await (await open(folder)).snapshots()).toEqual([]);
});

/** Puts lines of before epochs were remembered into the head file of a folder. */
function ageHeadFile(folder: string): void {
  const path = join(folder, HEAD_FILE);
  const lines = readFileSync(path, "latin1").split("\n").slice(0, 2);
  const aged = lines.map((line) => {
    const words = line.split(" ").slice(0, 2).join(" ");
    const sum = hashOf(words).slice(0, 16);
    return `${(words === " " ? "" : `${words} ${sum}`).padEnd(127)}\n`;
  });
  writeFileSync(path, aged.join(""));
}

async function reopen(folder: string): Promise<void> {
  await (await openSqliteJournal({ folder, clock })).close();
}

/** What becomes of a head file between a recovery and the loss of that recovery. */
interface Fate {
  readonly what: string;
  readonly befall: (folder: string, before: Buffer) => Promise<void> | void;
}

const FATES: readonly Fate[] = [
  { what: "as it was written", befall: () => undefined },
  {
    what: "made anew",
    async befall(folder) {
      rmSync(join(folder, HEAD_FILE));
      await reopen(folder);
    },
  },
  {
    what: "brought up after a crash",
    async befall(folder, before) {
      writeFileSync(join(folder, HEAD_FILE), before);
      await reopen(folder);
    },
  },
  {
    what: "of the older form, and gone on with",
    async befall(folder) {
      ageHeadFile(folder);
      const journal = await openSqliteJournal({ folder, clock });
      await appendAll(journal, [noteDraft("c-on", "on")]);
      await journal.close();
    },
  },
];

test.each(FATES)("[RV21] a lost recovery's epoch is remembered: head file $what", async (fate) => {
  const folder = await restoredFolder();
  const before = readFileSync(join(folder, HEAD_FILE));
  const recovered = await recover(folder);
  await fate.befall(folder, before);
  alter(folder, "DELETE FROM entry_rows WHERE seq > 3");
  const remembered = await remembers(folder);
  expect(remembered.epoch).toBe(1);
  expect(remembered.seq).toBeGreaterThanOrEqual(recovered.seq);
  await recover(folder);
  alter(folder, "DELETE FROM entry_rows WHERE seq > 3");
  expect((await remembers(folder)).epoch).toBe(2);
});

test("[RV21] the epoch is looked for from the newest snapshot on, and no further", async () => {
  const folder = await restoredFolder();
  await recover(folder);
  const journal = await openSqliteJournal({ folder, clock });
  const [note] = await appendAll(journal, [noteDraft("c-on", "on")]);
  const state = JSON.stringify({ epoch: 5 });
  const { seq, hash } = note ?? { seq: 0, hash: "" };
  await journal.saveSnapshot({ seq, hash, rules: 1, state, stateHash: hashOf(state) });
  await appendAll(journal, [noteDraft("c-more", "more")]);
  await journal.close();
  rmSync(join(folder, HEAD_FILE));
  // The entry of the recovery is before the snapshot: nobody looks at it for this.
  alter(folder, "UPDATE entry_rows SET text = replace(text, 'test', 'tset') WHERE seq = 7");
  await reopen(folder);
  expect(readFileSync(join(folder, HEAD_FILE), "latin1")).toMatch(/^0{15}9 [0-9a-f]{64} 0005 /);
});

test("[RV21] the epoch of a snapshot beyond the end counts, of a broken one not", async () => {
  const folder = await restoredFolder();
  await recover(folder);
  const journal = await openSqliteJournal({ folder, clock });
  const [state, forged] = [JSON.stringify({ epoch: 4 }), JSON.stringify({ epoch: 9 })];
  const head = await journal.head();
  await journal.saveSnapshot({ ...head, rules: 1, state, stateHash: hashOf(state) });
  await journal.close();
  ageHeadFile(folder);
  alter(folder, "DELETE FROM entry_rows WHERE seq > 3");
  expect(await remembers(folder)).toEqual({ ...head, epoch: 4 });
  alter(folder, `UPDATE snapshots SET state = '${forged}'`);
  expect((await remembers(folder)).epoch).toBe(0);
});

test("[RV21] an imported journal's epoch is remembered like its own", async () => {
  const from = await restoredFolder();
  await recover(from);
  const journal = await open(from);
  const stored = await journal.readStored(0, 100);
  const folder = freshFolder();
  const copy = await openSqliteJournal({ folder, clock });
  await copy.load(stored);
  await appendAll(copy, [noteDraft("c-on", "on")]);
  await copy.close();
  alter(folder, "DELETE FROM entry_rows WHERE seq > 3");
  expect((await remembers(folder)).epoch).toBe(1);
});

test("[RV21] words of a worker that look like a recovery raise no epoch", async () => {
  const folder = freshFolder();
  const journal = await openSqliteJournal({ folder, clock });
  const state = { kind: "fleet.recovered", data: { epoch: 7 } };
  const note = noteDraft("c-a", "on");
  const data = { worker: "w-aaaaaaaaaaaaaaaa", state };
  await appendAll(journal, [{ ...note, command: { kind: "worker.checkpoint", data } }]);
  await journal.close();
  rmSync(join(folder, HEAD_FILE));
  await reopen(folder);
  expect((await remembers(folder)).epoch).toBe(0);
});
