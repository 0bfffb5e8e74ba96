import type { PlannedAction, SupervisionPlan } from "stint";
import { describe, expect, test } from "vitest";
import { ROOMY } from "../rig.ts";
import { MINUTE, openScene, type Scene } from "../liveness/rig.ts";

/** Longer than any lease that a test lets live. */
const LONG = 20 * 60 * MINUTE;

const LANES = [
  { name: "api", region: "src/api/**" },
  { name: "docs", region: "docs/**" },
  { name: "web", region: "src/web/**" },
];

/** A scene with lanes, in which nobody is young. */
async function withLanes(lanes: readonly object[] = LANES, liveness: object = {}): Promise<Scene> {
  const scene = await openScene({
    contract: { ...ROOMY, lifetimeMs: 24 * 60 * MINUTE, liveness: { graceMs: 0, ...liveness } },
  });
  await scene.fleet.enactGround({ lanes: lanes as never });
  return scene;
}

/** A worker that holds a lane. */
async function onLane(scene: Scene, name: string, lane = name): Promise<string> {
  const id = await scene.work(name);
  await scene.fleet.acquire({ holder: `worker:${id}`, lane, ttlMs: LONG });
  return id;
}

/** A plan in short: its outcome, then each action with whom it is about. */
function told({ outcome, actions }: SupervisionPlan): readonly string[] {
  return [outcome, ...actions.map(toldOne)];
}

function toldOne(action: PlannedAction): string {
  if (action.kind === "start") return `start ${action.lane}`;
  return `${action.kind} ${action.seen.holder}`;
}

/** What a watcher writes of a worker that it found silent. */
async function observe({ fleet }: Scene, worker: string, seen = "unknown"): Promise<void> {
  const data = { worker, beat_count: 1, silent_ms: 40_000, watched_ms: 50_000, seen };
  const answer = await fleet.submit({ kind: "worker.observe", data });
  expect(answer.ok).toBe(true);
}

/** Lets a worker fall silent for so long that it is surely stalled. */
async function stall(scene: Scene, id: string): Promise<void> {
  scene.silence(id);
  await scene.pass(2 * MINUTE);
  await observe(scene, id);
}

describe("[SU1] a plan says how the fleet is to what is aimed at", () => {
  test("at target, filling, over target, and beyond what the lanes hold", async () => {
    const scene = await withLanes();
    const { fleet } = scene;
    const planFor = async (target: number): Promise<readonly string[]> =>
      told(await fleet.planSupervision({ target }));
    expect(await planFor(0)).toEqual(["at_target"]);
    expect(await planFor(2)).toEqual(["filling", "start api", "start docs"]);
    const id = await onLane(scene, "docs");
    expect(await planFor(1)).toEqual(["at_target", `flag ${id}`]);
    expect(await planFor(3)).toEqual(["filling", `flag ${id}`, "start api", "start web"]);
    expect(await planFor(4)).toEqual([
      "target_unreachable",
      `flag ${id}`,
      "start api",
      "start web",
    ]);
    await fleet.charge(id, { units: { tokens: 1 } });
    expect(await planFor(1)).toEqual(["at_target", `hold ${id}`]);
    expect(await planFor(0)).toEqual(["over_target", `flag ${id}`]);
  });

  test("over target the youngest are flagged, and nobody who is well is stopped", async () => {
    const scene = await withLanes();
    const first = await onLane(scene, "docs");
    await scene.pass(1_000);
    const second = await onLane(scene, "api");
    for (const id of [first, second]) await scene.fleet.charge(id, { units: { tokens: 1 } });
    const plan = await scene.fleet.planSupervision({ target: 1 });
    expect(told(plan).toSorted()).toEqual([`flag ${second}`, `hold ${first}`, "over_target"]);
  });

  test("without lanes nobody can be anywhere; an unknown lane is refused", async () => {
    const scene = await withLanes([]);
    expect(told(await scene.fleet.planSupervision({ target: 1 }))).toEqual(["target_unreachable"]);
    const error: unknown = await scene.fleet
      .planSupervision({ target: 1, lanes: ["apy"] })
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "lane_unknown" });
  });

  test("in a fleet that is paused nobody is planned; the lanes are no less", async () => {
    const scene = await withLanes();
    await scene.fleet.pause();
    const plan = await scene.fleet.planSupervision({ target: 2 });
    expect(told(plan)).toEqual(["filling"]);
    expect(plan.reachableCount).toBe(2);
    expect(plan.passed[0]).toMatchObject({ lane: "api" });
    expect(plan.passed[0]?.because).toContain("it is paused");
  });

  test("no more are started than the contract has room for", async () => {
    const scene = await openScene({
      contract: { ...ROOMY, maxReplicas: 2, liveness: { graceMs: 0 } },
    });
    await scene.fleet.enactGround({ lanes: LANES });
    await scene.work("elsewhere");
    const plan = await scene.fleet.planSupervision({ target: 2 });
    expect(told(plan).filter((one) => one.startsWith("start"))).toEqual(["start api"]);
    expect(plan.passed).toContainEqual({
      lane: "docs",
      because: "the contract allows 2 live workers",
    });
  });
});

