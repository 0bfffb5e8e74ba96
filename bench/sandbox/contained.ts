import { readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import type { Fleet } from "../../src/library/fleet/fleet.ts";
import { msOf, type Bench } from "../measure.ts";
import { median } from "../report/verdict.ts";
import { onSite, runTimed, type Site } from "../site.ts";
import { childrenOf } from "./processes.ts";

/** Starts per trial, of which the middle one counts. */
const STARTS = 9;

const SHARED = {
  unit: "ms",
  floorName: "one bare bwrap, same mounts, true",
  target: { ratio: 5, better: "lower" },
  rounds: 7,
} as const;

/** From asking the supervisor for a contained `true` to its end in the journal. */
export const containedStart: Bench = {
  ...SHARED,
  name: "contained-start: by an open handle",
  prepare: () =>
    onSite(async (site) => {
      const fleet = await site.open();
      const bare = await bareWrapper(site, fleet);
      const startOne = async (): Promise<void> => {
        const worker = await fleet.start({ run: ["true"], cwd: site.dir });
        const { end } = await worker.ended();
        if (end?.outcome?.exitCode !== 0) throw new Error("true must exit with 0");
      };
      return {
        floor: () => middleOf(() => runBare(site, bare)),
        measure: () => middleOf(() => msOf(startOne)),
        close: () => fleet.close(),
      };
    }),
};

/** The same from a shell: a Node has to start first, which the floor has not. */
export const containedRun: Bench = {
  ...SHARED,
  name: "contained-run: stint run -- true",
  prepare: () =>
    onSite(async (site) => {
      const fleet = await site.open();
      const bare = await bareWrapper(site, fleet);
      return {
        floor: () => middleOf(() => runBare(site, bare)),
        measure: () => middleOf(async () => (await site.call(["run", "--", "true"])).ms),
        close: () => fleet.close(),
      };
    }),
};

/**
 * What a worker is wrapped in, as one call of bubblewrap: the very arguments of one that runs,
 * with a file system in memory where that has one of its own. So the floor has the same namespaces
 * and as many mounts, whatever a worker gets. That worker stays: its folders are among the mounts.
 */
async function bareWrapper(site: Site, fleet: Fleet): Promise<readonly string[]> {
  const { pid, rung } = await site.supervise();
  if (!rung.includes("bubblewrap"))
    throw new Error(`this bench needs bubblewrap, the supervisor contains by: ${rung}`);
  const { id } = await fleet.start({ name: "model", run: ["sleep", "3600"], cwd: site.dir });
  const [wrapper] = childrenOf(pid);
  const argv = readFileSync(`/proc/${wrapper}/cmdline`, "utf8").split("\0");
  const end = argv.indexOf("--");
  if (end < 0 || !argv[0]?.endsWith("bwrap"))
    throw new Error(`a worker must be in a bubblewrap, it is in: ${argv[0]}`);
  return withMemory(argv.slice(0, end + 1), `/sandboxes/${id}/`);
}

/** Puts memory where something of a worker's own folder is bound. */
function withMemory(argv: readonly string[], own: string): readonly string[] {
  return argv.flatMap((arg, index) => {
    if (argv[index - 1] === "--bind" && arg.includes(own)) return [];
    return arg === "--bind" && argv[index + 1]?.includes(own) === true ? ["--tmpfs"] : [arg];
  });
}

async function runBare({ env }: Site, wrapper: readonly string[]): Promise<number> {
  return (await runTimed([...wrapper, "true"], { cwd: tmpdir(), env })).ms;
}

async function middleOf(start: () => Promise<number>): Promise<number> {
  const figures: number[] = [];
  for (let started = 0; started < STARTS; started += 1) figures.push(await start());
  return median(figures);
}
