import { expect, test } from "vitest";
import type { Contract } from "../../src/kernel/fleet/contract.ts";
import type { Worker } from "../../src/kernel/state.ts";
import { memoryPulse } from "../../src/pulse/memory.ts";
import type { Pulse, PulseReading } from "../../src/ports/pulse.ts";
import type { Loop } from "../../src/runtime/loop.ts";
import { Watcher, type Seen, type WatcherOptions } from "../../src/runtime/watcher.ts";
import { seededRandom } from "../../src/testing/seeded-random.ts";
import { begin, exited, granted, idOf, OPERATOR, Rig, SUPERVISOR } from "./rig.ts";

// Stale from 3 000 ms of silence on, reaped from 8 000 ms on.
const CONTRACT = { beat_every_ms: 1_000, reap_after_ms: 8_000 };

class Watch {
  readonly rig = new Rig();
  readonly seen = new Map<string, Seen>();
  readonly askedFor: string[] = [];
  pulse: Pulse = memoryPulse({ clock: this.rig.clock, random: seededRandom(1) });
  /** Thrown by the next readings while set. */
  readError: Error | undefined;
  loop!: Loop;
  watcher!: Watcher;

  static async on(contract: Partial<Contract> = {}): Promise<Watch> {
    const watch = new Watch();
    watch.loop = await watch.rig.found({ ...CONTRACT, ...contract });
    watch.watcher = watch.watch();
    return watch;
  }

  watch(options: Partial<WatcherOptions> = {}): Watcher {
    const { clock, timers, log } = this.rig;
    return new Watcher({
      loop: this.loop,
      clock,
      timers,
      log,
      everyMs: 100,
      pulse: {
        read: (): Promise<PulseReading> =>
          this.readError === undefined ? this.pulse.read() : Promise.reject(this.readError),
        beat: (worker) => this.pulse.beat(worker),
        forget: (worker) => this.pulse.forget(worker),
        close: () => this.pulse.close(),
      },
      seen: (worker) => {
        this.askedFor.push(worker);
        return this.seen.get(worker) ?? "unknown";
      },
      ...options,
    });
  }

  async beat(name: string): Promise<void> {
    await this.pulse.beat(idOf(name));
  }

  /** Time passes in which the worker beats as it should. */
  async beating(name: string, ms: number): Promise<void> {
    for (let passedMs = 0; passedMs < ms; passedMs += 500) {
      await this.beat(name);
      await this.rig.timers.advance(500);
    }
  }

  worker(name: string): Worker | undefined {
    return this.loop.state().workers.get(idOf(name));
  }

  /** What was journaled of workers since they registered. */
  async heard(): Promise<readonly string[]> {
    const kinds = await this.rig.kinds();
    return kinds.filter((kind) => /staled|recovered|flagged|stopping/.test(kind));
  }

  async end(): Promise<void> {
    await this.watcher.stop();
    await this.loop.close();
  }
}

test("[WT1] a worker is stale at three beats of silence, not one millisecond before", async () => {
  const watch = await Watch.on();
  await begin(watch.loop, "a");
  await watch.beat("a");
  await watch.watcher.check();
  const { clock } = watch.rig;
  clock.advance(2_999);
  await watch.watcher.check();
  expect(watch.worker("a")?.stale).toBe(false);
  clock.advance(1);
  await watch.watcher.check();
  expect(watch.worker("a")?.stale).toBe(true);
  const entry = (await watch.rig.entries()).at(-1);
  expect(entry).toMatchObject({
    kind: "worker.staled",
    actor: { kind: "supervisor" },
    data: { beat_count: 1, silent_ms: 3_000, watched_ms: 3_000, seen: "unknown" },
  });
  await watch.end();
});

test("[WT2] a beat ends staleness, and nothing is said while beats come", async () => {
  const watch = await Watch.on();
  await begin(watch.loop, "a");
  await watch.beat("a");
  watch.watcher.start();
  await watch.rig.timers.advance(3_500);
  expect(await watch.heard()).toEqual(["worker.staled"]);
  await watch.beating("a", 20_000);
  expect(await watch.heard()).toEqual(["worker.staled", "worker.recovered"]);
  expect(watch.askedFor).toEqual([]);
  await watch.end();
});

test.each([
  ["gone", 7_999, ["worker.staled"]],
  ["gone", 8_000, ["worker.staled", "worker.stopping"]],
  ["unknown", 8_000, ["worker.staled", "worker.stopping"]],
  ["alive", 8_000, ["worker.staled", "worker.flagged"]],
] as const)(
  "[WT3] seen %s after %i ms of silence: %j (replication B7)",
  async (seen, ms, heard) => {
    const watch = await Watch.on();
    await begin(watch.loop, "a");
    await watch.beat("a");
    watch.seen.set(idOf("a"), seen);
    await watch.watcher.check();
    for (const stepMs of [3_000, ms - 3_000]) {
      watch.rig.clock.advance(stepMs);
      await watch.watcher.check();
    }
    expect(await watch.heard()).toEqual(heard);
    await watch.end();
  },
);

