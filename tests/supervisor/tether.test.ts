import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { DEFAULT_CONTRACT } from "../../src/kernel/fleet/contract.ts";
import { INITIAL_STATE } from "../../src/kernel/state.ts";
import { GENESIS, type Head } from "../../src/ports/journal.ts";
import { SYSTEM_TIMERS } from "../../src/runtime/timers.ts";
import { systemClock } from "../../src/system/clock.ts";
import { Tether } from "../../src/supervisor/tether.ts";
import type { Order } from "./fixtures/obeying.ts";
import { makeRig, type Rig, type Rung, type Supervised } from "./rig.ts";

const TETHER_MS = 1_000;
const SLEEP = ["/bin/sleep", "600"];
const WITHIN = { timeout: 20_000, interval: 20 };

/** A fleet whose store does as it is told. */
async function makeTethered(rung: Rung = "process-group") {
  const rig = await makeRig({ tetherMs: TETHER_MS });
  const obeys = join(rig.folder, "order");
  const tell = (order: Order): void => writeFileSync(obeys, order);
  const supervised = await rig.supervise({ rung, obeys });
  return { rig, tell, supervised };
}

function logOf(rig: Rig, message: string): readonly Readonly<Record<string, unknown>>[] {
  const lines = readFileSync(join(rig.stateDir, "supervisor.log"), "utf8").trim().split("\n");
  const entries = lines.map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>);
  return entries.filter((entry) => entry["msg"] === message);
}

const CUT = "the store cannot be reached: all workers are ended";

/** Stops a process for so long, and lets it go on. */
async function holdUp({ child }: Supervised, forMs: number): Promise<void> {
  const sinceMs = performance.now();
  child.kill("SIGSTOP");
  await expect.poll(() => performance.now() - sinceMs, WITHIN).toBeGreaterThan(forMs);
  child.kill("SIGCONT");
}

describe("a supervisor whose store", () => {
  test.each([
    ["hang", "process-group"],
    ["fail", "process-group"],
    ["hang", "best"],
  ] as const)(
    "[TE1] answers no more (%s) ends its workers when its tether is over, on the rung %s",
    async (order, rung) => {
      const { rig, tell } = await makeTethered(rung);
      const ids = [
        await rig.start(SLEEP),
        await rig.start(["/bin/sh", "-c", "trap '' TERM; sleep 600"]),
      ];
      await expect.poll(() => rig.processes().length, WITHIN).toBeGreaterThanOrEqual(2);
      const toldMs = performance.now();
      tell(order);
      await expect.poll(() => rig.processes().length, WITHIN).toBe(0);
      // Contact counts from when its request was sent: at most a quarter of the tether before.
      expect(performance.now() - toldMs).toBeGreaterThan(TETHER_MS / 2);
      for (const id of ids) expect(await rig.entriesAbout(id, "worker.stopped")).toEqual([]);
      expect(logOf(rig, CUT)).toMatchObject([{ tether_ms: TETHER_MS }]);

      tell("work");
      for (const id of ids) expect((await rig.end(id)).outcome.killedBy).toBe("tether");
      // It goes on: who comes after lives.
      const next = await rig.start(SLEEP);
      expect((await rig.fleet.worker(next))?.status).toBe("running");
      expect(rig.processes()).toHaveLength(1);
    },
  );

  test("[TE2] answers again within its tether ends nobody", async () => {
    const { rig, tell } = await makeTethered();
    const id = await rig.start(SLEEP);
    for (let n = 0; n < 3; n += 1) {
      tell("fail");
      const sinceMs = performance.now();
      await expect.poll(() => performance.now() - sinceMs, WITHIN).toBeGreaterThan(TETHER_MS / 3);
      tell("work");
      await expect.poll(() => performance.now() - sinceMs, WITHIN).toBeGreaterThan(TETHER_MS);
    }
    expect(rig.processes()).toHaveLength(1);
    expect((await rig.fleet.worker(id))?.status).toBe("running");
    expect(logOf(rig, CUT)).toEqual([]);
  });

  test("[TE3] works ends nobody after it stood still for longer than its tether", async () => {
    const { rig, supervised } = await makeTethered();
    await rig.start(SLEEP);
    await holdUp(supervised, 2.5 * TETHER_MS);
    // Asked over its socket it runs again; then its next looks have their time.
    await rig.operator("/v1/status");
    const sinceMs = performance.now();
    await expect.poll(() => performance.now() - sinceMs, WITHIN).toBeGreaterThan(TETHER_MS);
    expect(rig.processes()).toHaveLength(1);
    expect(logOf(rig, CUT)).toEqual([]);
  });
});

