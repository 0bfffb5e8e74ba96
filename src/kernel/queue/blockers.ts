import { heldAt, slotsOf, type LeaseBook } from "../lease/book.ts";
import { rivals, type Wish } from "../lease/conflict.ts";
import { isHeldAt, type Holder } from "../lease/lease.ts";
import { decisionEffort } from "../lease/wanted.ts";
import { EffortSpent } from "../region/effort.ts";
import { parseOnce } from "../region/rights.ts";
import { placesAhead } from "./line.ts";
import { isWaitingAt, type Place, type PlaceGround } from "./place.ts";
import { slotPlacesOf } from "./queue.ts";

/** Somebody in the way of who waits: by a lease, or by a place that came first. */
export interface InWay {
  readonly holder: Holder;
  /** The id of that lease or place. */
  readonly by: string;
}

/** How many are named of those in the way. */
const namedMax = 8;

/** Some of those who are in the way of a place, each lease and place once, its holder's too. */
export function blockersOf(book: LeaseBook, place: Place, atMs: number): readonly InWay[] {
  const found = new Map<string, InWay>();
  try {
    for (const one of allInWayOf(book, place, atMs)) {
      found.set(one.by, one);
      if (found.size >= namedMax) break;
    }
  } catch (error) {
    // What was found by then is told; who is more is more than is looked through.
    if (!(error instanceof EffortSpent)) throw error;
  }
  return [...found.values()];
}

function* allInWayOf(book: LeaseBook, place: Place, atMs: number): Generator<InWay> {
  for (const ground of place.grounds) yield* inWayOf(book, place, { ground, atMs });
}

function* inWayOf(
  book: LeaseBook,
  { holder, rank }: Place,
  { ground, atMs }: { readonly ground: PlaceGround; readonly atMs: number },
): Generator<InWay> {
  const parsed = parseOnce(ground.region, book.foldsCase);
  if (!parsed.ok) return;
  const { mode, lane, alone } = ground;
  const effort = decisionEffort();
  const none = { lenders: new Set<string>(), alsoHeld: [] };
  const wish: Wish = { holder, mode, region: parsed.region, lane, alone, effort, rank, ...none };
  if (alone) for (const lease of heldAt(book, atMs)) yield { holder: lease.holder, by: lease.id };
  for (const rival of rivals(book, wish, { atMs }))
    if (rival !== "too_large") yield { holder: rival.lease.holder, by: rival.lease.id };
  if (mode === "slot" && lane !== null) yield* slotsInWay(book, { lane, rank }, atMs);
  for (const ahead of placesAhead(book, wish, atMs))
    yield { holder: ahead.place.holder, by: ahead.place.id };
}

function* slotsInWay(
  book: LeaseBook,
  { lane, rank }: { readonly lane: string; readonly rank: number },
  atMs: number,
): Generator<InWay> {
  for (const lease of slotsOf(book, lane))
    if (isHeldAt(lease, atMs)) yield { holder: lease.holder, by: lease.id };
  for (const place of slotPlacesOf(book.queue, lane)) {
    if (place.rank >= rank) return;
    if (isWaitingAt(place, atMs)) yield { holder: place.holder, by: place.id };
  }
}