test("[WT3] seen alive, a silent worker is stopped only if the contract says so", async () => {
  const watch = await Watch.on({ silent_alive: "stop" });
  await begin(watch.loop, "a");
  await watch.beat("a");
  watch.seen.set(idOf("a"), "alive");
  watch.watcher.start();
  await watch.rig.timers.advance(8_200);
  expect(watch.worker("a")?.stopping?.reason).toBe("silent");
  await watch.end();
});

test("[WT4] a flagged worker is told of once, and asked after in each round", async () => {
  const watch = await Watch.on();
  await begin(watch.loop, "a");
  await watch.beat("a");
  watch.seen.set(idOf("a"), "alive");
  watch.watcher.start();
  await watch.rig.timers.advance(20_000);
  expect(await watch.heard()).toEqual(["worker.staled", "worker.flagged"]);
  watch.seen.set(idOf("a"), "gone");
  await watch.rig.timers.advance(200);
  expect(watch.worker("a")?.stopping?.reason).toBe("reaped");
  await watch.end();
});

test("[WT5] a long task's worker is not reaped while it beats (replication B5)", async () => {
  const watch = await Watch.on();
  await begin(watch.loop, "a");
  watch.seen.set(idOf("a"), "gone");
  watch.watcher.start();
  await watch.beating("a", 60_000);
  expect(await watch.heard()).toEqual([]);
  await watch.end();
});

test("[WT6] steps of the wall clock change nothing (replication G2)", async () => {
  const watch = await Watch.on({ clock_tolerance_ms: 3_600_000 });
  await begin(watch.loop, "a");
  watch.seen.set(idOf("a"), "gone");
  watch.watcher.start();
  for (const stepMs of [3_000_000, -3_000_000, -3_000_000, 3_000_000]) {
    watch.rig.clock.stepWall(stepMs);
    await watch.beating("a", 2_000);
  }
  expect(await watch.heard()).toEqual([]);
  await watch.rig.timers.advance(8_200);
  expect(await watch.heard()).toEqual(["worker.staled", "worker.stopping"]);
  await watch.end();
});

test("[WT7] a missing row is never stale; unless seen alive it is reaped", async () => {
  const watch = await Watch.on();
  await begin(watch.loop, "a");
  watch.watcher.start();
  await watch.rig.timers.advance(7_900);
  expect(await watch.heard()).toEqual([]);
  watch.seen.set(idOf("a"), "alive");
  await watch.rig.timers.advance(10_000);
  expect(await watch.heard()).toEqual([]);
  watch.seen.set(idOf("a"), "gone");
  await watch.rig.timers.advance(200);
  expect(await watch.heard()).toEqual(["worker.stopping"]);
  const entry = (await watch.rig.entries()).at(-1);
  expect(entry?.command?.data).not.toHaveProperty("beat_count");
  await watch.end();
});

test.each(["replaced", "emptied"])(
  "[WT8] a pulse store that was %s begins the silence anew (replication B6)",
  async (how) => {
    const watch = await Watch.on();
    await begin(watch.loop, "a");
    for (let count = 0; count < 5; count += 1) await watch.beat("a");
    watch.seen.set(idOf("a"), "gone");
    watch.watcher.start();
    await watch.rig.timers.advance(7_900);
    const { clock } = watch.rig;
    if (how === "emptied") await watch.pulse.forget(idOf("a"));
    else watch.pulse = memoryPulse({ clock, random: seededRandom(2) });
    // Fewer beats than before, and of another count: whoever kept the old window would reap.
    if (how === "replaced") await watch.beat("a");
    await watch.rig.timers.advance(7_000);
    expect(watch.worker("a")?.status).toBe("running");
    await watch.rig.timers.advance(1_500);
    expect(watch.worker("a")?.status).toBe("stopping");
    await watch.end();
  },
);

test("[WT8] also when the new store has just as many beats", async () => {
  const watch = await Watch.on();
  await begin(watch.loop, "a");
  await watch.beat("a");
  watch.seen.set(idOf("a"), "gone");
  watch.watcher.start();
  await watch.rig.timers.advance(7_900);
  watch.pulse = memoryPulse({ clock: watch.rig.clock, random: seededRandom(2) });
  await watch.beat("a");
  await watch.rig.timers.advance(2_900);
  expect(await watch.heard()).toEqual(["worker.staled", "worker.recovered"]);
  await watch.end();
});

