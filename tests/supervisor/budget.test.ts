import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { needs } from "../support/require-all.ts";
import { makeRig, type Rig } from "./rig.ts";

const MIB = 2 ** 20;
const SLEEP = ["/bin/sleep", "600"];

/** Holds so much memory once it has read it all: what has no line to cut is kept whole. */
const holder = (mib: number): readonly string[] => [
  "/bin/sh",
  "-c",
  `{ head -c ${mib * MIB} /dev/zero; sleep 600; } | tail`,
];

/** Supervises on the best rung; skips where that holds no limits. */
async function superviseWithLimits(rig: Rig): Promise<void> {
  const { said } = await rig.supervise({ rung: "best" });
  const degraded = said[0]?.["degraded"];
  const isHeld = Array.isArray(degraded) && !degraded.includes("memory");
  needs(isHeld, "this host holds no limits: no writable cgroups");
}

/** What the kernel of this machine says of a worker's cgroup; read without any code of ours. */
function memoryOf(rig: Rig, id: string): { readonly limit: number; readonly usage: number } {
  const own = rig.processes().find(({ pid }) => environmentHas(pid, `STINT_INSTANCE=${id}`));
  const lines = readFileSync(`/proc/${own?.pid}/cgroup`, "utf8").split("\n");
  for (const line of lines) {
    const [, controllers = "", path = ""] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    if (controllers === "memory")
      return readBoth(join("/sys/fs/cgroup/memory", path), [
        "memory.limit_in_bytes",
        "memory.usage_in_bytes",
      ]);
    const unified = join("/sys/fs/cgroup", path);
    if (controllers === "" && existsSync(join(unified, "memory.max")))
      return readBoth(unified, ["memory.max", "memory.current"]);
  }
  return expect.fail(`no memory cgroup of ${id} in ${lines.join()}`);
}

function readBoth(folder: string, [limit, usage]: readonly [string, string]) {
  const read = (name: string): number => Number(readFileSync(join(folder, name), "utf8"));
  return { limit: read(limit), usage: read(usage) };
}

function environmentHas(pid: number, line: string): boolean {
  return readFileSync(`/proc/${pid}/environ`, "utf8").split("\0").includes(line);
}

function childOrder(rig: Rig, id: string, budget: object): object {
  const admission = { name: "child", reason: "more hands", network: "open", budget };
  return { id, admission, run: SLEEP, cwd: "/", env: { SV_MARK: rig.mark } };
}

test("[SV24] a parent is held to what its child leaves it, until the child ends", async () => {
  const rig = await makeRig();
  await superviseWithLimits(rig);
  const budget = { memory_bytes: 200 * MIB, processes: 32 };
  const parent = await rig.start(SLEEP, { admission: { budget } });
  expect(memoryOf(rig, parent).limit).toBe(200 * MIB);

  const asked = childOrder(rig, "child", { memory_bytes: 150 * MIB, processes: 8 });
  const reply = await rig.worker(parent, "/v1/workers", asked);
  const child = String(reply.body.data?.["worker"]);
  expect(memoryOf(rig, parent).limit).toBe(50 * MIB);
  expect(memoryOf(rig, child).limit).toBe(150 * MIB);

  await rig.command("worker.stop", { worker: child, reason: "requested", tree: false });
  await rig.end(child);
  await expect.poll(() => memoryOf(rig, parent).limit).toBe(200 * MIB);
});

test("[SV24] what a parent uses is not carved from it, and nothing is lowered", async () => {
  const rig = await makeRig();
  await superviseWithLimits(rig);
  const parent = await rig.start(holder(100), {
    admission: { budget: { memory_bytes: 200 * MIB } },
  });
  await expect.poll(() => memoryOf(rig, parent).usage).toBeGreaterThan(90 * MIB);

  const asked = childOrder(rig, "child", { memory_bytes: 150 * MIB });
  const { body, status } = await rig.worker(parent, "/v1/workers", asked);
  expect(status).toBe(409);
  expect(body.refusal).toMatchObject({ code: "budget_exceeded", facts: { key: "memory_bytes" } });
  expect(memoryOf(rig, parent).limit).toBe(200 * MIB);
  expect((await rig.fleet.worker(parent))?.childrenCount).toBe(0);
});

test("[SV25] a worker whose cpu time is spent is charged for it and told to stop", async () => {
  const rig = await makeRig({ beatEveryMs: 100, reapAfterMs: 10_000 });
  await superviseWithLimits(rig);
  const busy = ["/bin/sh", "-c", "while :; do :; done"];
  const id = await rig.start(busy, { admission: { budget: { cpu_ms: 300 } } });
  const end = await rig.end(id);
  expect(end).toMatchObject({ reason: "budget_spent" });
  const charges = await rig.entriesAbout(id, "budget.charged");
  expect(charges.length).toBeGreaterThan(0);
  for (const { actor } of charges) expect(actor.kind).toBe("supervisor");
});

test("[SV25] a worker past its wall time ends as timed out", async () => {
  const rig = await makeRig();
  await rig.supervise({ rung: "best" });
  const id = await rig.start(SLEEP, { admission: { budget: { wall_ms: 300 } } });
  expect(await rig.end(id)).toMatchObject({ outcome: { timedOut: true } });
});
