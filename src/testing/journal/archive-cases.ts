import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import type { Entry } from "../../kernel/entry.ts";
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

/** What a journal owes whoever compacts it, and everybody else meanwhile and after. */
export const ARCHIVE_CASES: readonly JournalCase[] = [
  journalCase("[CO1] a compacted journal answers as it did (leases H43)", async ({ journal }) => {
    const more: Draft = { ...noteDraft("c-two", "two"), command: null };
    await appendAll(journal, [noteDraft("c-one", "one", "w-b"), noteDraft("c-two", "two"), more]);
    await appendAll(journal, [refusal("c-no", "w-b")]);
    await appendNotes(journal, 4);
    const before = await answersOf(journal);
    const done = await compactTo(journal, 6, 4);
    assert.equal(done.movedCount, 6);
    assert.deepEqual(await answersOf(journal), before);
    const [next] = await appendAll(journal, [noteDraft("c-next", "goes on")]);
    assert.equal(next?.seq, 9);
    await journal.inspect();
  }),

  journalCase("[CO1] a command id that is archived is not decided again", async ({ journal }) => {
    await appendNotes(journal, 4);
    await compactTo(journal, 3);
    const again = appendAll(journal, [noteDraft("c-note 2", "again")]);
    await assert.rejects(again, /already decided in entry 2/);
    assert.equal((await journal.head()).seq, 4);
  }),

  journalCase("[CO2] segments follow one another, none longer than it may", async ({ journal }) => {
    const entries = await appendNotes(journal, 8);
    const { segments } = await compactTo(journal, 7, 3);
    assert.deepEqual(await journal.segments(), segments);
    const spans = segments.map(({ firstSeq, last, entryCount }) => [
      firstSeq,
      last.seq,
      entryCount,
    ]);
    assert.deepEqual(spans, [
      [1, 3, 3],
      [4, 6, 3],
      [7, 7, 1],
    ]);
    let after: Head = GENESIS;
    for (const segment of segments) {
      assert.deepEqual(segment.after, after);
      assert.equal(segment.last.hash, entries[segment.last.seq - 1]?.hash);
      assert.equal(segment.lastAtMs, entries[segment.last.seq - 1]?.at_ms);
      await journal.inspectSegment(segment);
      after = segment.last;
    }
  }),

  journalCase("[CO2] no segment has more bytes than it may", async ({ journal }) => {
    const texts = [300, 300, 5_000, 300, 300, 300, 300].map((size) => "x".repeat(size));
    for (const [index, text] of texts.entries())
      await appendAll(journal, [noteDraft(`c-sized-${index}`, text)]);
    const head = await journal.head();
    await keepSnapshot(journal, head);
    const bytesMax = 4_000;
    const { segments } = await journal.compact({ untilSeq: 6, segmentBytesMax: bytesMax });
    assert.deepEqual(await journal.segments(), segments);
    const long = segments.filter(({ sizeBytes }) => sizeBytes > bytesMax);
    // Only the entry that fits in none stands in one that is longer, alone.
    assert.deepEqual(
      long.map(({ firstSeq, last }) => [firstSeq, last.seq]),
      [[3, 3]],
    );
    assert.ok(segments.length < 6, "what fits stands together");
    assert.equal(segments.at(-1)?.last.seq, 6);
    await journal.inspect();
  }),

  journalCase("[CO3] a second compaction has nothing to do", async ({ journal }) => {
    await appendNotes(journal, 5);
    await compactTo(journal, 4, 3);
    const segments = await journal.segments();
    assert.deepEqual(await journal.compact({ untilSeq: 4 }), { segments: [], movedCount: 0 });
    assert.deepEqual(await journal.compact({ untilSeq: 2 }), { segments: [], movedCount: 0 });
    assert.deepEqual(await journal.segments(), segments);
  }),

  journalCase("[CO3] compacting again goes on where the archive ends", async ({ journal }) => {
    const entries = await appendNotes(journal, 9);
    for (const untilSeq of [2, 3, 7, 8]) await compactTo(journal, untilSeq);
    const lasts = (await journal.segments()).map(({ last }) => last.seq);
    assert.deepEqual(lasts, [2, 3, 7, 8]);
    assert.deepEqual(await journal.read(GENESIS, 20), entries);
    await journal.inspect();
  }),

  journalCase("[CO4] what opening needs stays where it is", async ({ journal }) => {
    const entries = await appendNotes(journal, 4);
    await assert.rejects(journal.compact({ untilSeq: 1 }), /must stay/);
    await keepSnapshot(journal, entries[1]);
    await assert.rejects(journal.compact({ untilSeq: 3 }), /must stay/);
    await keepSnapshot(journal, entries[3]);
    await assert.rejects(journal.compact({ untilSeq: 4 }), /must stay/);
    assert.deepEqual(await journal.segments(), []);
    await journal.compact({ untilSeq: 3 });
    assert.equal((await journal.segments()).length, 1);
  }),

  journalCase("[CO5] a gap and its epoch are archived too (leases H24)", async ({ journal }) => {
    const kept = headOf((await appendNotes(journal, 3)).at(-1) ?? GENESIS);
    await appendAll(journal, [recovery(kept, 9), noteDraft("c-a", "on"), noteDraft("c-b", "on")]);
    const before = await answersOf(journal);
    for (const untilSeq of [3, 7, 10, 11]) await compactTo(journal, untilSeq, 2);
    const spans = (await journal.segments()).map(({ firstSeq, last, epoch }) => [
      firstSeq,
      last.seq,
      epoch,
    ]);
    assert.deepEqual(spans, [
      [1, 2, 0],
      [3, 3, 0],
      [10, 10, 1],
      [11, 11, 1],
    ]);
    assert.deepEqual(await answersOf(journal), before);
    await journal.inspect();
  }),

  {
    name: "[CO6] a compacted journal is taken elsewhere with the same bytes",
    async run(open) {
      const clock = new FakeClock();
      const from = await open({ clock });
      const to = await open({ clock });
      await appendNotes(from, 6);
      const stored = await from.readStored(0, 10);
      await compactTo(from, 5, 2);
      assert.deepEqual(await from.readStored(0, 10), stored);
      assert.deepEqual(await to.load(await from.readStored(0, 10)), await from.head());
      assert.deepEqual(await to.readStored(0, 10), stored);
      await from.close();
      await to.close();
    },
  },

  journalCase("[CO7] of two compactions at once one is told (leases H45)", async ({ journal }) => {
    const entries = await appendNotes(journal, 6);
    await keepSnapshot(journal, entries[5]);
    const both = await Promise.allSettled([
      journal.compact({ untilSeq: 5, segmentEntriesMax: 2 }),
      journal.compact({ untilSeq: 5, segmentEntriesMax: 2 }),
    ]);
    const refused = both.flatMap((one) =>
      one.status === "rejected" ? [one.reason as unknown] : [],
    );
    assert.equal(refused.length, 1);
    assert.ok(isFault("storage_busy")(refused[0]));
    assert.equal((await journal.segments()).length, 3);
    assert.deepEqual(await journal.read(GENESIS, 20), entries);
    await journal.inspect();
  }),

  journalCase("[CO8] what is appended meanwhile is there (leases H44)", async ({ journal }) => {
    const entries = await appendNotes(journal, 6);
    await keepSnapshot(journal, entries[5]);
    const appended: Entry[] = [];
    const appending: Promise<void>[] = [];
    await journal.compact({
      untilSeq: 5,
      segmentEntriesMax: 1,
      onProgress: () => {
        const id = `c-meanwhile-${appending.length}`;
        const one = async (): Promise<void> => {
          appended.push(...(await appendAll(journal, [noteDraft(id, "meanwhile")])));
        };
        appending.push((appending.at(-1) ?? Promise.resolve()).then(one));
      },
    });
    await Promise.all(appending);
    assert.ok(appended.length >= 5);
    assert.deepEqual(await journal.read(GENESIS, 50), [...entries, ...appended]);
    await journal.inspect();
  }),

  journalCase("[CO9] a compaction that is stopped is gone on with", async ({ journal }) => {
    const entries = await appendNotes(journal, 6);
    await keepSnapshot(journal, entries[5]);
    const stopping = new AbortController();
    const so = { untilSeq: 5, segmentEntriesMax: 2 };
    const onProgress = (): void => stopping.abort(new Error("enough"));
    await assert.rejects(journal.compact({ ...so, onProgress, signal: stopping.signal }), /enough/);
    assert.deepEqual(await journal.read(GENESIS, 20), entries);
    await journal.compact(so);
    assert.equal((await journal.segments()).at(-1)?.last.seq, 5);
    assert.deepEqual(await journal.read(GENESIS, 20), entries);
    await journal.inspect();
  }),
];

