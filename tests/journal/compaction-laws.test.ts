import { expect, onTestFinished, test } from "vitest";
import { readAllStored } from "../../sim/audit/stored.ts";
import { simulate } from "../../sim/simulation.ts";
import type { World } from "../../sim/world/world.ts";
import { mayGo } from "../../src/journal/archive/bounds.ts";
import { exportLines } from "../../src/journal/jsonl.ts";
import { memoryJournal } from "../../src/journal/memory.ts";
import { openSqliteJournal } from "../../src/journal/sqlite/open.ts";
import { verifyJournal } from "../../src/journal/verify.ts";
import { RULES } from "../../src/kernel/entry.ts";
import { codeOf } from "../../src/ports/error-code.ts";
import type { Compaction, Journal, Snapshot } from "../../src/ports/journal.ts";
import { SILENT } from "../../src/ports/log.ts";
import { sha256Of } from "../../src/runtime/canonical.ts";
import { hashState, replay } from "../../src/runtime/replay.ts";
import { redecide } from "../../src/runtime/replaying/redeciding.ts";
import { findPlace } from "../../src/runtime/signing/opening.ts";
import { encodeState } from "../../src/runtime/state-codec.ts";
import { isSignedBy } from "../../src/signing/keys.ts";
import { openSigner } from "../../src/signing/signer.ts";
import { FakeClock } from "../../src/testing/fake-clock.ts";
import { seededRandom, type SeededRandom } from "../../src/testing/seeded-random.ts";
import { freshFolder } from "./fixtures/folder.ts";

const STEPS = 120;
const SIGNERS = ["first", "second", "third"].map((name) =>
  openSigner(`simulated secret, the ${name}`),
);

/** A random history: what a simulated world's journal came to, snapshots and all. */
async function history(
  seed: number,
  afterStep: (world: World) => Promise<void> = async () => undefined,
): Promise<{ journal: Journal; snapshots: readonly Snapshot[]; violations: number }> {
  let last: World | undefined;
  const result = await simulate({
    seed,
    stepCount: STEPS,
    async afterStep(world) {
      last = world;
      await afterStep(world);
    },
  });
  if (last === undefined) throw new Error("a simulation has steps");
  const { journal } = last.store;
  const snapshots = await journal.snapshots();
  return { journal, snapshots, violations: result.violations.length };
}

async function copyInto(
  journal: Journal,
  from: { readonly journal: Journal; readonly snapshots: readonly Snapshot[] },
): Promise<Journal> {
  onTestFinished(() => journal.close());
  await journal.load(await readAllStored(from.journal));
  for (const snapshot of from.snapshots.toReversed()) await journal.saveSnapshot(snapshot);
  return journal;
}

/** Compacts again and again, up to ever later places, as far as the newest snapshot reaches. */
async function compactOften(journal: Journal, random: SeededRandom): Promise<void> {
  const { head, state } = await replay(journal);
  const text = encodeState(state);
  const stateHash = sha256Of(text);
  await journal.saveSnapshot({ ...head, rules: RULES, state: text, stateHash });
  let untilSeq = 0;
  for (let round = 0; round < 4; round += 1) {
    untilSeq += random.below(head.seq - untilSeq);
    await journal.compact({ untilSeq, segmentEntriesMax: 1 + random.below(40) });
  }
}

/** All that folding, deciding again, verifying and exporting a journal says of it. */
async function saidOf(journal: Journal): Promise<object> {
  const { head, stateHash } = await replay(journal);
  const lines: string[] = [];
  for await (const line of exportLines(journal)) lines.push(line);
  return {
    head,
    stateHash,
    redecided: await redecide(journal),
    // Worlds have operators who sign what is not so: then both are found to have that.
    verified: await verifyJournal(journal, { verifySignature: isSignedBy }).catch(String),
    lines,
  };
}

const seeds = Array.from({ length: 10 }, () => Math.floor(Math.random() * 2 ** 31));

test.each(seeds)(
  "[CO22] the fold of a compacted history is that of the whole, seed %i",
  async (seed) => {
    const whole = await history(seed);
    const before = await saidOf(whole.journal);
    const random = seededRandom(seed);
    const clock = new FakeClock();
    const inMemory = await copyInto(memoryJournal({ clock }), whole);
    const onDisk = await copyInto(await openSqliteJournal({ folder: freshFolder(), clock }), whole);
    for (const journal of [inMemory, onDisk]) {
      await compactOften(journal, random);
      expect((await journal.segments()).length).toBeGreaterThan(0);
      expect(await saidOf(journal)).toEqual(before);
    }
  },
  60_000,
);

test("[CO23] a compacted journal opens where the whole one does, without its archive", async () => {
  let openedCount = 0;
  for (const seed of seeds) {
    const whole = await history(seed);
    const { state } = await replay(whole.journal);
    const signer = SIGNERS.find(({ key }) => key.key_id === state.key.key_id);
    const [newest] = whole.snapshots;
    const head = await whole.journal.head();
    if (signer === undefined || newest === undefined || !mayGo(newest.seq, head, [newest]))
      continue;
    const journal = await copyInto(memoryJournal({ clock: new FakeClock() }), whole);
    const before = await findPlace({ journal, signer, log: SILENT });
    await journal.compact({ untilSeq: newest.seq });
    const readSeqs: number[] = [];
    const watched: Journal = Object.create(journal, {
      read: {
        value: (...args: Parameters<Journal["read"]>) => {
          readSeqs.push(args[0].seq);
          return journal.read(...args);
        },
      },
      snapshots: { value: () => journal.snapshots() },
      head: { value: () => journal.head() },
    }) as Journal;
    const after = await findPlace({ journal: watched, signer, log: SILENT });
    expect([after.head, hashState(after.state)]).toEqual([before.head, hashState(before.state)]);
    expect(hashState(after.state)).toBe(hashState(state));
    expect(Math.min(...readSeqs)).toBe(newest.seq);
    openedCount += 1;
  }
  expect(openedCount).toBeGreaterThan(0);
}, 120_000);

test("[CO24] a world that is compacted all the time keeps every rule (leases H19)", async () => {
  let segmentCount = 0;
  for (const seed of seeds.slice(0, 5)) {
    const random = seededRandom(seed);
    const compacted = await history(seed, async ({ store }) => {
      const { journal } = store;
      const [head, snapshots] = [await journal.head(), await journal.snapshots()];
      const untilSeq = random.below(1 + (snapshots[0]?.seq ?? 0));
      if (untilSeq === 0 || !mayGo(untilSeq, head, snapshots)) return;
      const so = { untilSeq, segmentEntriesMax: 1 + random.below(9) };
      // A process of the world may be at it, too.
      const done = await journal.compact(so).catch(noneIfBusy);
      segmentCount += done.segments.length;
    });
    expect([seed, compacted.violations]).toEqual([seed, 0]);
    const whole = await copyInto(memoryJournal({ clock: new FakeClock() }), compacted);
    expect(await saidOf(compacted.journal)).toEqual(await saidOf(whole));
  }
  expect(segmentCount).toBeGreaterThan(0);
}, 120_000);

function noneIfBusy(error: unknown): Compaction {
  if (codeOf(error) === "storage_busy") return { segments: [], movedCount: 0 };
  throw error;
}
