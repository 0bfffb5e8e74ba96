import type { Reading } from "../../library/reading.ts";
import { heldAt } from "../../kernel/lease/book.ts";
import { leaseIn, viewOfLease, type LeaseView } from "../../library/lease/view.ts";
import type { Call } from "../call.ts";

/** The live leases: of the fleet, or of the worker that calls; in the order of their grants. */
export async function readLeases(call: Call): Promise<readonly LeaseView[]> {
  if (call.workerTokenFile === undefined) return liveIn(await call.read());
  const { ownLeases } = await import("./own-leases.ts");
  return (await ownLeases(call)).map(leaseIn);
}

/** The live leases of a reading, in the order of their grants. */
export function liveIn(reading: Reading): readonly LeaseView[] {
  const { state } = reading;
  const atMs = instantOf(reading);
  const held = [...heldAt(state.book, atMs)].map((lease) => viewOfLease(state, lease, atMs));
  return held.toSorted((one, other) => seqOf(one) - seqOf(other));
}

/** The journal time of a reading, as the wall clock shows it; never before its newest entry. */
export function instantOf({ state, nowMs }: Pick<Reading, "state" | "nowMs">): number {
  return Math.max(state.at_ms, nowMs);
}

/** What is lent of a lease, and of what is lent of it, of those given in the order of grants. */
export function lentOf(leases: readonly LeaseView[], id: string): readonly LeaseView[] {
  const family = new Set([id]);
  // Whoever borrows was granted after whom he borrows from, so one pass finds all.
  return leases.filter((lease) => {
    if (lease.lender === null || !family.has(lease.lender)) return false;
    family.add(lease.id);
    return true;
  });
}

function seqOf({ id }: LeaseView): number {
  return Number(id.slice(2));
}
