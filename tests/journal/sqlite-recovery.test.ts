import { cpSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { hashOf } from "../../src/journal/chain.ts";
import { exportLines, importFile } from "../../src/journal/jsonl.ts";
import { openLostJournal, openSqliteJournal } from "../../src/journal/sqlite/open.ts";
import { verifyJournal } from "../../src/journal/verify.ts";
import type { Draft, Head, Journal } from "../../src/ports/journal.ts";
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

function recovery(kept: Head, remembered: Head): Draft {
  const hashes = { kept_hash: kept.hash, remembered_hash: remembered.hash };
  const known = { reason: "test", ...hashes, remembered_seq: remembered.seq };
  return {
    ...noteDraft("c-recover", ""),
    command: { kind: "fleet.recover", data: { ...known, workers: [] } },
    event: { kind: "fleet.recovered", data: { ...known, kept_seq: kept.seq, epoch: 1 } },
  };
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
  expect(remembered).toEqual(kept);
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
  const library = loadSqlite();
  const db = new library(join(folder, DATABASE));
  db.exec("DELETE FROM entries WHERE seq > 3");
  db.close();
  rmSync(join(folder, HEAD_FILE));
  const { journal: lost, remembered } = await openLostJournal({ folder, clock });
  expect(remembered).toEqual({ seq, hash });
  await lost.close();
  await recover(folder);
  expect(await (await open(folder)).snapshots()).toEqual([]);
});
