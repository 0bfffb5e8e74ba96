import type { ApplyOptions, DoneView, Fleet, SupervisionOptions, SupervisionPlan } from "stint";
import { describe, expect, test } from "vitest";
import type { Journal } from "../../../src/ports/journal.ts";
import { entriesOf, ROOMY } from "../rig.ts";
import { bound, MINUTE, openScene, type Scene } from "../liveness/rig.ts";

const LONG = 20 * 60 * MINUTE;

/** A scene in which a worker on lane api is surely stalled, and nobody is young. */
async function withStalled(
  between?: (journal: Journal) => Journal,
): Promise<{ readonly scene: Scene; readonly id: string }> {
  const liveness = { graceMs: 0 };
  const contract = { ...ROOMY, lifetimeMs: 24 * 60 * MINUTE, liveness };
  const scene = await openScene({ contract }, between);
  const { fleet } = scene;
  await fleet.enactGround({
    lanes: [
      { name: "api", region: "src/api/**" },
      { name: "docs", region: "docs/**" },
    ],
  });
  const id = await scene.work("one");
  await fleet.acquire({ holder: `worker:${id}`, lane: "api", ttlMs: LONG });
  scene.silence(id);
  await scene.pass(2 * MINUTE);
  const data = { worker: id, beat_count: 1, silent_ms: 40_000, watched_ms: 50_000 };
  await fleet.submit({ kind: "worker.observe", data: { ...data, seen: "unknown" } });
  scene.seen = "gone";
  return { scene, id };
}

/** What was done, in short. */
function told(done: readonly DoneView[]): readonly string[] {
  return done.map(({ kind, outcome }) => `${kind} ${outcome}`);
}

/** Carries out a plan that is made now. */
async function planAndApply(
  fleet: Fleet,
  options: SupervisionOptions & ApplyOptions,
): Promise<readonly DoneView[]> {
  const { target, reap = true } = options;
  const plan = await fleet.planSupervision({ target, reap });
  return fleet.applySupervision(plan, options);
}

/** The plan of a fleet for one worker. */
function planOf(fleet: Fleet): Promise<SupervisionPlan> {
  return fleet.planSupervision({ target: 1, lanes: ["api"] });
}

const FOR_ONE = { target: 1, lanes: ["api"] } as const;

describe("[SU4] a stalled worker is stopped, and what it held is free", () => {
  test("its lease is released by its fence once its end is proven", async () => {
    const { scene, id } = await withStalled();
    const { fleet } = scene;
    const done = await planAndApply(fleet, FOR_ONE);
    expect(told(done)).toEqual(["reap done", "start skipped"]);
    expect(done[1]?.because).toBe("there is no template for what to start");
    const worker = await fleet.worker(id);
    expect(worker?.end).toMatchObject({ proven: true });
    expect(done[0]?.because).toMatch(/^stopped, and l-\d+ released$/);
    await fleet.look();
    expect(fleet.leases()).toEqual([]);
    const kinds = (await entriesOf(fleet)).map(({ kind }) => kind);
    expect(kinds.filter((kind) => kind === "lease.revoked")).toEqual([]);
  });

  test("who is well stays, and a plan that has nothing to do does nothing", async () => {
    const { scene, id } = await withStalled();
    scene.seen = "alive";
    await scene.fleet.charge(id, { units: { tokens: 1 } });
    const before = (await entriesOf(scene.fleet)).length;
    expect(await planAndApply(scene.fleet, FOR_ONE)).toEqual([]);
    expect((await entriesOf(scene.fleet)).length).toBe(before);
  });
});

