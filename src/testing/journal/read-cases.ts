import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { LIMITS } from "../../kernel/limits.ts";
import {
  GENESIS,
  type Draft,
  type Journal,
  type Snapshot,
  type StoredEntry,
} from "../../ports/journal.ts";
import {
  appendAll,
  appendNotes,
  headOf,
  isFault,
  journalCase,
  noteDraft,
  type JournalCase,
} from "./case.ts";
import { FakeClock } from "../fake-clock.ts";

/** What a journal owes whoever reads it, and whoever takes it elsewhere. */
export const READ_CASES = [
  journalCase("[JN5] reading in pages gives every entry once, in order", async ({ journal }) => {
    const entries = await appendNotes(journal, 7);
    const read = [];
    let after = GENESIS;
    for (;;) {
      const page = await journal.read(after, 3);
      assert.ok(page.length <= 3);
      const last = page.at(-1);
      if (last === undefined) break;
      read.push(...page);
      after = headOf(last);
    }
    assert.deepEqual(read, entries);
    assert.deepEqual(await journal.readStored(5, 10), (await journal.readStored(0, 10)).slice(5));
  }),

  journalCase("[JN6] reading after a head of another journal is a fork", async ({ journal }) => {
    const entries = await appendNotes(journal, 3);
    for (const seq of [1, 2, 3]) {
      const foreign = { seq, hash: "f".repeat(64) };
      await assert.rejects(journal.read(foreign, 10), isFault("journal_forked"), `after ${seq}`);
    }
    const beyond = { seq: 4, hash: entries[2]?.hash ?? "" };
    await assert.rejects(journal.read(beyond, 10), isFault("journal_truncated"));
  }),

  journalCase("[JN7] a command id finds its whole decision", async ({ journal }) => {
    const first = { ...noteDraft("c-1", "first") };
    const more: Draft = { ...noteDraft("c-1", "more"), command: null };
    await appendNotes(journal, 2);
    const decided = await appendAll(journal, [first, more, more, noteDraft("c-2", "other")]);
    const recalled = await journal.recall("c-1");
    assert.deepEqual(recalled, {
      firstSeq: 3,
      atMs: decided[0]?.at_ms,
      entries: decided.slice(0, 3),
    });
    assert.deepEqual((await journal.recall("c-2"))?.entries, decided.slice(3));
    assert.equal(await journal.recall("c-3"), undefined);
  }),

  journalCase("[JN9] the newest entries about a worker, newest first", async ({ journal }) => {
    const drafts = ["w-a", "w-b", "w-a", "w-a"].map((worker, index) =>
      noteDraft(`c-${index}`, "note", worker),
    );
    const paused = { kind: "fleet.paused", data: { reason: "about nobody" } } as const;
    const aboutNobody = { ...noteDraft("c-x", "x"), command: null, event: paused };
    const entries = await appendAll(journal, [...drafts, aboutNobody]);
    assert.deepEqual(await journal.about("w-a", 2), [entries[3], entries[2]]);
    assert.deepEqual(await journal.about("w-a", 9), [entries[3], entries[2], entries[0]]);
    assert.deepEqual(await journal.about("w-c", 9), []);
  }),

  journalCase("[JN10] the newest three snapshots are kept", async ({ journal }) => {
    const entries = await appendNotes(journal, 5);
    assert.deepEqual(await journal.snapshots(), []);
    const snapshots = entries.map((entry) => snapshotAt(entry, `{"seq":${entry.seq}}`));
    for (const snapshot of snapshots) await journal.saveSnapshot(snapshot);
    assert.deepEqual(await journal.snapshots(), snapshots.slice(2).toReversed());
    await journal.inspect();
  }),

  journalCase("[JN10] a snapshot of another journal is not kept", async ({ journal }) => {
    await appendNotes(journal, 1);
    const forked = journal.saveSnapshot(snapshotAt({ seq: 1, hash: "f".repeat(64) }, "{}"));
    await assert.rejects(forked, isFault("journal_forked"));
    const ahead = journal.saveSnapshot(snapshotAt({ seq: 2, hash: "f".repeat(64) }, "{}"));
    await assert.rejects(ahead, isFault("journal_truncated"));
    assert.deepEqual(await journal.snapshots(), []);
  }),

  betweenTwo("[JN11] an import has the same entries and hashes", async (from, to) => {
    const entries = await appendAll(from, [
      noteDraft("c-1", "one", "w-a"),
      { ...noteDraft("c-1", "more", "w-b"), command: null },
      noteDraft("c-2", "two", "w-a"),
    ]);
    const head = await to.load(await from.readStored(0, 10));
    assert.deepEqual(head, await from.head());
    assert.deepEqual(await to.head(), head);
    assert.deepEqual(await to.read(GENESIS, 10), entries);
    assert.deepEqual(await to.recall("c-1"), await from.recall("c-1"));
    assert.deepEqual(await to.about("w-a", 10), await from.about("w-a", 10));
    await to.inspect();
    await appendAll(to, [noteDraft("c-3", "goes on")]);
  }),

  betweenTwo("[JN11] an import that breaks anywhere leaves nothing", async (from, to) => {
    await appendNotes(from, 4);
    const stored = await from.readStored(0, 10);
    const [one, two, three] = stored;
    assert.ok(one !== undefined && two !== undefined && three !== undefined);
    const bent = { text: three.text.replace("note 3", "note 7"), hash: three.hash };
    const atMs = String((await from.read(GENESIS, 1))[0]?.at_ms);
    const broken = [
      [one, two, bent],
      [one, two, rewrite(three, "note 3", "note 7"), ...stored.slice(3)],
      [one, two, rewrite(three, '"seq":3', '"seq":4')],
      [one, two, rewrite(three, atMs, "1000")],
      [one, two, rewrite(three, "c-note 3", "c-note 1")],
      [one, two, rewrite(three, "note 3", "x".repeat(LIMITS.entryBytesMax))],
      [one, three],
      [two],
      [one, two, { text: "[]", hash: sha256("[]") }],
    ];
    for (const [index, some] of broken.entries()) {
      await assert.rejects(to.load(some), isFault("journal_corrupt"), `import ${index}`);
      assert.deepEqual(await to.head(), GENESIS);
      assert.equal(await to.recall("c-note 1"), undefined);
    }
    await to.load(stored);
  }),

  betweenTwo("[JN11] only an empty journal takes over another", async (from, to) => {
    await appendNotes(from, 2);
    await appendNotes(to, 1);
    await assert.rejects(to.load(await from.readStored(0, 10)), isFault("journal_forked"));
    assert.equal((await to.head()).seq, 1);
  }),

  betweenTwo("[JN15] an entry of newer rules or an unknown kind is newer", async (from, to) => {
    await appendNotes(from, 1);
    const [stored] = await from.readStored(0, 1);
    assert.ok(stored !== undefined);
    for (const [old, young] of [
      ['"rules":1', '"rules":2'],
      ['"kind":"worker.noted"', '"kind":"worker.praised"'],
    ] as const) {
      const text = stored.text.replace(old, young);
      assert.notEqual(text, stored.text);
      await assert.rejects(to.load([{ text, hash: sha256(text) }]), isFault("journal_newer"));
    }
    assert.deepEqual(await to.head(), GENESIS);
  }),
];

function betweenTwo(name: string, act: (from: Journal, to: Journal) => Promise<void>): JournalCase {
  return {
    name,
    async run(open) {
      const clock = new FakeClock();
      const from = await open({ clock });
      const to = await open({ clock });
      try {
        await act(from, to);
      } finally {
        await from.close();
        await to.close();
      }
    },
  };
}

function snapshotAt({ seq, hash }: { seq: number; hash: string }, state: string): Snapshot {
  return { seq, hash, rules: 1, state, stateHash: sha256(state) };
}

/** An entry with something in it replaced and its hash made to fit. */
function rewrite({ text }: StoredEntry, old: string, young: string): StoredEntry {
  assert.ok(text.includes(old), `an entry must contain ${old}`);
  const rewritten = text.replace(old, young);
  return { text: rewritten, hash: sha256(rewritten) };
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
