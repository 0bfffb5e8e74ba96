import { tmpdir } from "node:os";
import { dirname } from "node:path";
import { contain } from "../src/sandbox/process/rung/containment.ts";
import { resolveView } from "../src/sandbox/process/rung/view.ts";
import { runtimePlaces } from "../src/system/places.ts";
import { msOf, type Bench } from "./measure.ts";
import { median } from "./report/verdict.ts";
import { onSite, runTimed, type Site } from "./site.ts";

/** Starts per trial, of which the middle one counts. */
const STARTS = 9;

/** From asking the supervisor for a contained `true` to its end in the journal. */
export const containedStart: Bench = {
  name: "contained-start: by an open handle",
  unit: "ms",
  floorName: "bare bwrap … true",
  target: { ratio: 5, better: "lower" },
  rounds: 7,
  prepare: () =>
    onSite(async (site) => {
      demandBubblewrap((await site.supervise()).rung);
      const fleet = await site.open();
      const startOne = async (): Promise<void> => {
        const worker = await fleet.start({ run: ["true"], cwd: site.dir });
        const { end } = await worker.ended();
        if (end?.outcome?.exitCode !== 0) throw new Error("true must exit with 0");
      };
      return {
        floor: () => middleOf(() => runBare(site)),
        measure: () => middleOf(() => msOf(startOne)),
        close: () => fleet.close(),
      };
    }),
};

/** The same from a shell: a Node has to start first, which the floor has not. */
export const containedRun: Bench = {
  name: "contained-run: stint run -- true",
  unit: "ms",
  floorName: "bare bwrap … true",
  target: { ratio: 5, better: "lower" },
  rounds: 7,
  prepare: () =>
    onSite(async (site) => {
      demandBubblewrap((await site.supervise()).rung);
      return {
        floor: () => middleOf(() => runBare(site)),
        measure: () => middleOf(async () => (await site.call(["run", "--", "true"])).ms),
        close: async () => undefined,
      };
    }),
};

/** What the supervisor wraps its programs in, around nothing but the program. */
async function runBare({ dir, stateDir, env }: Site): Promise<number> {
  const hidden = [stateDir, dirname(runtimePlaces(stateDir).dir)];
  const view = resolveView({ cwd: dir, hidden, visible: [], hasNetwork: true });
  const { wrap } = await contain({ rung: "cgroup", fleet: "bench", usesCgroups: false });
  const wrapped = wrap?.(view) ?? [];
  return (await runTimed([...wrapped, "true"], { cwd: tmpdir(), env })).ms;
}

function demandBubblewrap(rung: string): void {
  if (rung.includes("bubblewrap")) return;
  throw new Error(`this bench needs bubblewrap, the supervisor contains by: ${rung}`);
}

async function middleOf(start: () => Promise<number>): Promise<number> {
  const figures: number[] = [];
  for (let started = 0; started < STARTS; started += 1) figures.push(await start());
  return median(figures);
}
