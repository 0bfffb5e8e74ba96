import { mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { connectAsWorker } from "../../../src/client/worker-connection.ts";
import type { JsonObject } from "../../../src/kernel/json.ts";
import { workerDesk } from "../../../src/library/desk/worker-desk.ts";
import { SYSTEM_TIMERS } from "../../../src/runtime/timers.ts";
import { systemClock } from "../../../src/system/clock.ts";
import { systemRandom } from "../../../src/system/random.ts";
import { rejectionOf } from "../../library/rig.ts";
import { makeRig, type Rig } from "../rig.ts";

const SLEEP = ["/bin/sleep", "600"];
const TTL_MS = 600_000;

/** Two workers; the first one has a lease of `src/**` and no rights to `docs`. */
async function withTwo(): Promise<{
  readonly rig: Rig;
  readonly one: string;
  readonly two: string;
  readonly fence: number;
}> {
  const rig = await makeRig();
  mkdirSync(join(rig.folder, "src/deep"), { recursive: true });
  await rig.supervise();
  const one = await rig.start(SLEEP, { admission: { regions: ["**", "!docs/**"] } });
  const two = await rig.start(SLEEP);
  await rig.fleet.look();
  const lease = await rig.fleet.acquire({ holder: one, region: "src/**", ttlMs: TTL_MS });
  return { rig, one, two, fence: lease.fence };
}

async function reasons(rig: Rig, worker: string, body: object): Promise<readonly unknown[]> {
  const reply = await rig.worker(worker, `/v1/workers/${worker}/paths`, body);
  expect(reply.status).toBe(200);
  const paths = reply.body.data?.["paths"] as readonly JsonObject[];
  return paths.map(({ path, reason, allowed }) => [path, reason, allowed]);
}

test("[WP26] a supervisor judges a worker's paths from where that one is", async () => {
  const { rig, one, two, fence } = await withTwo();
  symlinkSync("/etc", join(rig.folder, "src/out"));
  const cwd = join(rig.folder, "src/deep");
  const paths = ["x", "../../docs/x", "../out/x", join(rig.stateDir, "journal.db"), "../../free"];
  expect(await reasons(rig, one, { paths, cwd, fence })).toEqual([
    ["x", "held_by_you", true],
    ["../../docs/x", "outside_rights", false],
    ["../out/x", "outside_repository", false],
    [paths[3], "outside_repository", false],
    ["../../free", "lapsed", false],
  ]);
  expect(await reasons(rig, two, { paths, cwd })).toEqual([
    ["x", "held_by_other", false],
    ["../../docs/x", "free", true],
    ["../out/x", "outside_repository", false],
    [paths[3], "outside_repository", false],
    ["../../free", "free", true],
  ]);
  expect(await reasons(rig, two, { paths: ["free"], cwd, strict: true })).toEqual([
    ["free", "held_by_other", false],
  ]);
});

test("[WP26] a worker asks for itself and those below it, and chooses no ground", async () => {
  const { rig, one, two } = await withTwo();
  const body = { paths: ["x"], cwd: rig.folder };
  for (const other of [two, "w-aaaaaaaaaaaaaaaa"])
    expect(await rig.worker(one, `/v1/workers/${other}/paths`, body)).toMatchObject({
      status: 403,
      body: { refusal: { code: "not_authorised" } },
    });
  for (const more of [
    { root: "/" },
    { holder: "anna" },
    { cwd: "src" },
    { paths: [] },
    { paths: [1] },
  ])
    expect(await rig.worker(one, `/v1/workers/${one}/paths`, { ...body, ...more })).toMatchObject({
      status: 400,
      body: { error: { code: "usage" } },
    });
});

test("[WP26] a worker's program asks through its socket, for the same answers", async () => {
  const { rig, one, two } = await withTwo();
  const door = await connectAsWorker(join(rig.door(one).dir, "token"));
  const [clock, random] = [systemClock(), systemRandom()];
  const desk = await workerDesk({ door, clock, random, timers: SYSTEM_TIMERS });
  try {
    const order = { paths: ["src/a", "docs/a"], cwd: rig.folder };
    const mine = await desk.check(order, { worker: one });
    expect(mine).toMatchObject([
      { path: "src/a", resolved: "src/a", allowed: true, reason: "held_by_you", holder: one },
      { path: "docs/a", allowed: false, reason: "outside_rights", lease_id: null },
    ]);
    expect(await rejectionOf(desk.check(order, { worker: two }))).toMatchObject({
      refusal: { code: "not_authorised" },
    });
    expect((await rejectionOf(desk.check(order, { name: "anna" }))).message).toMatch(/a worker/);
  } finally {
    await desk.close();
  }
});
