import { readFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import type { EntryView } from "stint";
import { expect, test } from "vitest";
import { needs } from "../support/require-all.ts";
import { makeRig, type Rig, type Supervised } from "./rig.ts";

const MIB = 2 ** 20;

/** Takes 256 MiB in a process of its own. */
const HOG = "head -c 256M /dev/zero | tail > /dev/null";

const sh = (script: string): readonly string[] => ["/bin/bash", "-c", script];

/** Supervises on the best rung; skips where that holds no limits. */
async function superviseWithLimits(rig: Rig): Promise<Supervised> {
  const supervised = await rig.supervise({ rung: "best" });
  const degraded = supervised.said[0]?.["degraded"];
  const isHeld = Array.isArray(degraded) && !degraded.includes("memory");
  needs(isHeld, "this host holds no limits: no writable cgroups");
  return supervised;
}

/** Waits until a worker is on record to have hit a limit; answers the first entry that says so. */
async function untilTold(rig: Rig, id: string): Promise<EntryView> {
  const told = (): Promise<readonly EntryView[]> => rig.entriesAbout(id, "worker.limit_hit");
  await expect.poll(async () => (await told()).length, { timeout: 20_000 }).toBeGreaterThan(0);
  const [first] = await told();
  if (first === undefined) throw new Error("what was told a moment ago must be on record");
  return first;
}

/** The kinds of the entries about a worker's end, in their order, with what was hit. */
async function endOf(rig: Rig, id: string): Promise<readonly unknown[]> {
  await rig.end(id);
  const entries = (await rig.entries()).filter((entry) => Reflect.get(entry.data, "worker") === id);
  const kinds = ["worker.limit_hit", "worker.stopped"];
  return entries
    .filter(({ kind }) => kinds.includes(kind))
    .map(({ kind, data }): readonly unknown[] => [kind, Reflect.get(data, "limit") ?? null]);
}

test("[LH3] a child killed for memory is an entry, and the worker lives on", async () => {
  const rig = await makeRig();
  await superviseWithLimits(rig);
  const budget = { memory_bytes: 64 * MIB };
  const id = await rig.start(sh(`${HOG}; sleep 600`), { admission: { budget } });
  const told = await untilTold(rig, id);
  expect(told.actor.kind).toBe("supervisor");
  expect(told.data).toMatchObject({ limit: "memory_bytes", value: 64 * MIB, count: 1 });
  const use = Number(Reflect.get(told.data, "use"));
  expect(use).toBeGreaterThan(56 * MIB);
  const worker = await rig.fleet.worker(id);
  expect(worker?.status).toBe("running");
  expect(worker?.limitsHit).toEqual([
    { limit: "memory_bytes", value: 64 * MIB, use, count: 1, atMs: told.atMs },
  ]);
});

test("[LH2] a worker killed for memory has that on record right before its end", async () => {
  const rig = await makeRig();
  await superviseWithLimits(rig);
  const budget = { memory_bytes: 64 * MIB };
  const id = await rig.start(sh(`exec tail /dev/zero`), { admission: { budget } });
  expect(await rig.end(id)).toMatchObject({ outcome: { oomKilled: true } });
  expect(await endOf(rig, id)).toEqual([
    ["worker.limit_hit", "memory_bytes"],
    ["worker.stopped", null],
  ]);
  expect((await rig.fleet.worker(id))?.limitsHit).toMatchObject([{ limit: "memory_bytes" }]);
});

test("[LH4] a fork bomb is held and told once, and how it went on with its end", async () => {
  const rig = await makeRig();
  await superviseWithLimits(rig);
  const bomb = '$SIG{TERM} = "IGNORE"; while (1) { fork; select(undef, undef, undef, 0.05) }';
  const id = await rig.start(["/usr/bin/perl", "-e", bomb], {
    admission: { budget: { processes: 20 } },
  });
  const told = await untilTold(rig, id);
  expect(told.data).toMatchObject({ limit: "processes", value: 20, use: 20 });
  // Each of its processes tries once more meanwhile.
  await pause(200);
  await rig.command("worker.stop", { worker: id, reason: "requested", tree: false, grace_ms: 0 });
  await rig.end(id);
  const counts = (await rig.entriesAbout(id, "worker.limit_hit")).map(({ data }) =>
    Number(Reflect.get(data, "count")),
  );
  // The minute is not over: nothing was told in between.
  expect(counts.length).toBe(2);
  expect(counts[1]).toBeGreaterThan(counts[0] ?? Infinity);
  expect(rig.processes()).toEqual([]);
});

test("[LH5] time that is over is told with the end", async () => {
  const rig = await makeRig();
  await rig.supervise({ rung: "best" });
  const id = await rig.start(sh("sleep 600"), { admission: { budget: { wall_ms: 300 } } });
  expect(await endOf(rig, id)).toEqual([
    ["worker.limit_hit", "wall_ms"],
    ["worker.stopped", null],
  ]);
});

test("[LH6] a flood of output is cut back and told, and the worker lives on", async () => {
  const rig = await makeRig({ sandbox: { outputBytes: 65_536 } });
  await rig.supervise({ rung: "best" });
  const id = await rig.start(sh("head -c 1M /dev/zero | tr '\\0' x; sleep 600"));
  const told = await untilTold(rig, id);
  expect(told.data).toMatchObject({ limit: "output_bytes", value: 65_536 });
  expect(Reflect.get(told.data, "use")).toBeGreaterThan(65_536);
  expect((await rig.fleet.worker(id))?.status).toBe("running");
});

test("[LH7] a worker that keeps all descriptors open is told of, by its contract", async () => {
  const rig = await makeRig({ sandbox: { openFiles: 100 } });
  await superviseWithLimits(rig);
  const hog = 'while (open(my $one, "<", "/dev/null")) { push @all, $one } sleep 600';
  const id = await rig.start(["/usr/bin/perl", "-e", hog]);
  const told = await untilTold(rig, id);
  expect(told.data).toMatchObject({ limit: "open_files", value: 100, count: 1 });
  expect(Reflect.get(told.data, "use")).toBeGreaterThanOrEqual(100);
});

test("[LH11] what a supervisor died before telling, its successor finds and tells", async () => {
  const rig = await makeRig();
  const first = await superviseWithLimits(rig);
  const waiting = `trap '${HOG}; exec sleep 599' USR1; while :; do sleep 0.05; done`;
  const budget = { memory_bytes: 64 * MIB };
  const id = await rig.start(sh(waiting), { admission: { budget } });
  first.child.kill("SIGSTOP");
  const program = rig.processes().find(({ pid }) => argumentsOf(pid).includes(waiting));
  // Without one this throws: no process has this number.
  process.kill(program?.pid ?? 2 ** 31 - 1, "SIGUSR1");
  await expect
    .poll(() => rig.processes().some(({ pid }) => argumentsOf(pid).includes("599")), {
      timeout: 20_000,
    })
    .toBe(true);
  expect(await rig.entriesAbout(id, "worker.limit_hit")).toEqual([]);
  await first.kill();
  await rig.supervise({ rung: "best" });
  expect(await endOf(rig, id)).toEqual([
    ["worker.limit_hit", "memory_bytes"],
    ["worker.stopped", null],
  ]);
});

function argumentsOf(pid: number): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
  } catch {
    // It ended since it was listed.
    return [];
  }
}