test("[WT9] a watcher that begins late waits as long as any other", async () => {
  const watch = await Watch.on();
  await begin(watch.loop, "a");
  await watch.beat("a");
  await watch.rig.timers.advance(1_000_000);
  watch.watcher.start();
  await watch.rig.timers.advance(2_900);
  expect(await watch.heard()).toEqual([]);
  await watch.rig.timers.advance(5_000);
  expect(watch.worker("a")?.status).toBe("running");
  await watch.rig.timers.advance(300);
  expect(watch.worker("a")?.status).toBe("stopping");
  await watch.end();
});

test("[WT10] in quarantine nothing is concluded (replication D1)", async () => {
  const watch = await Watch.on();
  await begin(watch.loop, "a");
  await watch.beat("a");
  watch.watcher.start();
  await watch.rig.timers.advance(2_000);
  const worker = idOf("a");
  const held = { worker, reason: "odd", source: "test", severity: "high" } as const;
  await granted(watch.loop.submit({ kind: "worker.quarantine", data: held }, OPERATOR));
  await watch.rig.timers.advance(60_000);
  expect(await watch.heard()).toEqual([]);
  const lift = { kind: "worker.unquarantine", data: { worker, resolution: "fine" } } as const;
  await granted(watch.loop.submit(lift, OPERATOR));
  await watch.rig.timers.advance(2_900);
  expect(await watch.heard()).toEqual([]);
  await watch.rig.timers.advance(300);
  expect(await watch.heard()).toEqual(["worker.staled"]);
  await watch.end();
});

test("[WT11] time in which beats could not be read is not silence", async () => {
  const watch = await Watch.on();
  await begin(watch.loop, "a");
  await watch.beat("a");
  watch.watcher.start();
  await watch.rig.timers.advance(2_900);
  watch.readError = new Error("no room");
  await watch.rig.timers.advance(60_000);
  watch.readError = undefined;
  await watch.rig.timers.advance(2_900);
  expect(await watch.heard()).toEqual([]);
  expect(watch.rig.warnings).toContain("beats could not be read");
  await watch.rig.timers.advance(300);
  expect(await watch.heard()).toEqual(["worker.staled"]);
  await watch.end();
});

test("[WT12] time in which the watcher itself did not run is not silence", async () => {
  const watch = await Watch.on();
  await begin(watch.loop, "a");
  await watch.beat("a");
  watch.seen.set(idOf("a"), "gone");
  watch.watcher.start();
  await watch.rig.timers.advance(1_000);
  // Everything on this machine stood still, its workers too; timers fire when it goes on.
  watch.rig.clock.advance(60_000);
  await watch.rig.timers.advance(1_800);
  expect(await watch.heard()).toEqual([]);
  await watch.rig.timers.advance(300);
  expect(await watch.heard()).toEqual(["worker.staled"]);
  await watch.end();
});

test("[WT13] a sandbox that cannot be looked at decides nothing about its worker", async () => {
  const watch = await Watch.on();
  await begin(watch.loop, "a");
  await begin(watch.loop, "b");
  await Promise.all([watch.beat("a"), watch.beat("b")]);
  const watcher = watch.watch({
    seen: (worker) => {
      if (worker === idOf("b")) return "gone";
      throw new Error("the driver is away");
    },
  });
  watcher.start();
  await watch.rig.timers.advance(20_000);
  expect([watch.worker("a")?.status, watch.worker("b")?.status]).toEqual(["running", "stopping"]);
  await watcher.stop();
  // Nor one that takes for ever: the round goes on without it.
  const waiting = watch.watch({ seen: () => new Promise<Seen>(() => undefined) });
  waiting.start();
  await watch.rig.timers.advance(30_000);
  expect(watch.worker("a")?.status).toBe("running");
  await waiting.stop();
  await watch.end();
});

test("[WT14] the rows of the dead are dropped, those of others are not", async () => {
  const watch = await Watch.on();
  await begin(watch.loop, "a");
  await begin(watch.loop, "b");
  for (const name of ["a", "b", "z"]) await watch.beat(name);
  watch.watcher.start();
  await watch.rig.timers.advance(100);
  await granted(watch.loop.submit(exited("a"), SUPERVISOR));
  await watch.rig.timers.advance(200);
  const { rows } = await watch.pulse.read();
  expect(rows.map(({ worker }) => worker).toSorted()).toEqual([idOf("b"), idOf("z")]);
  await watch.end();
});

test("[WT16] a stopped watcher makes no rounds; starting and stopping twice is safe", async () => {
  const watch = await Watch.on();
  await begin(watch.loop, "a");
  await watch.beat("a");
  watch.watcher.start();
  watch.watcher.start();
  expect(watch.rig.timers.count).toBe(1);
  await watch.rig.timers.advance(1_000);
  await watch.watcher.stop();
  await watch.watcher.stop();
  expect(watch.rig.timers.count).toBe(0);
  await watch.rig.timers.advance(100_000);
  expect(await watch.heard()).toEqual([]);
  await watch.end();
});
