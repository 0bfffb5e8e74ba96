import type { Bench } from "../measure.ts";
import { onSite } from "../site.ts";
import { CROWDS, demandRoom, startCrowd } from "./crowd.ts";
import { childrenOf, runsProgram, shareOfMemory } from "./processes.ts";

const WORKERS = 100;

const BAR_MIB = 4;

/** The memory of all that is not a worker's own program, per worker: supervisor and wrappers. */
export const overhead: Bench = {
  name: `pss-${WORKERS}: of all but the programs, per worker`,
  unit: "MiB",
  floorName: "the bar, as a constant",
  target: { ratio: 1, better: "lower" },
  rounds: 3,
  prepare: (course) =>
    onSite(async (site) => {
      demandRoom(WORKERS);
      const { pid } = await site.supervise();
      const fleet = await site.open();
      await startCrowd(WORKERS, course, async () => {
        await fleet.start({ name: "idle", run: [...CROWDS.sleeping], cwd: site.dir });
      });
      return {
        floor: () => Promise.resolve(BAR_MIB),
        async measure() {
          const tree = listBelow(pid);
          const programs = tree.filter((one) => runsProgram(one, CROWDS.sleeping));
          if (programs.length !== WORKERS)
            throw new Error(`${WORKERS} programs must run, ${programs.length} do`);
          const others = tree.filter((one) => !programs.includes(one));
          const bytes = others.reduce((sum, one) => sum + shareOfMemory(one), 0);
          return bytes / 2 ** 20 / WORKERS;
        },
        close: () => fleet.close(),
      };
    }),
};

/** A process, and all that descends from it. */
function listBelow(pid: number): readonly number[] {
  return [pid, ...childrenOf(pid).flatMap(listBelow)];
}
