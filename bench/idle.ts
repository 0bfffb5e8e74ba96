import { setTimeout as sleep } from "node:timers/promises";
import { readFileSync } from "node:fs";
import type { Bench } from "./measure.ts";
import { onSite } from "./site.ts";

/** How long it is watched, ms; a tick of the kernel's clock (10 ms) is then 0.04 % of a core. */
const WATCHED_MS = 25_000;

/** Ticks per second of the times in /proc/PID/stat: the same on every Linux there is. */
const TICKS_PER_SECOND = 100;

const BAR_PERCENT = 1;

/** What a supervisor uses of a core that has a fleet and nothing to do. */
export const idleSupervisor: Bench = {
  name: "idle-supervisor: cpu time",
  unit: "% of a core",
  floorName: "the bar, as a constant",
  target: { ratio: 1, better: "lower" },
  rounds: 2,
  prepare: ({ signal }) =>
    onSite(async (site) => {
      const { pid } = await site.supervise();
      return {
        floor: () => Promise.resolve(BAR_PERCENT),
        async measure() {
          const [beforeMs, beganMs] = [cpuMsOf(pid), performance.now()];
          await sleep(WATCHED_MS, undefined, { signal });
          return ((cpuMsOf(pid) - beforeMs) / (performance.now() - beganMs)) * 100;
        },
        close: async () => undefined,
      };
    }),
};

/** The cpu time of a process and all its threads so far, ms (proc(5): utime and stime). */
function cpuMsOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  // Its name stands in brackets and may hold anything.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const ticks = Number(fields[11]) + Number(fields[12]);
  return (ticks * 1_000) / TICKS_PER_SECOND;
}
