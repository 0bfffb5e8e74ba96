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
  return Number(id.slice(2));
}
