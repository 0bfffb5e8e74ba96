import { expect, onTestFinished, test } from "vitest";
import { readConfig } from "../../src/config/config.ts";
import {
  DEFAULT_CONTRACT,
  wholeContract,
  type Contract,
  type RetentionRules,
} from "../../src/kernel/fleet/contract.ts";
import { LIMITS } from "../../src/kernel/limits.ts";
import { GENESIS } from "../../src/ports/journal.ts";
import type { Loop } from "../../src/runtime/loop.ts";
import { Archiving } from "../../src/supervisor/archiving.ts";
import { granted, KILL, OPERATOR, PAUSE, RESUME, Rig, SIGNER } from "../runtime/rig.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

interface World {
  readonly rig: Rig;
  readonly loop: Loop;
  readonly archiving: Archiving;
  /** Has so many entries written, and now and then a head signed. */
  readonly write: (count: number) => Promise<void>;
  readonly archivedSeq: () => Promise<number>;
}

async function world(retention: Partial<RetentionRules>, signEveryEntries = 10): Promise<World> {
  const rig = new Rig();
  const loop = await rig.found(
    { retention: { ...DEFAULT_CONTRACT.retention, ...retention } },
    { signEveryEntries },
  );
  const { timers, log, journal } = rig;
  const seat = { timers, log, loop, store: { journal }, keys: { signer: SIGNER } };
  const archiving = new Archiving(seat);
  onTestFinished(async () => {
    await archiving.close();
    await loop.close();
  });
  return {
    rig,
    loop,
    archiving,
    write: async (count) => {
      for (let index = 0; index < count; index += 1) {
        await granted(loop.submit(loop.state().status === "open" ? PAUSE : RESUME, OPERATOR));
        await timers.settle();
      }
    },
    archivedSeq: async () => (await journal.segments()).at(-1)?.last.seq ?? 0,
  };
}

test("[RN1] what is older than is kept is archived within an hour (leases H32)", async () => {
  const { rig, loop, write, archivedSeq } = await world({ keep_ms: 30 * DAY_MS });
  await write(24);
  const oldest = (await rig.journal.read(GENESIS, 100)).findLast(({ seq }) => seq < 20);
  await rig.timers.advance(10 * DAY_MS);
  await write(30);
  expect(await archivedSeq()).toBe(0);
  const { seq: youngSeq } = loop.head();
  // To the hour: the first look after thirty days.
  await rig.timers.advance(20 * DAY_MS - HOUR_MS);
  expect(await archivedSeq()).toBe(0);
  await rig.timers.advance(2 * HOUR_MS);
  const archived = await archivedSeq();
  expect(archived).toBeGreaterThanOrEqual(oldest?.seq ?? 99);
  const entries = await rig.journal.read(GENESIS, 200);
  const newest = entries.find(({ seq }) => seq === archived);
  expect(rig.clock.wallMs - (newest?.at_ms ?? 0)).toBeGreaterThanOrEqual(30 * DAY_MS);
  expect(archived).toBeLessThan(youngSeq - 25);
  await rig.journal.inspect();
});

test("[RN8] a wall clock that is wrong makes no entry old", async () => {
  const { rig, write, archivedSeq } = await world({ keep_ms: 30 * DAY_MS });
  await write(24);
  rig.clock.stepWall(31 * DAY_MS);
  await rig.timers.advance(HOUR_MS);
  expect(await archivedSeq()).toBe(0);
  expect(rig.warnings).toEqual(["old entries could not be archived"]);
  rig.clock.stepWall(-31 * DAY_MS);
  await rig.timers.advance(31 * DAY_MS);
  expect(await archivedSeq()).toBeGreaterThan(20);
});

test("[RN2] beyond so many entries the oldest are archived, old or not (leases H32)", async () => {
  const { rig, loop, write, archivedSeq } = await world({ keep_entries: 20 });
  await write(40);
  await rig.timers.advance(HOUR_MS);
  expect(await archivedSeq()).toBe(loop.head().seq - 20);
  expect(await rig.journal.segments()).toHaveLength(1);
  await write(6);
  await rig.timers.advance(HOUR_MS);
  expect(await archivedSeq()).toBe(loop.head().seq - 20);
});

test("[RN3] nothing is archived unless the contract says so", async () => {
  const { rig, write, archivedSeq } = await world({});
  await write(40);
  await rig.timers.advance(3_650 * DAY_MS);
  expect(await archivedSeq()).toBe(0);
  expect(DEFAULT_CONTRACT.retention).toEqual({ keep_ms: 0, keep_entries: 0 });
});

test("[RN4] what no signed head vouches for stays", async () => {
  const { rig, loop, write, archivedSeq } = await world({ keep_entries: 1 }, 30);
  await write(50);
  await rig.timers.advance(HOUR_MS);
  const [newest] = await rig.journal.snapshots();
  expect(newest?.seq).toBeLessThan(loop.head().seq - 1);
  expect(await archivedSeq()).toBe(newest?.seq);
});

test("[RN5] a fleet that is killed is not archived, and a kill cuts it short", async () => {
  const { rig, loop, write, archivedSeq } = await world({ keep_entries: 5 });
  await write(20);
  await granted(loop.submit(KILL, OPERATOR));
  await rig.timers.advance(2 * HOUR_MS);
  expect(await archivedSeq()).toBe(0);
  expect(rig.warnings).toEqual([]);
});

test("[RN6] retention keeps a day and an hour, or a thousand entries, at least", () => {
  const read = (lines: string): RetentionRules =>
    readConfig(`[retention]\n${lines}\n`, "stint.toml").contract.retention;
  expect(read('keep = "30d"')).toEqual({ keep_ms: 30 * DAY_MS, keep_entries: 0 });
  expect(read('keep = "25h"\nkeep_entries = 1000')).toEqual({
    keep_ms: LIMITS.retentionMsMin,
    keep_entries: LIMITS.retentionEntriesMin,
  });
  expect(() => read('keep = "24h"')).toThrow(/stint\.toml:2: retention\.keep must be 0, or at/);
  expect(() => read("keep_entries = 999")).toThrow(
    /retention\.keep_entries must be 0, or at least/,
  );
  expect(() => read('kep = "30d"')).toThrow(/did you mean keep\?/);
});

test("[RN7] what an older contract could not say is off", () => {
  const { retention: _, ...older } = DEFAULT_CONTRACT;
  expect(wholeContract(older as Contract).retention).toEqual({
    keep_ms: 0,
    keep_entries: 0,
  });
});
