import { setTimeout as sleep } from "node:timers/promises";
import { CROWDS, demandRoom, startCrowd } from "./crowd.ts";
import type { Bench } from "../measure.ts";
import { onSite } from "../site.ts";
import { cpuMsOf } from "./processes.ts";

/** How long it is watched, ms; a tick of the kernel's clock (10 ms) is then 0.04 % of a core. */
const WATCHED_MS = 25_000;

/** What a supervisor uses of a core that has a fleet and nothing to do. */
export const idleSupervisor = idleWith({
  name: "idle-supervisor: cpu time",
  count: 0,
  barPercent: 1,
});

/** The same with workers that do nothing. */
export const idleCrowd = idleWith({
  name: "idle-supervisor: cpu time with 1,000 idle workers",
  count: 1_000,
  barPercent: 5,
});

function idleWith(so: {
  readonly name: string;
  /** How many workers it has. */
  readonly count: number;
  readonly barPercent: number;
}): Bench {
  const { name, count, barPercent } = so;
  return {
    name,
    unit: "% of a core",
    floorName: "the bar, as a constant",
    target: { ratio: 1, better: "lower" },
    rounds: count === 0 ? 2 : 3,
    prepare: (course) =>
      onSite(async (site) => {
        demandRoom(count);
        const { pid } = await site.supervise();
        const fleet = await site.open();
        await startCrowd(count, course, async () => {
          await fleet.start({ name: "idle", run: [...CROWDS.sleeping], cwd: site.dir });
        });
        return {
          floor: () => Promise.resolve(barPercent),
          async measure() {
            const [beforeMs, beganMs] = [cpuMsOf(pid), performance.now()];
            await sleep(WATCHED_MS, undefined, { signal: course.signal });
            return ((cpuMsOf(pid) - beforeMs) / (performance.now() - beganMs)) * 100;
          },
          close: () => fleet.close(),
        };
      }),
  };
}