/** A tether over a journal that answers as it is told, and a clock that can jump. */
function makeTether(head: () => Promise<Head>) {
  let aheadMs = 0;
  const host = systemClock();
  const struck: string[] = [];
  const own = new Set<string>();
  const contract = { ...DEFAULT_CONTRACT, tether_ms: TETHER_MS };
  const clock = {
    read: () => host.read(),
    monotonicMs: () => host.monotonicMs() + aheadMs,
  };
  const tether = new Tether({
    seat: {
      clock,
      timers: SYSTEM_TIMERS,
      log: { warn: () => undefined, info: () => undefined },
      loop: { state: () => ({ ...INITIAL_STATE, contract }) },
      store: { journal: { head } },
    },
    sandboxes: { own, isRunning: () => true, endAll: (by) => void struck.push(by) },
    isBusy: () => own.size > 0,
  });
  const jump = (ms: number): void => {
    aheadMs += ms;
  };
  return { tether, own, struck, jump };
}

describe("a tether", () => {
  test("[TE3] that is over while a request waits is asked about once more", async () => {
    const asks: PromiseWithResolvers<Head>[] = [];
    const held = makeTether(() => {
      const ask = Promise.withResolvers<Head>();
      asks.push(ask);
      return ask.promise;
    });
    held.own.add("w-a");
    held.tether.begin();
    await expect.poll(() => asks.length, WITHIN).toBe(1);
    // The process stood still with its request on the way.
    held.jump(10 * TETHER_MS);
    await expect.poll(() => asks.length, WITHIN).toBe(2);
    asks[1]?.resolve(GENESIS);
    await expect.poll(() => asks.length, WITHIN).toBe(3);
    expect(held.struck).toEqual([]);
    // Nobody stands still now, and nobody answers.
    await expect.poll(() => held.struck, WITHIN).toEqual(["tether"]);
    await held.tether.close();
  });

  test("[TE4] asks nothing while there is nobody to hold", async () => {
    let askedCount = 0;
    const held = makeTether(async () => {
      askedCount += 1;
      return GENESIS;
    });
    held.tether.begin();
    await SYSTEM_TIMERS.turn();
    expect(askedCount).toBe(0);
    held.own.add("w-a");
    held.tether.begin();
    await expect.poll(() => askedCount, WITHIN).toBeGreaterThan(1);
    held.own.clear();
    await expect.poll(() => held.tether.isHolding, WITHIN).toBe(false);
    const lastCount = askedCount;
    await SYSTEM_TIMERS.turn();
    expect(askedCount).toBe(lastCount);
    await held.tether.close();
  });

  test("[TE1] sends no more than a few requests that nobody answers", async () => {
    let askedCount = 0;
    const held = makeTether(() => {
      askedCount += 1;
      return new Promise(() => undefined);
    });
    held.own.add("w-a");
    held.tether.begin();
    await expect.poll(() => askedCount, WITHIN).toBe(8);
    const sinceMs = performance.now();
    await expect.poll(() => performance.now() - sinceMs, WITHIN).toBeGreaterThan(TETHER_MS);
    expect(askedCount).toBe(8);
    await held.tether.close();
  });
});
