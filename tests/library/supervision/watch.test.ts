import type { HaltWatch, WatchOptions } from "stint";
import { expect, test } from "vitest";
import { entriesOf, ROOMY } from "../rig.ts";
import { MINUTE, openScene, type Scene } from "../liveness/rig.ts";

const LONG = 20 * 60 * MINUTE;

/** A scene in which nobody is young, and who has spun for a minute is proposed. */
function open(liveness: object = {}): Promise<Scene> {
  return openScene({
    contract: {
      ...ROOMY,
      lifetimeMs: 24 * 60 * MINUTE,
      liveness: {
        graceMs: 0,
        haltSpinningAfterMs: MINUTE,
        progressWithinMs: MINUTE,
        ...liveness,
      },
    },
  });
}

/** Who is proposed in a round. */
async function round(watch: HaltWatch): Promise<readonly string[]> {
  const { proposed } = await watch.round();
  return proposed.map(({ view }) => view.holder);
}

async function haltsOf({ fleet }: Scene): Promise<number> {
  return (await entriesOf(fleet)).filter(({ kind }) => kind === "halt.requested").length;
}

const QUICK: WatchOptions = { windowMs: 30 * MINUTE };

test("[SU7] who spins past the threshold is proposed once per window, no other", async () => {
  const scene = await open();
  const { fleet } = scene;
  const id = await scene.work("one");
  await fleet.acquire({ holder: "ada", region: "src/**", ttlMs: LONG });
  const watch = fleet.watchHalts(QUICK);
  await fleet.charge(id, { units: { tokens: 1 } });
  await scene.pass(MINUTE - 1);
  expect(await round(watch)).toEqual([]);
  await scene.pass(1);
  expect(await round(watch)).toEqual([id, "ada"]);
  expect(await round(watch)).toEqual([]);
  await scene.pass(30 * MINUTE - 1);
  expect(await round(watch)).toEqual([]);
  await scene.pass(1);
  expect(await round(watch)).toEqual([id, "ada"]);
  expect(await haltsOf(scene)).toBe(4);
  const kinds = new Set((await entriesOf(fleet)).map(({ kind }) => kind));
  for (const kind of ["worker.stopping", "lease.revoked", "worker.quarantined"] as const)
    expect(kinds.has(kind)).toBe(false);
});

test("[SU8] whoever recovers is forgotten, and proposed again when it relapses", async () => {
  const scene = await open();
  const { fleet } = scene;
  const id = await scene.work("one");
  const watch = fleet.watchHalts(QUICK);
  await scene.pass(MINUTE);
  expect(await round(watch)).toEqual([id]);
  await scene.pass(MINUTE);
  await fleet.charge(id, { units: { tokens: 1 } });
  expect(await round(watch)).toEqual([]);
  await scene.pass(MINUTE);
  // A watch that begins only now knows it by the journal.
  expect(await round(fleet.watchHalts(QUICK))).toEqual([id]);
  expect(await round(watch)).toEqual([]);
  expect(await haltsOf(scene)).toBe(2);
});

test("[SU8] one that is heard again recovers though nothing of it is journaled", async () => {
  const scene = await open({ haltSpinningAfterMs: 0 });
  const { fleet } = scene;
  const id = await scene.work("one");
  const watch = fleet.watchHalts(QUICK);
  scene.silence(id);
  await scene.pass(2 * MINUTE);
  expect(await round(watch)).toEqual([id]);
  await fleet.heartbeat(id);
  expect(await round(watch)).toEqual([]);
  await scene.pass(2 * MINUTE);
  expect(await round(watch)).toEqual([id]);
  expect(await round(watch)).toEqual([]);
});

test("[SU9] what a worker says of itself keeps nobody from proposing a halt", async () => {
  const scene = await open();
  const id = await scene.work("one");
  await scene.pass(MINUTE);
  const data = { handle: id, reason: "x", proposed: "true", run_id: "liveness" };
  await scene.say(id, { kind: "halt.request", data });
  expect(await round(scene.fleet.watchHalts(QUICK))).toEqual([id]);
});

test("[SU9] what was proposed is known to a watch that begins anew, and to another", async () => {
  const scene = await open();
  const id = await scene.work("one");
  await scene.pass(MINUTE);
  const watches = [scene.fleet.watchHalts(QUICK), scene.fleet.watchHalts(QUICK)];
  const rounds = await Promise.all(watches.map((watch) => watch.round()));
  expect(rounds.flatMap(({ proposed }) => proposed.map(({ seq }) => seq)).length).toBeGreaterThan(
    0,
  );
  expect(await haltsOf(scene)).toBe(1);
  expect(await round(scene.fleet.watchHalts(QUICK))).toEqual([]);
  expect(await haltsOf(scene)).toBe(1);
  const entries = await entriesOf(scene.fleet);
  const entry = entries.find(({ kind }) => kind === "halt.requested");
  expect(entry?.data).toMatchObject({ handle: id, proposed: `stint stop ${id}` });
});

test("[SU10] only who is stalled is proposed, unless there is a threshold", async () => {
  const scene = await open({ haltSpinningAfterMs: 0 });
  const id = await scene.work("one");
  await scene.pass(10 * MINUTE);
  expect(await round(scene.fleet.watchHalts(QUICK))).toEqual([]);
  const named = { ...QUICK, haltAfterMs: 5 * MINUTE };
  expect(await round(scene.fleet.watchHalts({ ...named, holders: ["other"] }))).toEqual([]);
  expect(await round(scene.fleet.watchHalts({ ...named, holders: ["one"] }))).toEqual([id]);
  expect(() => scene.fleet.watchHalts({ haltAfterMs: 0 })).toThrow("haltAfterMs");
  expect(() => scene.fleet.watchHalts({ windowMs: 1 })).toThrow("windowMs");
});