describe("[SU2] starts are planned where the rules would grant the lane", () => {
  test("one lane is never planned twice beyond its slots (leases H35)", async () => {
    const scene = await withLanes([
      { name: "api", region: "src/api/**" },
      { name: "pool", region: "pool/**", slots: 2 },
    ]);
    const plan = await scene.fleet.planSupervision({ target: 9 });
    expect(told(plan)).toEqual(["target_unreachable", "start api", "start pool", "start pool"]);
    expect(plan.reachableCount).toBe(3);
    const names = plan.actions.map((one) => (one.kind === "start" ? one.runId : ""));
    expect(new Set(names).size).toBe(3);
    await onLane(scene, "pool");
    const next = await scene.fleet.planSupervision({ target: 9 });
    expect(told(next).filter((one) => one.startsWith("start"))).toEqual([
      "start api",
      "start pool",
    ]);
  });

  test("nobody is planned beside a lease that is in the way (leases H46)", async () => {
    const scene = await withLanes([
      { name: "all", region: "**" },
      { name: "api", region: "src/api/**" },
      { name: "docs", region: "docs/**" },
    ]);
    // A narrow lease on no lane at all.
    const held = await scene.fleet.acquire({ holder: "ada", region: "src/api/a.ts", ttlMs: LONG });
    const plan = await scene.fleet.planSupervision({ target: 3 });
    const starts = told(plan).filter((one) => one.startsWith("start"));
    expect(starts).toEqual(["start docs"]);
    expect(plan.passed.map(({ lane }) => lane)).toEqual(["all", "api"]);
    expect(plan.passed[0]?.because).toContain('"ada" holds "src/api/a.ts"');
    await held.release();
    const free = await scene.fleet.planSupervision({ target: 3 });
    // By the first of them the others are in the way, and nobody is named who holds nothing.
    expect(told(free)).toEqual(["target_unreachable", "start all"]);
    expect(free.passed[0]?.because).toContain('by this plan somebody is on lane "all"');
  });

  test("a lane that runs alone is planned last, and beside nobody (leases H46)", async () => {
    const lanes = [
      { name: "release", region: "CHANGELOG.md", alone: true },
      { name: "api", region: "src/api/**" },
    ];
    const scene = await withLanes(lanes);
    const starts = async (names: readonly string[]): Promise<readonly string[]> =>
      told(await scene.fleet.planSupervision({ target: 2, lanes: names })).slice(1);
    expect(await starts(["release", "api"])).toEqual(["start api"]);
    expect(await starts(["release"])).toEqual(["start release"]);
    const held = await scene.fleet.acquire({ holder: "ada", region: "docs/x", ttlMs: LONG });
    expect(await starts(["release"])).toEqual(["flag ada"]);
    await held.release();
    await scene.fleet.acquire({ holder: "eve", lane: "release", ttlMs: LONG });
    expect(await starts(["api"])).toEqual(["flag eve"]);
  });

  test("two lanes that meet are never planned together", async () => {
    const scene = await withLanes([
      { name: "typescript", region: "src/**/*.ts" },
      { name: "web", region: "src/web/**" },
      { name: "docs", region: "docs/**" },
    ]);
    expect(told(await scene.fleet.planSupervision({ target: 3 }))).toEqual([
      "target_unreachable",
      "start typescript",
      "start docs",
    ]);
  });

  test("a start that was announced a moment ago is meant again, and later another", async () => {
    const scene = await withLanes();
    const nameOf = async (): Promise<string | undefined> => {
      const { actions } = await scene.fleet.planSupervision({ target: 1 });
      return actions.flatMap((one) => (one.kind === "start" ? [one.runId] : []))[0];
    };
    expect(await nameOf()).toBe("supervise.api.1");
    const announced = { lane: "api", holder: "stint supervise", runId: "supervise.api.1" };
    await scene.fleet.announce(announced);
    expect(await nameOf()).toBe("supervise.api.1");
    await scene.fleet.announce({ lane: "api", holder: "ada", runId: "supervise.api.x" });
    await scene.pass(31_000);
    expect(await nameOf()).toBe("supervise.api.2");
  });

  test("what workers announce is no start, and hides none however often", async () => {
    const scene = await withLanes();
    const { fleet } = scene;
    const id = await onLane(scene, "docs");
    const nameOf = async (): Promise<string | undefined> => {
      const { actions } = await fleet.planSupervision({ target: 2 });
      return actions.flatMap((one) => (one.kind === "start" ? [one.runId] : []))[0];
    };
    await fleet.announce({ lane: "api", holder: "stint supervise", runId: "supervise.api.7" });
    await scene.pass(31_000);
    expect(await nameOf()).toBe("supervise.api.8");
    const run_id = `supervise.api.${Number.MAX_SAFE_INTEGER - 1}`;
    await scene.say(id, {
      kind: "lane.announce",
      data: { lane: "api", holder: id, run_id },
    });
    for (let count = 0; count < 300; count += 1)
      await fleet.announce({ lane: "api", holder: "ada", note: `${count}` });
    expect(await nameOf()).toBe("supervise.api.8");
  });
});

