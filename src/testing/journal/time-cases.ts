import assert from "node:assert/strict";
import { LIMITS } from "../../kernel/limits.ts";
import { GENESIS, type AppendOptions } from "../../ports/journal.ts";
import { FakeClock } from "../fake-clock.ts";
import {
  appendNotes,
  isFault,
  journalCase,
  noteDraft,
  type Bench,
  type JournalCase,
} from "./case.ts";

const DAY_MS = 86_400_000;

/** How journal time follows the host's clocks. */
export const TIME_CASES: readonly JournalCase[] = [
  journalCase("[CK1] the first entry has the wall clock's time", async ({ journal, clock }) => {
    const [entry] = await appendNotes(journal, 1);
    assert.equal(entry?.at_ms, clock.wallMs);
  }),

  journalCase("[CK2] on one boot time advances by time since boot", async (bench) => {
    const startMs = await appendOne(bench);
    const { clock } = bench;
    clock.advance(1_000);
    clock.stepWall(3_000);
    assert.equal(await appendOne(bench), startMs + 1_000);
    clock.advance(0);
    assert.equal(await appendOne(bench), startMs + 1_000);
    clock.suspend(86_400_000 * 30);
    assert.equal(await appendOne(bench), startMs + 1_000 + 86_400_000 * 30);
  }),

  journalCase("[CK3] a stepped wall clock is a skew, both times shown", async (bench) => {
    await appendOne(bench);
    const { clock, journal } = bench;
    for (const stepMs of [5_001, -5_001]) {
      const wallMs = clock.wallMs;
      clock.wallMs += stepMs;
      const skew = (error: unknown): boolean =>
        isFault("clock_skew")(error) &&
        String(error).includes(new Date(wallMs).toISOString()) &&
        String(error).includes(new Date(wallMs + stepMs).toISOString());
      await assert.rejects(appendOne(bench), skew);
      clock.wallMs = wallMs;
    }
    assert.equal((await journal.head()).seq, 1);
    clock.wallMs += 5_000;
    await appendOne(bench);
    clock.wallMs -= 10_000;
    await appendOne(bench);
  }),

  journalCase("[CK11] small steps within a boot add up to a skew", async (bench) => {
    const startMs = await appendOne(bench);
    const { clock } = bench;
    clock.wallMs += 4_000;
    assert.equal(await appendOne(bench), startMs);
    clock.wallMs += 4_000;
    await assert.rejects(appendOne(bench), isFault("clock_skew"));
  }),

  journalCase("[CK4] after a boot time is the later of wall and head", async (bench) => {
    const startMs = await appendOne(bench);
    const { clock } = bench;
    clock.reboot("b", 60_000);
    assert.equal(await appendOne(bench), startMs + 60_000);
    clock.reboot("c", -5_000);
    assert.equal(await appendOne(bench), startMs + 60_000);
    clock.advance(7);
    assert.equal(await appendOne(bench), startMs + 60_007);
  }),

  journalCase("[CK5] after a boot too early or far too late is a skew", async (bench) => {
    const startMs = await appendOne(bench);
    const { clock } = bench;
    clock.reboot("b", -5_001);
    await assert.rejects(appendOne(bench), isFault("clock_skew"));
    clock.wallMs = startMs + LIMITS.clockStepMsMax + 1;
    await assert.rejects(appendOne(bench), isFault("clock_skew"));
    clock.wallMs -= 1;
    assert.equal(await appendOne(bench), startMs + LIMITS.clockStepMsMax);
  }),

  journalCase("[CK6] time since boot that falls is a skew, or stands", async (bench) => {
    const startMs = await appendOne(bench);
    const { clock } = bench;
    clock.bootMs -= 20;
    assert.equal(await appendOne(bench), startMs);
    clock.bootMs -= 6_000;
    clock.wallMs -= 6_000;
    await assert.rejects(appendOne(bench), isFault("clock_skew"));
  }),

  journalCase("[CK10] the tolerance can be taken from the contract", async (bench) => {
    await appendOne(bench);
    const { clock, journal } = bench;
    clock.wallMs += 8_000;
    await assert.rejects(appendOne(bench), isFault("clock_skew"));
    journal.setClockTolerance(8_000);
    await appendOne(bench);
    journal.setClockTolerance(7_999);
    await assert.rejects(appendOne(bench), isFault("clock_skew"));
  }),

  {
    name: "[CK9] an operator's word ties journal time to the wall clock, once",
    async run(open) {
      const clock = new FakeClock();
      const from = await open({ clock });
      await appendNotes(from, 1);
      const stored = await from.readStored(0, 1);
      await from.close();

      clock.stepWall(LIMITS.clockStepMsMax + 1);
      const wary = await open({ clock });
      await wary.load(stored);
      await assert.rejects(appendOne({ clock, journal: wary }), isFault("clock_skew"));
      await wary.close();

      const journal = await open({ clock });
      await journal.load(stored);
      assert.equal(await acceptClock({ clock, journal }), clock.wallMs);
      clock.stepWall(LIMITS.clockStepMsMax + 1);
      await assert.rejects(appendOne({ clock, journal }), isFault("clock_skew"));
      await journal.close();
    },
  },

  journalCase("[CK13] accepted while behind, time goes on from its last value", async (bench) => {
    const startMs = await appendOne(bench);
    const { clock } = bench;
    clock.advance(1_000);
    clock.stepWall(-30 * DAY_MS);
    await assert.rejects(appendOne(bench), isFault("clock_skew"));
    assert.equal(await acceptClock(bench), startMs + 1_000);
    clock.advance(500);
    assert.equal(await appendOne(bench), startMs + 1_500);
  }),

  journalCase("[CK13] accepted while behind, it goes on over boots", async (bench) => {
    const startMs = await appendOne(bench);
    const { clock } = bench;
    clock.stepWall(-30 * DAY_MS);
    assert.equal(await acceptClock(bench), startMs);
    // An hour off: it stands, the wall clock comes nearer.
    clock.reboot("b", 3_600_000);
    assert.equal(await appendOne(bench), startMs);
    clock.advance(70);
    assert.equal(await appendOne(bench), startMs + 70);
    clock.reboot("c", -29 * DAY_MS - 3_600_000);
    await assert.rejects(appendOne(bench), isFault("clock_skew"));
  }),

  journalCase("[CK13] a clock that has caught up is one like any other", async (bench) => {
    const startMs = await appendOne(bench);
    const { clock } = bench;
    clock.stepWall(-30 * DAY_MS);
    await acceptClock(bench);
    clock.advance(1_000);
    // On its way it may be anywhere in between.
    clock.stepWall(15 * DAY_MS);
    assert.equal(await appendOne(bench), startMs + 1_000);
    clock.stepWall(15 * DAY_MS);
    assert.equal(await appendOne(bench), startMs + 1_000);
    clock.stepWall(-5_001);
    await assert.rejects(appendOne(bench), isFault("clock_skew"));
  }),

  journalCase("[CK13] behind it must not fall back, nor run ahead", async (bench) => {
    await appendOne(bench);
    const { clock } = bench;
    clock.stepWall(-30 * DAY_MS);
    await acceptClock(bench);
    clock.stepWall(-5_001);
    await assert.rejects(appendOne(bench), isFault("clock_skew"));
    clock.stepWall(5_001 + 30 * DAY_MS + 5_001);
    await assert.rejects(appendOne(bench), isFault("clock_skew"));
  }),

  journalCase(
    "[CK14] accepted while ahead, time is the wall clock's, also a boot later",
    async (bench) => {
      const startMs = await appendOne(bench);
      const { clock } = bench;
      clock.stepWall(8 * DAY_MS);
      await assert.rejects(appendOne(bench), isFault("clock_skew"));
      assert.equal(await acceptClock(bench), startMs + 8 * DAY_MS);
      clock.reboot("b", 1_000);
      assert.equal(await appendOne(bench), startMs + 8 * DAY_MS + 1_000);
      clock.reboot("c", 8 * DAY_MS);
      await assert.rejects(appendOne(bench), isFault("clock_skew"));
      assert.equal(await acceptClock(bench), clock.wallMs);
    },
  ),

  journalCase("[CK7] a decision that grew too old is taken anew", async ({ journal, clock }) => {
    const startMs = clock.wallMs;
    const seenAtMs: number[] = [];
    const outcome = await journal.append(GENESIS, (atMs) => {
      seenAtMs.push(atMs);
      clock.advance(seenAtMs.length === 1 ? LIMITS.decisionAgeMsMax + 1 : LIMITS.decisionAgeMsMax);
      return [noteDraft("c-1", `decided at ${atMs}`)];
    });
    const againMs = startMs + LIMITS.decisionAgeMsMax + 1;
    assert.deepEqual(seenAtMs, [startMs, againMs]);
    assert.ok(outcome.kind === "appended");
    assert.equal(outcome.entries[0]?.at_ms, againMs);
    assert.equal((await journal.head()).seq, 1);
  }),

  journalCase("[CK7] a host that boots meanwhile makes it too old", async ({ journal, clock }) => {
    let count = 0;
    await journal.append(GENESIS, () => {
      count += 1;
      if (count === 1) clock.reboot("b", 10);
      return [noteDraft("c-1", "decided")];
    });
    assert.equal(count, 2);
  }),

  journalCase("[CK8] decisions that keep growing old give up", async ({ journal, clock }) => {
    const append = journal.append(GENESIS, () => {
      clock.advance(LIMITS.decisionAgeMsMax + 1);
      return [noteDraft("c-1", "slow")];
    });
    const isRetryable = (error: unknown): boolean =>
      isFault("storage_busy")(error) && (error as { retryable?: boolean }).retryable === true;
    await assert.rejects(append, isRetryable);
    assert.deepEqual(await journal.head(), GENESIS);
  }),
];

/** Appends an entry and answers its journal time. */
function appendOne(bench: Bench): Promise<number> {
  return append(bench, {});
}

/** Appends an entry with an operator's word about the clock, and answers its journal time. */
function acceptClock(bench: Bench): Promise<number> {
  return append(bench, { acceptsClock: true });
}

async function append({ journal }: Bench, options: AppendOptions): Promise<number> {
  const head = await journal.head();
  const drafts = [noteDraft(`c-${head.seq + 1}`, "tick")];
  const outcome = await journal.append(head, () => drafts, options);
  assert.ok(outcome.kind === "appended");
  return outcome.atMs;
}