describe("[SU5] nothing is done to a holder that has changed since the look", () => {
  const changes: readonly (readonly [string, (scene: Scene, id: string) => Promise<unknown>])[] = [
    [
      "it was heard again",
      async (scene, id) => {
        scene.seen = "alive";
        await scene.fleet.heartbeat(id);
      },
    ],
    [
      "it reported units",
      async (scene, id) => {
        scene.seen = "alive";
        await scene.fleet.charge(id, { units: { tokens: 1 } });
      },
    ],
    [
      "it was put into quarantine",
      ({ fleet }, id) => fleet.quarantine(id, { reason: "to be looked at" }),
    ],
    ["it has ended", ({ fleet }, id) => fleet.writeOff(id, { reason: "it is gone" })],
  ];

  test.each(changes)("%s (leases H17)", async (_, change) => {
    const { scene, id } = await withStalled();
    const { fleet } = scene;
    const plan = await planOf(fleet);
    expect(plan.actions.map(({ kind }) => kind)).toEqual(["reap", "start"]);
    await change(scene, id);
    const done = await fleet.applySupervision(plan, FOR_ONE);
    expect(done[0]).toMatchObject({ kind: "reap", outcome: "skipped" });
    expect(done[0]?.because).toMatch(/since the look/);
    const orders = (await entriesOf(fleet)).filter(({ kind }) => kind === "worker.stopping");
    expect(orders).toEqual([]);
  });

  test("a lease that another took over in between is left to that one (leases H17)", async () => {
    let between: (() => Promise<unknown>) | undefined;
    const { scene, id } = await withStalled((journal) => ({
      ...bound(journal),
      append: async (...asked) => {
        const outcome = await journal.append(...asked);
        const entries = outcome.kind === "appended" ? outcome.entries : [];
        // The worker has ended by now, and its lease is about to be released.
        if (entries.some(({ kind }) => kind === "receipt.recorded")) await between?.();
        return outcome;
      },
    }));
    const { fleet } = scene;
    const other = await scene.work("two");
    const elsewhere = await scene.another();
    const plan = await planOf(fleet);
    between = async () => {
      between = undefined;
      await elsewhere.look();
      const orphan = elsewhere.leases().find(({ holder }) => holder === id)?.id ?? "";
      await elsewhere.adopt({ lease: orphan, holder: `worker:${other}`, orphan: true });
    };
    const [reaped] = await fleet.applySupervision(plan, FOR_ONE);
    expect(reaped).toEqual({
      kind: "reap",
      holder: id,
      name: "one",
      lane: null,
      outcome: "done",
      because: "stopped",
    });
    await fleet.look();
    expect(fleet.leases().map(({ holder }) => holder)).toEqual([other]);
  });

  test("the lane of a start that somebody has taken is left to that one (leases H17)", async () => {
    const { scene } = await withStalled();
    const { fleet } = scene;
    const options = { target: 1, lanes: ["docs"] };
    const plan = await fleet.planSupervision(options);
    expect(plan.actions.some((one) => one.kind === "start" && one.lane === "docs")).toBe(true);
    await fleet.acquire({ holder: "ada", lane: "docs", ttlMs: LONG });
    const started: string[] = [];
    const done = await fleet.applySupervision(plan, {
      ...options,
      startFor: (lane) => {
        started.push(lane);
        return {};
      },
    });
    expect(told(done)).toEqual(["start skipped"]);
    expect(done[0]?.because).toContain('"ada" holds "docs"');
    expect(started).toEqual([]);
  });
});

test("[SU6] of an outside party nothing is taken: a halt is proposed, once", async () => {
  const scene = await openScene({
    contract: { ...ROOMY, liveness: { graceMs: 0, haltSpinningAfterMs: MINUTE } },
  });
  const { fleet } = scene;
  await fleet.enactGround({ lanes: [{ name: "api", region: "src/api/**" }] });
  await fleet.acquire({ holder: "ada", lane: "api", ttlMs: LONG });
  await scene.pass(2 * MINUTE);
  const done = await planAndApply(fleet, { target: 1 });
  expect(told(done)).toEqual(["propose_halt done"]);
  expect(await planAndApply(fleet, { target: 1 })).toEqual([]);
  const entries = await entriesOf(fleet);
  const asked = entries.filter(({ kind }) => kind === "halt.requested");
  expect(asked).toHaveLength(1);
  expect(asked[0]?.data).toMatchObject({ handle: "ada" });
  expect(JSON.stringify(asked[0]?.data)).toMatch(/"proposed":"stint lease revoke l-\d+ /);
  expect(fleet.leases().map(({ holder }) => holder)).toEqual(["ada"]);
});
