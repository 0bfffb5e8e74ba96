import { openSqliteJournal } from "../../src/journal/sqlite/open.ts";
import { systemClock } from "../../src/system/clock.ts";
import { middleOf } from "../cold.ts";
import type { Bench, Course } from "../measure.ts";
import { onSite, runTimed, type Site } from "../site.ts";
import { lengthenByLeases } from "./history.ts";

/** `stint lease acquire --json` from a shell, on a short journal, against a Node that is idle. */
export const coldLease: Bench = coldAt(10);

/** The same on a long journal. */
export const coldLeaseLater: Bench = coldAt(1_000_000);

/** No supervisor runs: the call opens the store, decides, commits and closes it by itself. */
function coldAt(count: number): Bench {
  return {
    name: `cold-lease: lease acquire at ${count.toLocaleString("en-US")} entries`,
    unit: "ms",
    floorName: "node -e 0",
    target: { ratio: 3, better: "lower" },
    rounds: 7,
    prepare: (course) =>
      onSite(async (site) => {
        await lengthen(site, count, course);
        const { dir: cwd, env } = site;
        let called = 0;
        return {
          floor: () => middleOf(() => runTimed([process.execPath, "-e", "0"], { cwd, env })),
          measure: () => middleOf(() => acquire(site, `src/part-${(called += 1)}/**`)),
          close: async () => undefined,
        };
      }),
  };
}

async function acquire(site: Site, region: string): Promise<{ readonly ms: number }> {
  const words = ["lease", "acquire", "--region", region, "--holder", "bench", "--json"];
  const called = await site.call(words);
  const { data } = JSON.parse(called.stdout) as { readonly data: { readonly region?: unknown } };
  if (JSON.stringify(data.region) !== JSON.stringify([region]))
    throw new Error(`${region} must be granted, got ${called.stdout}`);
  return called;
}

async function lengthen(site: Site, count: number, course: Course): Promise<void> {
  const founded = await site.open();
  const { id: fleet } = founded;
  await founded.close();
  const journal = await openSqliteJournal({ folder: site.stateDir, clock: systemClock() });
  await lengthenByLeases(journal, { count, fleet, course });
  await journal.close();
  // The first look at the lengthened journal folds it, and signs a head at its end.
  const folded = await site.open();
  await folded.close();
}
