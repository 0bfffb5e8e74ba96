import type { Reading } from "../../library/reading.ts";
import { heldAt } from "../../kernel/lease/book.ts";
import { namesIn, type Named } from "../../library/explain/words.ts";
import { leaseIn, viewOfLease, type LeaseView } from "../../library/lease/view.ts";
import type { Call } from "../call.ts";

/** The live leases: of the fleet, or of the worker that calls; in the order of their grants. */
export async function readLeases(call: Call): Promise<readonly LeaseView[]> {
  if (call.workerTokenFile === undefined) return liveIn(await call.read());
  const { ownLeases } = await import("./own-leases.ts");
  return (await ownLeases(call)).map(leaseIn);
}

/** The live leases as {@link readLeases}, and the names of workers; a worker is told of none. */
export async function readHeld(
  call: Call,
): Promise<{ readonly leases: readonly LeaseView[]; readonly named: Named }> {
  if (call.workerTokenFile !== undefined)
    return { leases: await readLeases(call), named: () => undefined };
  const reading = await call.read();
  const leases = liveIn(reading);
  return { leases, named: await namesFor(call, reading, leases) };
}

/** How many leases that are lapsing are looked up for one list. */
const lapsingMax = 64;

/**
 * The leases that have ended while a sandbox has their ground mounted still, so that it is nobody's
 * yet; in the order of their grants. A worker is shown its own alone, and those while they live.
 */
export async function readLapsing(call: Call): Promise<readonly LeaseView[]> {
  if (call.workerTokenFile !== undefined) return [];
  const reading = await call.read();
  const live = new Set(liveIn(reading).map(({ id }) => id));
  const ids = [...reading.state.book.mounts.keys()].filter((id) => !live.has(id));
  if (ids.length === 0) return [];
  const fleet = await call.openFleet({ supervisor: "none", steward: false });
  const found: LeaseView[] = [];
  for (const id of ids
    .toSorted((one, other) => seqOfId(one) - seqOfId(other))
    .slice(0, lapsingMax)) {
    const lease = await fleet.findLease(id);
    // It may have been fenced since.
    if (lease !== undefined && isLapsing(lease)) found.push(lease);
  }
  return found;
}

/** Whether a lease gives no right any more, and its ground is not free all the same. */
export function isLapsing({ isLive, mounted }: Pick<LeaseView, "isLive" | "mounted">): boolean {
  return !isLive && mounted.length > 0;
}

/** How many workers that have ended are looked up by name for one list. */
const namesMax = 64;

/** The names of the workers that hold leases: of those that have ended the journal knows them. */
export async function namesFor(
  call: Call,
  { state }: Pick<Reading, "state">,
  leases: readonly LeaseView[],
): Promise<Named> {
  const living = namesIn(state);
  const workers = leases.filter(({ holderKind }) => holderKind === "worker");
  const ids = new Set(workers.map(({ holder }) => holder));
  const gone = [...ids].filter((id) => living(id) === undefined).slice(0, namesMax);
  if (gone.length === 0) return living;
  const { WorkerNames } = await import("../record/names.ts");
  const { withJournal } = await import("../record/open-journal.ts");
  return withJournal(call, async (journal) => {
    const names = new WorkerNames(journal);
    for (const id of gone) await names.find(id);
    return (id) => living(id) ?? names.named(id);
  });
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
  return seqOfId(id);
}

function seqOfId(id: string): number {
  return Number(id.slice(2));
}
