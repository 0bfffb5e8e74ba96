import { offWorktree } from "../ground/worktree.ts";
import type { LeaseBook } from "../lease/book.ts";
import { tooLargeMessage, type Wish } from "../lease/conflict.ts";
import { shown } from "../lease/holding.ts";
import { holderKey, nameOf } from "../lease/lease.ts";
import { refuse, type Refusal } from "../refusal.ts";
import { COST_OF_LEASE, EffortSpent, spend } from "../region/effort.ts";
import { overlapOf } from "../region/relation.ts";
import { parseOnce } from "../region/rights.ts";
import { writeInstant } from "../time/instant.ts";
import { isWaitingAt, type Place, type PlaceGround } from "./place.ts";
import { groundAt, slotPlacesOf, type PlacedGround } from "./queue.ts";

/** Somebody who waits for ground, came first, and would be passed. */
export interface Ahead extends PlacedGround {
  readonly why: { readonly witness: string } | { readonly alone: true };
}

/** Who has no place yet comes after all who have one. */
export const LAST = Number.POSITIVE_INFINITY;

/**
 * Refuses to give what somebody waits for who came first (WQ2): both want a resource of it and one
 * of the two may write it, or one of the two is to run alone. Slots are counted, not passed.
 */
export function checkLine(book: LeaseBook, wish: Wish, atMs: number): Refusal | null {
  try {
    for (const ahead of placesAhead(book, wish, atMs)) return passing(ahead, wish);
    return null;
  } catch (error) {
    if (!(error instanceof EffortSpent)) throw error;
    return refuse("region_too_large", tooLargeMessage(wish.region), {});
  }
}

/** The places that a wish must not pass. Throws `EffortSpent`. */
export function* placesAhead(
  book: LeaseBook,
  wish: Wish,
  atMs: number,
): Generator<Ahead, void, undefined> {
  const { queue } = book;
  if (wish.alone)
    for (const place of queue.places.values()) {
      if (place.rank >= wish.rank) return;
      spend(wish.effort, COST_OF_LEASE);
      const [ground] = place.grounds;
      if (isWaitingAt(place, atMs) && ground !== undefined)
        yield { place, ground, why: { alone: true } };
    }
  for (const id of queue.index.alone()) {
    spend(wish.effort, COST_OF_LEASE);
    const found = groundAt(queue, id);
    if (found !== undefined && isAhead(found.place, wish, atMs))
      yield { ...found, why: { alone: true } };
  }
  yield* meetingAhead(book, wish, atMs);
}

function* meetingAhead(
  { queue, foldsCase }: LeaseBook,
  wish: Wish,
  atMs: number,
): Generator<Ahead, void, undefined> {
  const { effort } = wish;
  for (const id of queue.index.candidates(wish.region, wish.mode, effort)) {
    spend(effort, COST_OF_LEASE);
    const found = groundAt(queue, id);
    if (found === undefined || !isAhead(found.place, wish, atMs)) continue;
    if (isCompatible(found.ground, wish)) continue;
    const parsed = parseOnce(found.ground.region, foldsCase);
    if (!parsed.ok) continue;
    const overlap = overlapOf(wish.region, parsed.region, effort);
    if (overlap.kind === "too_large") throw new EffortSpent();
    if (overlap.kind === "overlap") yield { ...found, why: { witness: overlap.witness } };
  }
}

function isAhead(place: Place, { rank }: Wish, atMs: number): boolean {
  return place.rank < rank && isWaitingAt(place, atMs);
}

/** Readers share, and so do the slots of one lane: who comes later waits for a slot of its own. */
function isCompatible({ mode, lane }: PlaceGround, wish: Wish): boolean {
  if (mode === "shared") return wish.mode === "shared";
  return mode === "slot" && wish.mode === "slot" && lane === wish.lane;
}

/** How many wait for a slot of a lane who came first; not counted beyond `countMax`. */
export function slotsAhead(
  { queue }: LeaseBook,
  so: { readonly lane: string; readonly rank: number; readonly countMax?: number },
  atMs: number,
): number {
  const { lane, rank, countMax = Infinity } = so;
  let count = 0;
  for (const place of slotPlacesOf(queue, lane)) {
    if (place.rank >= rank || count >= countMax) break;
    if (isWaitingAt(place, atMs)) count += 1;
  }
  return count;
}

function passing({ place, ground, why }: Ahead, wish: Pick<Wish, "holder">): Refusal {
  const { id, holder, worktree, queued_at_ms, until_ms } = place;
  const own = holderKey(holder) === holderKey(wish.holder);
  const isPlaced = worktree !== null && "witness" in why;
  const off = isPlaced ? offWorktree(why.witness) : undefined;
  const on = off === undefined ? why : { witness: off.text, worktree: off.worktree };
  const what = "witness" in on ? `"${on.witness}"` : "it";
  const reason = "witness" in on ? "" : "; one of the two is to run alone in the fleet";
  const whose = own ? `your own ${id} waits` : `${shown(holder)} waits`;
  return refuse(
    "conflict",
    `nobody who came first must wait for the ground, ${whose} for ${what} as ${ground.mode} ` +
      `since ${writeInstant(queued_at_ms)}${own ? "" : `, by ${id}`}${reason}`,
    {
      place: id,
      holder: nameOf(holder),
      mode: ground.mode,
      ...(ground.lane === null ? {} : { lane: ground.lane }),
      ...on,
      until_ms,
      waiting: true,
      own,
    },
  );
}
