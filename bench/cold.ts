import type { Bench } from "./measure.ts";
import { median } from "./report/verdict.ts";
import { onSite, runTimed, type Site, type Timed } from "./site.ts";

const LIVE = 4;

/** Calls per trial, of which the middle one counts: one start more or less late is no news. */
const CALLS = 7;

/** `stint workers --json` from a shell, against a Node that does nothing. */
export const coldWorkers: Bench = {
  name: "cold-workers: workers --json",
  unit: "ms",
  floorName: "node -e 0",
  target: { ratio: 3, better: "lower" },
  rounds: 7,
  prepare: () =>
    onSite(async (site) => {
      await site.supervise();
      const fleet = await site.open();
      for (let started = 0; started < LIVE; started += 1)
        await fleet.start({ name: "sleeper", run: ["sleep", "600"] });
      await fleet.close();
      const { dir: cwd, env } = site;
      return {
        floor: () => middleOf(() => runTimed([process.execPath, "-e", "0"], { cwd, env })),
        measure: () => middleOf(() => listWorkers(site)),
        close: async () => undefined,
      };
    }),
};

async function listWorkers(site: Site): Promise<Timed> {
  const called = await site.call(["workers", "--json"]);
  const { data } = JSON.parse(called.stdout) as {
    readonly data: { readonly workers: readonly unknown[] };
  };
  if (data.workers.length !== LIVE) throw new Error(`${LIVE} workers must be listed`);
  return called;
}

/** The middle one of some calls, ms. */
export async function middleOf(call: () => Promise<{ readonly ms: number }>): Promise<number> {
  const figures: number[] = [];
  for (let called = 0; called < CALLS; called += 1) figures.push((await call()).ms);
  return median(figures);
}
