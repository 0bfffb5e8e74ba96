// A start is stopped, by SIGSTOP, between any two of its steps, and then overtaken by a stop.
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { CgroupTree } from "../../../src/sandbox/cgroup/cgroup.ts";
import { Children } from "../../../src/sandbox/process/children.ts";
import { Lookout } from "../../../src/sandbox/process/lookout.ts";
import { readRecord } from "../../../src/sandbox/process/record.ts";
import { contain, type Containment } from "../../../src/sandbox/process/rung/containment.ts";
import { HiddenFolders } from "../../../src/sandbox/folder/hidden.ts";
import type { Wrap } from "../../../src/sandbox/process/rung/view.ts";
import { Starter } from "../../../src/sandbox/process/starter.ts";
import { Workshop } from "../../../src/sandbox/process/workshop.ts";
import { hostId } from "../../../src/system/host.ts";
import { SILENT } from "../../../src/ports/log.ts";
import { listProcesses } from "../../support/process-table.ts";
import { type Case, ENCLOSED } from "../rungs.ts";
import { type Ground, kill, marked, useGround } from "../state-folder.ts";

/** Changes how a start goes, so that it comes to a halt at one of its steps. */
type Halt = (real: Containment, gate: string) => Containment;

const stopItself = ["/bin/sh", "-c", 'kill -STOP $$; exec "$@"', "halt"];
const waiting = 'read -r _ < "$0"; exec "$@"';
const waitAtGate = (gate: string): string[] => ["/bin/sh", "-c", waiting, gate];

function wrapped(real: Containment, change: (wrap: Wrap) => Wrap): Containment {
  if (real.wrap === undefined) throw new Error("an upper rung wraps");
  return { ...real, wrap: change(real.wrap) };
}

/** A control group that waits at the gate to be joined, before or after the real ones. */
function gated(tree: CgroupTree | undefined, gate: string, isFirst: boolean): CgroupTree {
  const add = (files: readonly string[]): string[] =>
    isFirst ? [gate, ...files] : [...files, gate];
  if (tree === undefined) throw new Error("a rung with control groups has a tree");
  return {
    can: tree.can,
    missing: tree.missing,
    open: (instance) => tree.open(instance),
    has: (instance) => tree.has(instance),
    kill: (where) => tree.kill(where),
    isDeserted: () => tree.isDeserted(),
    listKnown: () => tree.listKnown(),
    list: () => tree.list(),
    create: async (instance) => {
      const group = await tree.create(instance);
      return { ...group, joinFiles: add(group.joinFiles) };
    },
  };
}

const HALTS: readonly (readonly [string, Halt])[] = [
  ["has been let go, before its group is joined", (real, gate) => joining(real, gate, true)],
  ["has joined its group, before the permits are seen", (real, gate) => joining(real, gate, false)],
  [
    "has seen the permits, before it is enclosed",
    (real) => wrapped(real, (wrap) => (view) => [...stopItself, ...wrap(view)]),
  ],
  [
    "is enclosed, before its keeper stands ready",
    (real, gate) => wrapped(real, (wrap) => (view) => [...wrap(view), ...waitAtGate(gate)]),
  ],
];

function joining(real: Containment, gate: string, isFirst: boolean): Containment {
  if (real.cgroups !== undefined) return { ...real, cgroups: gated(real.cgroups, gate, isFirst) };
  // Without a group there is nothing to join: it halts just where it would.
  return wrapped(real, (wrap) => (view) => [...stopItself, ...wrap(view)]);
}

async function starterThat(halt: Halt, ground: Ground, on: Case): Promise<[Starter, string]> {
  const gate = join(ground.folder, "gate");
  execFileSync("mkfifo", [gate]);
  const { rung = "best", usesCgroups = true } = on.options;
  const containment = halt(await contain({ rung, fleet: ground.fleet, usesCgroups }), gate);
  const place = { root: join(ground.folder, "sandboxes"), fleet: ground.fleet, host: hostId() };
  const parts = {
    log: SILENT,
    hidden: new HiddenFolders([]),
    shown: [],
    permitFile: undefined,
    output: undefined,
  };
  const [lookout, children] = [new Lookout(place), new Children(SILENT)];
  const workshop = new Workshop({ ...parts, lookout, children, containment, usesCgroups });
  return [new Starter(workshop), gate];
}

/** Waits until what is started shows, and has been still for some looks; then stops it for real. */
async function haltAll(ground: Ground): Promise<void> {
  await expect
    .poll(async () => (await readRecord(ground.sandbox.folder("w-a")))?.process)
    .toBeTruthy();
  let before = "";
  await expect
    .poll(
      () => {
        const now = states(ground).join();
        const isStill = now !== "" && now === before && !now.includes("R");
        before = now;
        return isStill;
      },
      { interval: 100 },
    )
    .toBe(true);
  for (const pid of marked(ground.fleet)) process.kill(pid, "SIGSTOP");
}

function states(ground: Ground): string[] {
  const pids = new Set(marked(ground.fleet));
  return listProcesses()
    .filter((row) => pids.has(row.pid))
    .map((row) => `${row.pid}:${row.state}`);
}

describe.each(ENCLOSED)("on the rung $name", (on) => {
  const ground = useGround(on);

  test.each(HALTS)("[RU16] a kill ends a start that %s (replication C4)", async (_, halt) => {
    const mark = join(ground.folder, "ran");
    const [starter] = await starterThat(halt, ground, on);
    const spec = { instance: "w-a", run: ["touch", mark] as [string, string], files: {} };
    const started = starter.start(spec).then(
      () => "started",
      () => "failed",
    );
    await haltAll(ground);
    const ending = await kill(ground.sandbox, "w-a");
    expect(ending?.evidence.grade).toBe("observed");
    expect(ending?.evidence.facts["started"]).toBe(false);
    expect(marked(ground.fleet)).toEqual([]);
    expect(await started).toBe("failed");
    expect(existsSync(mark)).toBe(false);
  });

  test("[RU16] without the kill the halted start would have run: the test can fail", async () => {
    const mark = join(ground.folder, "ran");
    const [starter, gate] = await starterThat(HALTS[3]?.[1] ?? ((real) => real), ground, on);
    const spec = { instance: "w-a", run: ["touch", mark] as [string, string], files: {} };
    const started = starter.start(spec);
    await haltAll(ground);
    for (const pid of marked(ground.fleet)) process.kill(pid, "SIGCONT");
    execFileSync("sh", ["-c", 'echo go > "$0"', gate]);
    await started;
    await expect.poll(() => existsSync(mark)).toBe(true);
  });

  test("[RU16] kills that come at any moment of 30 starts leave nothing running", async () => {
    const instances = Array.from({ length: 30 }, (_, index) => `w-${index}`);
    const other = await ground.open();
    const pairs = instances.map(async (instance, turns) => {
      const starting = ground.sandbox
        .start({ instance, run: ["sleep", "60"], files: {} })
        .catch((fault: unknown) => fault);
      for (let turn = 0; turn < turns * 3; turn += 1) await new Promise(setImmediate);
      const ending = await kill(other, instance);
      await starting;
      return ending?.evidence.grade;
    });
    expect(await Promise.all(pairs)).toEqual(instances.map(() => "observed"));
    expect(marked(ground.fleet)).toEqual([]);
  }, 60_000);
});