/** Everything that a journal can be asked about its entries. */
async function answersOf(journal: Journal): Promise<object> {
  const entries = await journal.read(GENESIS, 50);
  const pages = [];
  for (const entry of entries) pages.push(await journal.read(headOf(entry), 3));
  const ids = [...new Set(entries.map(({ id }) => id))];
  return {
    head: await journal.head(),
    entries,
    pages,
    stored: await journal.readStored(0, 50),
    recalled: await Promise.all(ids.map((id) => journal.recall(id))),
    about: await Promise.all(
      ["w-aaaaaaaaaaaaaaaa", "w-b", "w-c"].map((subject) => journal.about(subject, 50)),
    ),
  };
}

async function compactTo(
  journal: Journal,
  untilSeq: number,
  segmentEntriesMax = 100,
): ReturnType<Journal["compact"]> {
  await keepSnapshot(journal, await journal.head());
  return journal.compact({ untilSeq, segmentEntriesMax });
}

async function keepSnapshot(journal: Journal, at: Head | undefined): Promise<void> {
  assert.ok(at !== undefined);
  const state = `{"seq":${at.seq}}`;
  const stateHash = createHash("sha256").update(state).digest("hex");
  await journal.saveSnapshot({ ...headOf(at), rules: 1, state, stateHash });
}

function refusal(id: string, worker: string): Draft {
  const event = {
    kind: "command.refused",
    data: { code: "worker_unknown", message: "no such worker", facts: { worker } },
  } as const;
  return { ...noteDraft(id, "no", worker), event };
}

function recovery(kept: Head, rememberedSeq: number): Draft {
  const hashes = { kept_hash: kept.hash, remembered_hash: "9".repeat(64) };
  const data = { reason: "lost", kept_seq: kept.seq, remembered_seq: rememberedSeq, ...hashes };
  const command = {
    kind: "fleet.recover",
    data: { reason: "lost", workers: [], remembered_seq: rememberedSeq, ...hashes },
  } as const;
  const event = { kind: "fleet.recovered", data: { ...data, epoch: 1 } } as const;
  return { ...noteDraft("c-recover", ""), command, event };
}
