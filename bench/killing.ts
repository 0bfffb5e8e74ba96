import { once } from "node:events";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import type { Fleet } from "../src/library/fleet/fleet.ts";
import type { Sandbox } from "../src/ports/sandbox.ts";
import { findCgroups } from "../src/sandbox/cgroup/find.ts";
import { openProcessSandbox } from "../src/sandbox/process/process-sandbox.ts";
import { makeFolder } from "./fleet.ts";
import { msOf, type Bench, type Trials } from "./measure.ts";
import { makeSite } from "./site.ts";

const WORKERS = 200;

/** How many are started at the same time, before anything is measured. */
const AT_A_TIME = 8;

const OBSERVER = join(import.meta.dirname, "observer.ts");

const SHARED = {
  unit: "ms",
  floorName: "cgroup.kill in a loop",
  target: { ratio: 2, better: "lower" },
  rounds: 3,
} as const;

/** From the order to kill a fleet of sleeping workers until none of them is alive. */
export const killing: Bench = {
  ...SHARED,
  name: `kill-${WORKERS}: until none is alive`,
  prepare: async (): Promise<Trials> => ({
    floor: killBare,
    measure: async () => (await killFleet()).deadMs,
    close: async () => undefined,
  }),
};

/** The same kill until every end is proven, journaled and in a signed receipt. */
export const killProof: Bench = {
  ...SHARED,
  name: `kill-${WORKERS}: until all is proven`,
  prepare: async (): Promise<Trials> => ({
    floor: killBare,
    measure: async () => (await killFleet()).provenMs,
    close: async () => undefined,
  }),
};

/** A killed fleet is over: each trial founds its own. */
async function killFleet(): Promise<{ readonly deadMs: number; readonly provenMs: number }> {
  const site = await makeSite();
  try {
    await site.supervise();
    await using fleet: Fleet = await site.open();
    await inParallel(async () => {
      await fleet.start({ name: "sleeper", run: ["sleep", "600"], cwd: site.dir });
    });
    const ids = fleet.workers().map(({ id }) => id);
    const groups = await listGroups(fleet.id, ids);
    let provenMs = Number.NaN;
    const deadMs = await untilDead(groups, async () => {
      provenMs = await msOf(async () => {
        const receipt = await fleet.kill({ reason: "the bench" });
        if (receipt.proven && receipt.stoppedCount === WORKERS) return;
        throw new Error(`${WORKERS} ends must be proven: ${JSON.stringify(receipt).slice(0, 500)}`);
      });
    });
    return { deadMs, provenMs };
  } finally {
    await site.close();
  }
}

/** The same sandboxes without a fleet: each group is told to die, and looked at until empty. */
async function killBare(): Promise<number> {
  const folder = await makeFolder();
  const fleet = `bench-${process.pid}`;
  const driver = await openProcessSandbox({
    stateFolder: folder.path,
    fleet,
    rung: "cgroup",
    hidden: [folder.path],
    output: async () => ({ write: async () => undefined, close: async () => undefined }),
  });
  try {
    const instances = Array.from({ length: WORKERS }, (_, index) => `w-bare${index}`);
    const left = [...instances];
    await inParallel(async () => {
      const instance = left.pop() ?? "";
      await driver.start({ instance, run: ["sleep", "600"], cwd: "/", files: {} });
    });
    const groups = await listGroups(fleet, instances);
    return await untilDead(groups, () => killGroups(groups));
  } finally {
    await endAll(driver);
    await folder.remove();
  }
}

/** Kills, and answers how long it took until the kernel says that nobody is left. */
async function untilDead(groups: readonly string[], kill: () => Promise<void>): Promise<number> {
  const file = join(dirname(groups[0] ?? ""), "cgroup.events");
  const observer = new Worker(OBSERVER, { workerData: { file } });
  try {
    await once(observer, "message");
    const emptied = once(observer, "message") as Promise<[{ readonly atNs: bigint }]>;
    const beganNs = process.hrtime.bigint();
    await kill();
    const [{ atNs }] = await emptied;
    return Number(atNs - beganNs) / 1e6;
  } finally {
    await observer.terminate();
  }
}

/** The folders of the sandboxes' groups that the kernel kills as a whole; all lie in one. */
async function listGroups(fleet: string, instances: readonly string[]): Promise<readonly string[]> {
  const tree = await findCgroups(fleet);
  if (tree?.can.kill !== true) throw new Error("this bench needs control groups");
  return instances.map((instance) => {
    const folders = tree.open(instance).joinFiles.map((file) => dirname(file));
    const group = folders.find((path) => existsSync(join(path, "cgroup.kill")));
    if (group === undefined) throw new Error("this bench needs control groups of version 2");
    return group;
  });
}

async function killGroups(groups: readonly string[]): Promise<void> {
  for (const group of groups) writeFileSync(join(group, "cgroup.kill"), "1");
  for (const group of groups)
    while (readFileSync(join(group, "cgroup.procs"), "latin1") !== "") await sleep(1);
}

async function endAll(driver: Sandbox): Promise<void> {
  for (const { instance } of await driver.list()) {
    await driver.stop(instance, { graceMs: 0, deadlineMs: 10_000, by: "bench" });
    await driver.forget(instance);
  }
  await driver.close();
}

async function inParallel(start: () => Promise<void>): Promise<void> {
  let begun = 0;
  const startSome = async (): Promise<void> => {
    while (begun < WORKERS) {
      begun += 1;
      await start();
    }
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, startSome));
}
