import { execFile } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Sandbox } from "../../src/ports/sandbox.ts";
import { openProcessSandbox } from "../../src/sandbox/process/process-sandbox.ts";
import { makeFolder } from "../fleet.ts";
import { msOf, type Bench } from "../measure.ts";
import { median } from "../report/verdict.ts";

const exec = promisify(execFile);

/** Pairs per trial, of which the middle one counts. */
const PAIRS = 9;

const INSTANCE = "w-bench";

/** Ground given to a sandbox that runs, and taken from it, proven; against the bare mounts. */
export const fences: Bench = {
  name: "fences: ground given and taken",
  unit: "ms",
  floorName: "the same three mounts by hand",
  target: { ratio: 3, better: "lower" },
  rounds: 7,
  prepare: async () => {
    // Where mounts can be made by hand, as root: a plain user has a namespace to enter first.
    if (process.getuid?.() !== 0) throw new Error("this bench must be run as root");
    const folder = await makeFolder();
    const ground = join(folder.path, "ground");
    for (const name of ["src", "hub", "state"])
      mkdirSync(join(ground, name), { recursive: true, mode: 0o700 });
    const sandbox = await openProcessSandbox({
      stateFolder: join(ground, "state"),
      fleet: `f-bench-${process.pid}`,
      rung: "cgroup",
    });
    const close = async (): Promise<void> => {
      await sandbox.stop(INSTANCE, { graceMs: 0, deadlineMs: 10_000, by: "bench" });
      await sandbox.close();
      await folder.remove();
    };
    try {
      await start(sandbox, ground);
    } catch (error) {
      await close();
      throw error;
    }
    return {
      floor: () => middleOf(() => byHand(join(ground, "src"), join(ground, "hub"))),
      measure: () => middleOf(() => giveAndTake(sandbox, join(ground, "src"))),
      close,
    };
  },
};

async function start(sandbox: Sandbox, ground: string): Promise<void> {
  if (sandbox.mounts === undefined) throw new Error(`this host cannot: ${sandbox.rung}`);
  const run = ["sleep", "600"] as const;
  const files = {};
  await sandbox.start({
    instance: INSTANCE,
    run: [...run],
    cwd: "/",
    files,
    writable: [],
    ground: [ground],
  });
}

async function giveAndTake({ mounts }: Sandbox, folder: string): Promise<void> {
  await mounts?.give(INSTANCE, { folder, kept: [], left: [] });
  if ((await mounts?.take(INSTANCE, folder)) !== true) throw new Error("nothing has it open");
}

async function byHand(from: string, at: string): Promise<void> {
  await exec("mount", ["--bind", from, at]);
  await exec("mount", ["-o", "remount,bind,ro", at]);
  await exec("umount", ["-l", at]);
}

async function middleOf(act: () => Promise<void>): Promise<number> {
  const figures: number[] = [];
  for (let done = 0; done < PAIRS; done += 1) figures.push(await msOf(act));
  return median(figures);
}
