import { once } from "node:events";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import type { Fleet } from "../../src/library/fleet/fleet.ts";
import type { Sandbox } from "../../src/ports/sandbox.ts";
import { findCgroups } from "../../src/sandbox/cgroup/find.ts";
import { openProcessSandbox } from "../../src/sandbox/process/process-sandbox.ts";
import { makeFolder } from "../fleet.ts";
import { msOf, type Bench, type Course } from "../measure.ts";
import { makeSite } from "../site.ts";
import { CROWDS, type CrowdName, demandRoom, startCrowd } from "./crowd.ts";

const OBSERVER = join(import.meta.dirname, "observer.ts");

/** How many workers there are, and what they do. */
interface Crowd {
  readonly count: number;
  readonly doing: CrowdName;
}

/** What is waited for: the kernel's word, or all ends proven, journaled and in a signed receipt. */
type Until = "none is alive" | "all is proven";

/** From the order to kill a fleet of sleeping workers until none of them is alive. */
export const killing = killOf({ count: 200, doing: "sleeping", until: "none is alive", times: 2 });

/** The same kill until every end is proven, journaled and in a signed receipt. */
export const killProof = killOf({
  count: 200,
  doing: "sleeping",
  until: "all is proven",
  times: 2,
});

/** The same of 1 000. */
export const killCrowd = killOf({
  count: 1_000,
  doing: "sleeping",
  until: "all is proven",
  times: 2,
});

/** The same of 1 000 that start processes all the time. */
export const killForking = killOf({
  count: 1_000,
  doing: "forking",
  until: "all is proven",
  times: 3,
});

function killOf(so: Crowd & { readonly until: Until; readonly times: number }): Bench {
  const { count, doing, until, times } = so;
  return {
    name: `kill-${count}: ${doing}, until ${until}`,
    unit: "ms",
    floorName: "cgroup.kill in a loop",
    target: { ratio: times, better: "lower" },
    rounds: 3,
    prepare: async (course) => {
      demandRoom(count);
      return {
        floor: () => killBare(so, course),
        measure: async () => (await killFleet(so, course))[until],
        close: async () => undefined,
      };
    },
  };
}

/** A killed fleet is over: each trial founds its own. */
async function killFleet(
  { count, doing }: Crowd,
  course: Course,
): Promise<Readonly<Record<Until, number>>> {
  const site = await makeSite();
  try {
    await site.supervise();
    await using fleet: Fleet = await site.open();
    await startCrowd(count, course, async () => {
      await fleet.start({ name: doing, run: [...CROWDS[doing]], cwd: site.dir });
    });
    const ids = fleet.workers().map(({ id }) => id);
    const groups = await listGroups(fleet.id, ids);
    let provenMs = Number.NaN;
    const deadMs = await untilDead(groups, async () => {
      provenMs = await msOf(async () => {
        const receipt = await fleet.kill({ reason: "the bench" });
        if (receipt.proven && receipt.stoppedCount === count) return;
        throw new Error(`${count} ends must be proven: ${JSON.stringify(receipt).slice(0, 500)}`);
      });
    });
    return { "none is alive": deadMs, "all is proven": provenMs };
  } finally {
    await site.close();
  }
}

/**
 * The same sandboxes without a fleet: each group is told to die, and looked at until empty. What
 * makes them is the driver, with the limits and the mounts that a supervisor asks for.
 */
async function killBare({ count, doing }: Crowd, course: Course): Promise<number> {
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
    const instances: string[] = [];
    let attempts = 0;
    await startCrowd(count, course, async (index) => {
      // An instance is started once: what has failed is left behind under its name.
      const instance = `w-bare${index}-${attempts++}`;
      instances[index] = instance;
      const [run, limits] = [[...CROWDS[doing]] as const, { open_files: 1_024 }];
      const nest = { writable: [], scratchBytes: 2 ** 28, network: "none" } as const;
      await driver.start({ instance, run, cwd: "/", files: {}, limits, ...nest });
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
  const left = (await driver.list()).map(({ instance }) => instance);
  await Promise.all(
    left.map(async (instance) => {
      await driver.stop(instance, { graceMs: 0, deadlineMs: 60_000, by: "bench" });
      await driver.forget(instance);
    }),
  );
  await driver.close();
}
