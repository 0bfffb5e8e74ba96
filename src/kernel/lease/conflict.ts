import type { JsonObject } from "../json.ts";
import { LIMITS } from "../limits.ts";
import { refuse, type Refusal } from "../refusal.ts";
import type { Region } from "../region/region.ts";
import { newEffort } from "../region/search.ts";
import { overlapOf } from "../region/relation.ts";
import { parseOnce } from "../region/rights.ts";
import { heldAt, slotsOf, type LeaseBook } from "./book.ts";
import { shown } from "./holding.ts";
import { holderKey, isHeldAt, nameOf, type Holder, type Lease, type LeaseMode } from "./lease.ts";

/** What is asked for, as far as others can be in its way. */
export interface Wish {
  readonly holder: Holder;
  readonly mode: LeaseMode;
  readonly region: Region;
  readonly lane: string | null;
  readonly alone: boolean;
  /** Leases that are no obstacle: those that this one is to be a lent part of. */
  readonly lenders: ReadonlySet<string>;
  /** Regions that count as held by somebody else. */
  readonly alsoHeld: readonly Region[];
}

/**
 * Refuses what another live lease is in the way of (I1): both regions share a resource and one of
 * the two may write it or relies on nobody writing, or one of the two runs alone.
 */
export function checkConflicts(book: LeaseBook, wish: Wish, atMs: number): Refusal | null {
  return (
    checkAlone(book, wish, atMs) ?? checkGround(book, wish, atMs) ?? checkAlsoHeld(wish) ?? null
  );
}

function checkAlone(book: LeaseBook, wish: Wish, atMs: number): Refusal | null {
  if (wish.alone)
    for (const lease of heldAt(book, atMs))
      if (!wish.lenders.has(lease.id)) return conflictWith(lease, wish, { alone: true });
  for (const id of book.index.alone()) {
    const lease = book.leases.get(id);
    if (lease === undefined || !isHeldAt(lease, atMs) || wish.lenders.has(id)) continue;
    return conflictWith(lease, wish, { alone: true });
  }
  return null;
}

function checkGround(book: LeaseBook, wish: Wish, atMs: number): Refusal | null {
  const effort = newEffort(LIMITS.leaseSearchWorkMax);
  for (const id of book.index.candidates(wish.region, wish.mode)) {
    const lease = book.leases.get(id);
    if (lease === undefined || !isHeldAt(lease, atMs) || wish.lenders.has(id)) continue;
    if (isCompatible(lease, wish)) continue;
    const parsed = parseOnce(lease.region, book.foldsCase);
    if (!parsed.ok) return tooLarge(wish, { lease_id: id });
    const overlap = overlapOf(wish.region, parsed.region, effort);
    if (overlap.kind === "too_large") return tooLarge(wish, { lease_id: id });
    if (overlap.kind === "overlap") return conflictWith(lease, wish, { witness: overlap.witness });
  }
  return null;
}

/** Readers share, and so do the slots of one lane. */
function isCompatible(lease: Lease, wish: Wish): boolean {
  if (lease.mode === "shared") return wish.mode === "shared";
  return lease.mode === "slot" && wish.mode === "slot" && lease.lane === wish.lane;
}

function checkAlsoHeld({ region, alsoHeld }: Wish): Refusal | null {
  const effort = newEffort(LIMITS.leaseSearchWorkMax);
  for (const other of alsoHeld) {
    const overlap = overlapOf(region, other, effort);
    if (overlap.kind === "apart") continue;
    const also_held = [...other.patterns];
    if (overlap.kind === "too_large")
      return refuse("region_too_large", tooLargeMessage(region), { also_held });
    const { witness } = overlap;
    return refuse(
      "conflict",
      `the ground must be free, "${witness}" counts as held by what was given with the request`,
      { also_held, witness },
    );
  }
  return null;
}

function conflictWith(
  lease: Lease,
  wish: Pick<Wish, "holder">,
  why: { readonly witness: string } | { readonly alone: true },
): Refusal {
  const { id, holder, mode, lane, expires_at_ms } = lease;
  const own = holderKey(holder) === holderKey(wish.holder);
  const what = "witness" in why ? `"${why.witness}"` : "it";
  const reason = "witness" in why ? "" : "; one of the two runs alone in the fleet";
  return refuse(
    "conflict",
    `the ground must be free, ${shown(holder)} holds ${what} as ${mode} by ${id} ` +
      `until ${expires_at_ms}${reason}`,
    {
      lease_id: id,
      holder: nameOf(holder),
      mode,
      ...(lane === null ? {} : { lane }),
      ...why,
      expires_at_ms,
      own,
    } satisfies JsonObject,
  );
}

function tooLarge({ region }: Wish, facts: JsonObject): Refusal {
  return refuse("region_too_large", tooLargeMessage(region), facts);
}

function tooLargeMessage({ patterns }: Region): string {
  return `the region must be one that can be decided, got ${patterns.join(" ")}`;
}

/** Refuses the slot after the last one of a lane. */
export function checkSlots(
  book: LeaseBook,
  lane: { readonly name: string; readonly slots: number },
  atMs: number,
): Refusal | null {
  const held: Lease[] = [];
  for (const lease of slotsOf(book, lane.name)) if (isHeldAt(lease, atMs)) held.push(lease);
  if (held.length < lane.slots) return null;
  const next = Math.min(...held.map(({ expires_at_ms }) => expires_at_ms));
  return refuse(
    "slots_full",
    `lane "${lane.name}" must have a free slot of its ${lane.slots}, ${held.length} are held`,
    { lane: lane.name, slots: lane.slots, held: held.length, next_expires_at_ms: next },
  );
}
