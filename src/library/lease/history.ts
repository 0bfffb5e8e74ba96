import type { Entry } from "../../kernel/entry.ts";
import { leasesOf } from "../../kernel/lease/book.ts";
import { evolveLeases, type LeaseEntry } from "../../kernel/lease/fold.ts";
import { LIMITS } from "../../kernel/limits.ts";
import { INITIAL_STATE, type State } from "../../kernel/state.ts";
import type { Refusal } from "../../kernel/refusal.ts";
import { GENESIS, type Journal } from "../../ports/journal.ts";
import type { Seat } from "../seat.ts";
import { journalNow } from "./sighting.ts";
import { endIn, stillMounted, tellEnd, viewOfEnded, viewOfLease, type LeaseView } from "./view.ts";

/** Entries about a lease that are asked for: more than most ever have. */
const pageMax = 256;

/** The leases that give a right, by the state as it is known here, in the order of their grants. */
export function listLive(seat: Pick<Seat, "loop">): readonly LeaseView[] {
  const state = seat.loop.state();
  const atMs = journalNow(seat);
  const views = [...state.book.leases.values()].map((lease) => viewOfLease(state, lease, atMs));
  return Object.freeze(views.filter(({ isLive }) => isLive).toSorted(byGrant));
}

/** The leases of a worker that give a right, as {@link listLive}. */
export function listLiveOf(seat: Pick<Seat, "loop">, worker: string): readonly LeaseView[] {
  const state = seat.loop.state();
  const atMs = journalNow(seat);
  const own = [...leasesOf(state.book, { worker })];
  const views = own.map((lease) => viewOfLease(state, lease, atMs));
  return Object.freeze(views.filter(({ isLive }) => isLive).toSorted(byGrant));
}

/** All leases that ever were, in the order of their grants: reads the whole journal. */
export async function listEver(seat: Pick<Seat, "loop" | "store">): Promise<readonly LeaseView[]> {
  const past = await readPast(seat);
  const state = await seat.loop.look();
  const atMs = journalNow(seat);
  const views = new Map(past.map((view) => [view.id, stillMounted(state, view)]));
  for (const lease of state.book.leases.values())
    views.set(lease.id, viewOfLease(state, lease, atMs));
  return Object.freeze([...views.values()].toSorted(byGrant));
}

/** Looks a lease up by its id, the ended ones included; undefined when there was none. */
export async function findLease(
  seat: Pick<Seat, "loop" | "store">,
  id: string,
): Promise<LeaseView | undefined> {
  const state = await seat.loop.look();
  const lease = state.book.leases.get(id);
  if (lease !== undefined) return viewOfLease(state, lease, journalNow(seat));
  const ended = await findEnded(seat, { id, epoch: state.epoch });
  return ended && stillMounted(state, ended);
}

async function findEnded(
  seat: Pick<Seat, "store">,
  { id, epoch }: { readonly id: string; readonly epoch: number },
): Promise<LeaseView | undefined> {
  const entries = await seat.store.journal.about(id, pageMax);
  // Fences are those of the epoch of their entries, which only the whole journal tells after a
  // loss; and of a lease of many entries the index gives the newest alone.
  if (epoch > 0 || entries.length === pageMax)
    return (await readPast(seat)).find((view) => view.id === id);
  const past = new Past();
  for (const entry of entries.toReversed()) past.add(entry);
  return past.ended[0];
}

/**
 * A refusal for the end of a lease with how that came, as the journal says. Where it cannot be read
 * now, or does not say it, the refusal stays as it is: that is what is to be told.
 */
export async function withEnd(
  { journal }: { readonly journal: Pick<Journal, "about"> },
  refusal: Refusal,
): Promise<Refusal> {
  const { code, facts } = refusal;
  const { lease_id: id } = facts;
  if (code !== "lease_ended" || typeof id !== "string") return refusal;
  try {
    const entries = await journal.about(id, pageMax);
    const ends = entries.filter((entry) => "lease" in entry.data && entry.data.lease === id);
    return tellEnd(
      refusal,
      ends.map(endIn).find((end) => end !== undefined),
    );
  } catch {
    return refusal;
  }
}

function byGrant(one: LeaseView, other: LeaseView): number {
  return Number(one.id.slice(2)) - Number(other.id.slice(2));
}

async function readPast({ store }: Pick<Seat, "store">): Promise<readonly LeaseView[]> {
  const past = new Past();
  let after: Parameters<typeof store.journal.read>[0] = GENESIS;
  for (;;) {
    const entries = await store.journal.read(after, LIMITS.readEntriesMax);
    const last = entries.at(-1);
    if (last === undefined) return past.ended;
    for (const entry of entries) past.add(entry);
    after = { seq: last.seq, hash: last.hash };
  }
}

/** Follows leases through entries in their order, and keeps those that have ended. */
class Past {
  readonly ended: LeaseView[] = [];
  #state: State = INITIAL_STATE;

  add(entry: Entry): void {
    if (entry.kind === "fleet.recovered") this.#state = { ...this.#state, epoch: entry.data.epoch };
    if (!isOfLease(entry)) return;
    const ended = endIn(entry);
    const lease = "lease" in entry.data ? this.#state.book.leases.get(entry.data.lease) : undefined;
    // Of a lease whose grant is not among the entries nothing can be told.
    if (lease === undefined && entry.kind !== "lease.granted") return;
    if (lease !== undefined && ended !== undefined) this.ended.push(viewOfEnded(lease, ended));
    this.#state = evolveLeases(this.#state, entry);
  }
}

function isOfLease(
  entry: Entry,
): entry is Extract<LeaseEntry, { readonly kind: `lease.${string}` }> {
  return entry.kind.startsWith("lease.");
}
