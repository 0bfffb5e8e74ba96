import type { Entry } from "../../../src/kernel/entry.ts";
import type { Books, Problem } from "../books.ts";
import { clashOf, liveAt, type Stake } from "../lease/books.ts";
import type { Scene } from "../lease/holders.ts";
import { waitingAt, type PlaceRow } from "./books.ts";

/** When something is asked for, and after whom. */
export type InLine = Pick<Scene, "books" | "atMs"> & {
  /** The rank of the place that it is asked for in; infinite for who has none. */
  readonly rank: number;
};

/** Who came first, still waits, and would be passed by whoever got this. */
export function passedBy({ books, atMs, rank }: InLine, stake: Stake): readonly PlaceRow[] {
  const { foldsCase } = books.ground;
  return waitingAt(books.queue, atMs).filter(
    (row) =>
      row.rank < rank && row.stakes.some((other) => clashOf(foldsCase, stake, other) !== null),
  );
}

/** How many who came first still wait for a slot of a lane. */
export function promisedSlots({ books, atMs, rank }: InLine, lane: string): number {
  return waitingAt(books.queue, atMs).filter(
    (row) => row.rank < rank && row.stakes.some((one) => one.mode === "slot" && one.lane === lane),
  ).length;
}

/** How many slots of a lane are held. */
export function takenSlots({ books, atMs }: Pick<Scene, "books" | "atMs">, lane: string): number {
  return liveAt(books.ground, atMs).filter((row) => row.mode === "slot" && row.lane === lane)
    .length;
}

/**
 * What is wrong with a grant by those who wait, whatever gave it: nobody who came first is passed,
 * and no slot is given that is promised to one of them (SM11).
 */
export function grantProblems(books: Books, entry: Entry): readonly Problem[] {
  if (entry.kind !== "lease.granted" || entry.data.lender !== undefined) return [];
  const { mode, lane = null, alone = false, region, place } = entry.data;
  const own = place === undefined ? undefined : books.queue.rows.get(place);
  const inLine = { books, atMs: entry.at_ms, rank: own?.rank ?? Infinity };
  const passed = passedBy(inLine, { mode, lane, alone, region }).map(({ id }) => id);
  const problems: Problem[] = [];
  if (passed.length > 0)
    problems.push({ rule: "SM11", message: `l-${entry.seq} passes [${passed.join()}]` });
  if (mode !== "slot" || lane === null) return problems;
  const slots = books.ground.rules.lanes.find(({ name }) => name === lane)?.slots ?? 0;
  const [taken, promised] = [takenSlots(inLine, lane), promisedSlots(inLine, lane)];
  if (taken + promised < slots) return problems;
  const message = `l-${entry.seq} takes a slot of ${lane}: ${taken} taken, ${promised} promised`;
  return [...problems, { rule: "SM11", message: `${message}, of ${slots}` }];
}
