import assert from "node:assert/strict";
import { GENESIS, type Draft, type Head, type Journal } from "../../ports/journal.ts";
import { FakeClock } from "../fake-clock.ts";
import {
  appendAll,
  appendNotes,
  headOf,
  isFault,
  journalCase,
  noteDraft,
  type JournalCase,
} from "./case.ts";

/** What a journal owes whoever goes on after a loss. */
export const RECOVERY_CASES: readonly JournalCase[] = [
  journalCase("[RV8] a recovery stands above what is remembered", async ({ journal }) => {
    const kept = await keepThree(journal);
    const [recovered, note] = await appendAll(journal, [recovery(kept, 9), noteDraft("c-a", "on")]);
    assert.equal(recovered?.seq, 10);
    assert.equal(recovered.prev, kept.hash);
    assert.equal(note?.seq, 11);
    assert.deepEqual(await journal.head(), { seq: 11, hash: note.hash });
    const [next] = await appendAll(journal, [noteDraft("c-b", "and on")]);
    assert.equal(next?.seq, 12);
  }),

  journalCase("[RV8] entries are read on over the gap, from any of them", async ({ journal }) => {
    const kept = await keepThree(journal);
    await appendAll(journal, [recovery(kept, 9), noteDraft("c-a", "on")]);
    const all = await journal.read(GENESIS, 10);
    assert.deepEqual(
      all.map(({ seq }) => seq),
      [1, 2, 3, 10, 11],
    );
    for (const [index, entry] of all.entries()) {
      assert.deepEqual(await journal.read(headOf(entry), 10), all.slice(index + 1));
      assert.deepEqual(await journal.read(headOf(entry), 1), all.slice(index + 1, index + 2));
    }
    const stored = await journal.readStored(0, 10);
    assert.deepEqual(
      stored.map(({ seq }) => seq),
      [1, 2, 3, 10, 11],
    );
    assert.deepEqual(await journal.readStored(5, 1), stored.slice(3, 4));
    assert.equal((await journal.about("w-aaaaaaaaaaaaaaaa", 10)).length, 4);
    for (const entry of all) {
      const found = await journal.recall(entry.id);
      assert.deepEqual([found?.firstSeq, found?.entries], [entry.seq, [entry]]);
    }
    await journal.inspect();
  }),

  journalCase("[RV9] whoever has seen what is lost is told of a fork", async ({ journal }) => {
    const kept = await keepThree(journal);
    await appendAll(journal, [recovery(kept, 9)]);
    const lost = { seq: 5, hash: "5".repeat(64) };
    await assert.rejects(journal.read(lost, 10), isFault("journal_forked"));
    await assert.rejects(
      journal.append(lost, () => [noteDraft("c-a", "late")]),
      isFault("journal_forked"),
    );
  }),

  journalCase("[RV8] a recovery that misses its place writes nothing", async ({ journal }) => {
    const kept = await keepThree(journal);
    const wrong: readonly Draft[] = [
      recovery({ ...kept, hash: "f".repeat(64) }, 9),
      recovery({ ...kept, seq: 2 }, 9),
      recovery(kept, 3),
    ];
    for (const draft of wrong) await assert.rejects(appendAll(journal, [draft]), /a recovery must/);
    assert.deepEqual(await journal.head(), kept);
  }),

  {
    name: "[RV8] a journal with a gap is taken over with it, a forged one is not",
    async run(open) {
      const clock = new FakeClock();
      const from = await open({ clock });
      const to = await open({ clock });
      const kept = await keepThree(from);
      await appendAll(from, [recovery(kept, 9), noteDraft("c-a", "on")]);
      const stored = await from.readStored(0, 10);
      const [one, two, , gap] = stored;
      assert.ok(one !== undefined && two !== undefined && gap !== undefined);
      await assert.rejects(to.load([one, two, gap]), isFault("journal_corrupt"));
      assert.deepEqual(await to.load(stored), await from.head());
      assert.deepEqual(await to.readStored(0, 10), stored);
      const [next] = await appendAll(to, [noteDraft("c-b", "and on")]);
      assert.equal(next?.seq, 12);
      await from.close();
      await to.close();
    },
  },
];

async function keepThree(journal: Journal): Promise<Head> {
  await appendNotes(journal, 3);
  return journal.head();
}

function recovery(kept: Head, rememberedSeq: number): Draft {
  const hashes = { kept_hash: kept.hash, remembered_hash: "9".repeat(64) };
  const known = { reason: "test", ...hashes, remembered_seq: rememberedSeq };
  return {
    ...noteDraft("c-recover", ""),
    command: { kind: "fleet.recover", data: { ...known, workers: [] } },
    event: { kind: "fleet.recovered", data: { ...known, kept_seq: kept.seq, epoch: 1 } },
  };
}