describe("[SU3] what is planned of a holder follows from its verdict", () => {
  test("who is surely stalled is stopped, and its lane filled in the same plan", async () => {
    const scene = await withLanes();
    const id = await onLane(scene, "api");
    const other = await onLane(scene, "docs");
    await stall(scene, id);
    await scene.fleet.charge(other, { units: { tokens: 1 } });
    // Alive and silent, it is the contract's to say, which has it flagged.
    expect(told(await scene.fleet.planSupervision({ target: 2 })).toSorted()).toEqual(
      [`hold ${other}`, `propose_halt ${id}`, "filling", "start web"].toSorted(),
    );
    scene.seen = "unknown";
    expect(told(await scene.fleet.planSupervision({ target: 2 })).toSorted()).toEqual(
      [`hold ${other}`, `reap ${id}`, "filling", "start api"].toSorted(),
    );
    const report = await scene.fleet.planSupervision({ target: 2, reap: false });
    expect(told(report).filter((one) => one.includes(id))).toEqual([`flag ${id}`]);
    expect(told(report).filter((one) => one.startsWith("start"))).toEqual(["start web"]);
  });

  test("who is silent by the wall clock alone is not stopped, and counts", async () => {
    const scene = await withLanes();
    const id = await onLane(scene, "api");
    scene.silence(id);
    await scene.pass(2 * MINUTE);
    expect(told(await scene.fleet.planSupervision({ target: 1 }))).toEqual([
      "at_target",
      `flag ${id}`,
    ]);
  });

  test("who spins is alive, unless it is said not to count; it is never stopped", async () => {
    const scene = await withLanes();
    const id = await onLane(scene, "api");
    await scene.pass(40 * MINUTE);
    expect(told(await scene.fleet.planSupervision({ target: 1 }))).toEqual([
      "at_target",
      `flag ${id}`,
    ]);
    expect(told(await scene.fleet.planSupervision({ target: 1, countSpinning: false }))).toEqual([
      "filling",
      `flag ${id}`,
      "start docs",
    ]);
  });

  test("a halt is proposed for who has spun past the threshold, outside parties too", async () => {
    const scene = await withLanes(LANES, { haltSpinningAfterMs: 60 * MINUTE });
    const id = await onLane(scene, "api");
    await scene.fleet.acquire({ holder: "ada", lane: "docs", ttlMs: LONG });
    await scene.pass(60 * MINUTE - 1);
    expect(told(await scene.fleet.planSupervision({ target: 1 }))).toEqual([
      "at_target",
      `flag ${id}`,
      "flag ada",
    ]);
    await scene.pass(1);
    expect(told(await scene.fleet.planSupervision({ target: 1 }))).toEqual([
      "at_target",
      `propose_halt ${id}`,
      "propose_halt ada",
    ]);
  });

  test("a worker that is on no lane of the plan is neither counted nor stopped", async () => {
    const scene = await withLanes();
    const id = await scene.work("elsewhere");
    await stall(scene, id);
    expect(told(await scene.fleet.planSupervision({ target: 1 }))).toEqual([
      "filling",
      `flag ${id}`,
      "start api",
    ]);
  });
});
