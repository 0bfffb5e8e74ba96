import { join } from "node:path";
import { canonicalText } from "../../src/runtime/canonical.ts";
import { openRaw } from "../admission.ts";
import { makeFolder, openFleetIn, type BenchFleet } from "../fleet.ts";
import { perSecond, type Bench, type Course, type Trials } from "../measure.ts";
import { lengthenByLeases } from "./history.ts";
import { carryLease } from "./pair.ts";

const PAIRS = 300;
const CALLERS = 16;
const SHARED_PAIRS = 60 * CALLERS;
const FEW = 10;
const MANY = 1_000_000;

/** Pairs of acquisition and release by one caller, against raw commits of the same bytes. */
export const oneLeasePair: Bench = {
  name: "lease: acquire+release, one caller",
  unit: "pairs/s",
  floorName: "raw SQLite commits of the same bytes",
  target: { ratio: 0.6, better: "higher" },
  rounds: 7,
  async prepare(): Promise<Trials> {
    const folder = await makeFolder();
    const fleet = await openFleetIn(folder.path);
    const texts = (await carryLease(fleet.loop, "a")).map(({ hash: _hash, ...entry }) =>
      canonicalText(entry),
    );
    const raw = openRaw(join(folder.path, "floor.db"));
    return {
      floor: () => perSecond(PAIRS, () => raw.commit(PAIRS, texts)),
      measure: () => pairsPerSecond(fleet, 1, PAIRS),
      async close() {
        raw.close();
        await fleet.close();
        await folder.remove();
      },
    };
  },
};

/** Sixteen callers in one process, each on ground of its own, against one. */
export const manyLeasePairs: Bench = {
  name: "lease: acquire+release, 16 callers",
  unit: "pairs/s",
  floorName: "one caller",
  target: { ratio: 5, better: "higher" },
  rounds: 7,
  async prepare(): Promise<Trials> {
    const folder = await makeFolder();
    const fleet = await openFleetIn(folder.path);
    return {
      floor: () => pairsPerSecond(fleet, 1, SHARED_PAIRS),
      measure: () => pairsPerSecond(fleet, CALLERS, SHARED_PAIRS),
      async close() {
        await fleet.close();
        await folder.remove();
      },
    };
  },
};

/** The same pairs on a long journal, nearly all of it ended leases, against a short one. */
export const leasePairsLater: Bench = {
  name: `lease: acquire+release after ${MANY.toLocaleString("en-US")} entries`,
  unit: "pairs/s",
  floorName: `after ${FEW}`,
  target: { ratio: 0.9, better: "higher" },
  rounds: 7,
  async prepare(course): Promise<Trials> {
    const short = await openLengthened(FEW, course);
    const long = await openLengthened(MANY, course).catch(async (error: unknown) => {
      await short.close();
      throw error;
    });
    return {
      floor: () => pairsPerSecond(short.fleet, 1, PAIRS),
      measure: () => pairsPerSecond(long.fleet, 1, PAIRS),
      async close() {
        await short.close();
        await long.close();
      },
    };
  },
};

/** Pairs of callers that each go on when they were answered, on ground of their own. */
async function pairsPerSecond(
  { loop }: BenchFleet,
  callers: number,
  pairs: number,
): Promise<number> {
  const carryMany = async (caller: number): Promise<void> => {
    for (let pair = 0; pair < pairs / callers; pair += 1) await carryLease(loop, `part-${caller}`);
  };
  return perSecond(pairs, async () => {
    await Promise.all(Array.from({ length: callers }, (_, caller) => carryMany(caller)));
  });
}

interface Lengthened {
  readonly fleet: BenchFleet;
  close(): Promise<void>;
}

/** A fleet whose journal has so many entries, opened again after its first fold. */
async function openLengthened(count: number, course: Course): Promise<Lengthened> {
  const folder = await makeFolder();
  try {
    const before = await openFleetIn(folder.path);
    await lengthenByLeases(before.journal, { count, course, fleet: "f-bench" });
    await before.close();
    // The first look at the lengthened journal folds it, and signs a head at its end.
    const folded = await openFleetIn(folder.path);
    await folded.close();
    const fleet = await openFleetIn(folder.path);
    const close = async (): Promise<void> => {
      await fleet.close();
      await folder.remove();
    };
    return { fleet, close };
  } catch (error) {
    await folder.remove();
    throw error;
  }
}
