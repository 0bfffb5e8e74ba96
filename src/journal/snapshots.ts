import { Fault } from "../ports/fault.ts";
import type { Snapshot } from "../ports/journal.ts";
import { hashOf } from "./chain.ts";

/** How many snapshots a journal keeps: one that is in use, one older should it be doubted. */
export const SNAPSHOTS_MAX = 3;

/** The newest few of some snapshots, newest first. */
export function newestKept(snapshots: readonly Snapshot[]): readonly Snapshot[] {
  const bySeq = new Map(snapshots.map((one) => [one.seq, one]));
  return [...bySeq.values()].toSorted((a, b) => b.seq - a.seq).slice(0, SNAPSHOTS_MAX);
}

/** The epoch of a snapshot's state; 0 where the state is not whole, or names none. */
export function epochIn({ state, stateHash }: Snapshot): number {
  if (hashOf(state) !== stateHash) return 0;
  // Of an older form perhaps, but JSON: the hash says that it is as it was written.
  const { epoch } = JSON.parse(state) as { readonly epoch?: unknown };
  return typeof epoch === "number" ? epoch : 0;
}

/** Throws `Fault` `journal_corrupt` unless a snapshot's state has the hash it was kept with. */
export function mustBeWhole(snapshot: Snapshot): void {
  const actual = hashOf(snapshot.state);
  if (actual === snapshot.stateHash) return;
  throw new Fault(
    "journal_corrupt",
    `the snapshot of entry ${snapshot.seq} must hash to ${snapshot.stateHash}, got ${actual}`,
  );
}
