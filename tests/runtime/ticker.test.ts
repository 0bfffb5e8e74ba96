import { expect, test } from "vitest";
import type { Contract } from "../../src/kernel/fleet/contract.ts";
import type { Loop } from "../../src/runtime/loop.ts";
import { Ticker } from "../../src/runtime/ticker.ts";
import { FaultyJournal } from "./faulty-journal.ts";
import { admit, begin, granted, idOf, OPERATOR, PAUSE, Rig } from "./rig.ts";

interface Ticking {
  readonly rig: Rig;
  readonly journal: FaultyJournal;
  readonly loop: Loop;
  readonly ticker: Ticker;
}

async function ticking(contract: Partial<Contract> = {}): Promise<Ticking> {
  let journal: FaultyJournal | undefined;
  const rig = new Rig((inner) => (journal = new FaultyJournal(inner)));
  if (journal === undefined) throw new Error("a rig wraps its journal");
  const loop = await rig.found({ register_within_ms: 5_000, lifetime_ms: 20_000, ...contract });
  return { rig, journal, loop, ticker: tickerOf(rig, loop) };
}

function tickerOf(rig: Rig, loop: Loop): Ticker {
  return new Ticker({ loop, clock: rig.clock, timers: rig.timers, log: rig.log });
}

test("[TK1] what time ends is journaled at its instant (replication B2)", async () => {
  const { rig, loop, ticker } = await ticking();
  ticker.start();
  await begin(loop, "a");
  await granted(loop.submit(admit("b"), OPERATOR));
  const from = loop.head().seq;
  await rig.timers.advance(4_999);
  expect(loop.head().seq).toBe(from);
  await rig.timers.advance(1);
  expect((await rig.kinds()).at(-1)).toBe("worker.lapsed");
  await rig.timers.advance(14_999);
  expect(loop.state().workers.get(idOf("a"))?.status).toBe("running");
  await rig.timers.advance(1);
  expect(loop.state().workers.get(idOf("a"))?.stopping?.reason).toBe("expired");
  const ticks = (await rig.entries()).filter((entry) => entry.command?.kind === "clock.tick");
  expect(ticks.map(({ kind, actor }) => [kind, actor.kind])).toEqual([
    ["worker.lapsed", "system"],
    ["worker.stopping", "system"],
  ]);
  await ticker.stop();
  await loop.close();
});

test("[TK2] without a deadline nothing ticks, and with one only when it is due", async () => {
  const { rig, journal, loop, ticker } = await ticking({ lifetime_ms: 10 * 86_400_000 });
  ticker.start();
  await rig.timers.advance(86_400_000);
  expect(rig.timers.count).toBe(0);
  await begin(loop, "a");
  const before = journal.appendCount;
  await rig.timers.advance(60_000);
  // One look at the clock in 30 s, in case this machine was suspended, and nothing written.
  expect(journal.appendCount - before).toBe(2);
  expect((await rig.kinds()).at(-1)).toBe("worker.registered");
  await ticker.stop();
  await loop.close();
});

test("[TK3] a deadline that passed while nobody ran is met at once", async () => {
  const { rig, loop } = await ticking();
  await granted(loop.submit(admit("a"), OPERATOR));
  await loop.close();
  rig.clock.suspend(3_600_000);
  const opened = await rig.open();
  const ticker = tickerOf(rig, opened);
  ticker.start();
  await rig.timers.advance(0);
  expect(opened.state().live_count).toBe(0);
  await ticker.stop();
  await opened.close();
});

test("[TK4] after a suspend a deadline is met in half a minute (replication G2)", async () => {
  const { rig, loop, ticker } = await ticking({ lifetime_ms: 3_600_000 });
  ticker.start();
  await begin(loop, "a");
  // The monotonic clock stands still meanwhile.
  rig.clock.suspend(3_600_000);
  await rig.timers.advance(30_000);
  expect(loop.state().workers.get(idOf("a"))?.status).toBe("stopping");
  await ticker.stop();
  await loop.close();
});

test("[TK5] a fault is waited out, and the tick comes after it", async () => {
  const { rig, journal, loop, ticker } = await ticking();
  ticker.start();
  await granted(loop.submit(admit("a"), OPERATOR));
  journal.troubles.push({ kind: "before", code: "storage_full" });
  await rig.timers.advance(5_000);
  expect(loop.state().live_count).toBe(1);
  expect(rig.warnings).toContain("a tick failed");
  await rig.timers.advance(1_000);
  expect(loop.state().live_count).toBe(0);
  await ticker.stop();
  await loop.close();
});

test("[TK6] a stopped ticker ticks no more; starting and stopping twice is safe", async () => {
  const { rig, loop, ticker } = await ticking();
  ticker.start();
  ticker.start();
  await granted(loop.submit(admit("a"), OPERATOR));
  expect(rig.timers.count).toBe(1);
  await ticker.stop();
  await ticker.stop();
  expect(rig.timers.count).toBe(0);
  await granted(loop.submit(PAUSE, OPERATOR));
  expect(rig.timers.count).toBe(0);
  await rig.timers.advance(10_000);
  expect(loop.state().live_count).toBe(1);
  ticker.start();
  await rig.timers.advance(0);
  expect(loop.state().live_count).toBe(0);
  await ticker.stop();
  await loop.close();
});
