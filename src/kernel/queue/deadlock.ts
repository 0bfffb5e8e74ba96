import { heldAt, leasesOf, slotsOf, type LeaseBook } from "../lease/book.ts";
import { rivals, type Wish } from "../lease/conflict.ts";
import { shown } from "../lease/holding.ts";
import { holderKey, isHeldAt, nameOf, type Holder } from "../lease/lease.ts";
import { LIMITS } from "../limits.ts";
import { refuse, type Refusal } from "../refusal.ts";
import { COST_OF_LEASE, EffortSpent, newEffort, spend, type Effort } from "../region/effort.ts";
import { parseOnce } from "../region/rights.ts";
import { placesAhead } from "./line.ts";
import { isWaitingAt, type Place, type PlaceGround } from "./place.ts";
import { placesOf, slotPlacesOf } from "./queue.ts";

/** Who waits, or is about to, as far as a circle can go through it. */
export type Waiter = Pick<Place, "holder" | "ask" | "grounds" | "rank">;

/** Somebody in the way: by a lease, or by a place that came first. */
interface Blocker {
  readonly holder: Holder;
  /** The id of that lease or place. */
  readonly by: string;
}

/** What must happen before something can be had: one of these must make way. */
type Need = readonly Blocker[];

/** One of the ways in which a wait can end: all of these needs are met. */
type Way = readonly Need[];

/**
 * Refuses a wait that cannot end, by no ground that would do, as long as its holder has what it
 * has: whoever is in the way waits in turn, in the end for that holder. A holder that waits is
 * taken to give nothing back until it has what it waits for. In a circle of others one waits: they
 * are told. So is whoever is too much to look through: every wait has a deadline.
 */
export function checkDeadlock(book: LeaseBook, waiter: Waiter, atMs: number): Refusal | null {
  if (!isWaitedFor(book, waiter, atMs)) return null;
  try {
    const web = weave(book, waiter, atMs);
    return web.isFree(waiter) || !web.isFreeWithout(waiter) ? null : circleOf(web, waiter);
  } catch (error) {
    if (error instanceof EffortSpent) return null;
    throw error;
  }
}

/** Whether a holder has anything that others may wait for: a lease, or a place before theirs. */
function isWaitedFor(book: LeaseBook, { holder, rank }: Waiter, atMs: number): boolean {
  for (const lease of leasesOf(book, holder)) if (isHeldAt(lease, atMs)) return true;
  for (const place of placesOf(book.queue, holder))
    if (place.rank !== rank && isWaitingAt(place, atMs)) return true;
  return false;
}

/** All who wait, directly or not, for whom one waits. */
interface Web {
  /** Whether its wait can end. */
  readonly isFree: (waiter: Waiter) => boolean;
  /** Whether it could end if its holder were not waiting: then the circle is its own. */
  readonly isFreeWithout: (waiter: Waiter) => boolean;
  readonly waysOf: (waiter: Waiter) => readonly Way[];
  /** A wait of a holder that cannot end; undefined when it is in no such. */
  readonly stuck: (holder: Holder) => Waiter | undefined;
}

function weave(book: LeaseBook, root: Waiter, atMs: number): Web {
  const effort = newEffort(LIMITS.waitSearchWorkMax);
  const ways = new Map<Waiter, readonly Way[]>();
  const waiters = new Map<string, Waiter[]>([[holderKey(root.holder), [root]]]);
  const ahead: Waiter[] = [root];
  for (let waiter = ahead.shift(); waiter !== undefined; waiter = ahead.shift()) {
    const found = waysFor(book, waiter, { atMs, effort });
    ways.set(waiter, found);
    for (const { holder } of found.flat(2)) {
      const key = holderKey(holder);
      if (waiters.has(key)) continue;
      const places = [...placesOf(book.queue, holder)].filter((one) => isWaitingAt(one, atMs));
      waiters.set(key, places);
      ahead.push(...places);
    }
  }
  const free = freed(ways, waiters);
  return {
    isFree: (waiter) => free.has(waiter),
    isFreeWithout: (waiter) => {
      const others = new Map(waiters).set(holderKey(waiter.holder), []);
      return freed(ways, others).has(waiter);
    },
    waysOf: (waiter) => ways.get(waiter) ?? [],
    stuck: (holder) => waiters.get(holderKey(holder))?.find((one) => !free.has(one)),
  };
}

/** Those whose wait can end: first who waits for nobody that waits, then who waits for those. */
function freed(
  ways: ReadonlyMap<Waiter, readonly Way[]>,
  waiters: ReadonlyMap<string, readonly Waiter[]>,
): ReadonlySet<Waiter> {
  const free = new Set<Waiter>();
  const makesWay = ({ holder }: Blocker): boolean =>
    (waiters.get(holderKey(holder)) ?? []).every((one) => free.has(one));
  for (let before = -1; before !== free.size;) {
    before = free.size;
    for (const [waiter, found] of ways)
      if (found.some((way) => way.every((need) => need.some(makesWay)))) free.add(waiter);
  }
  return free;
}

/** The ways in which a wait can end. Throws `EffortSpent`. */
function waysFor(
  book: LeaseBook,
  waiter: Waiter,
  { atMs, effort }: { readonly atMs: number; readonly effort: Effort },
): readonly Way[] {
  return waiter.grounds.flatMap((ground) => {
    const parsed = parseOnce(ground.region, book.foldsCase);
    if (!parsed.ok) return [];
    const { holder, rank } = waiter;
    const { mode, lane, alone } = ground;
    const { region } = parsed;
    const none = { lenders: new Set<string>(), alsoHeld: [] };
    const wish: Wish = { holder, mode, region, lane, alone, effort, rank, ...none };
    const slot = slotNeed(book, waiter, { ground, atMs, effort });
    return [[...needsOf(book, wish, atMs), ...slot].map(others)];

    /** Work of its own under another key is not waited for in a circle: it goes on by itself. */
    function others(need: Need): Need {
      if (waiter.ask.key === undefined) return need;
      const key = holderKey(holder);
      return need.some((blocker) => holderKey(blocker.holder) === key) ? NOBODY : need;
    }
  });
}

/** A need that is met: whoever is nobody waits for nothing. */
const NOBODY: Need = [{ holder: { worker: "" }, by: "" }];

function needsOf(book: LeaseBook, wish: Wish, atMs: number): readonly Need[] {
  const needs: Need[] = [];
  if (wish.alone)
    for (const { holder, id } of heldAt(book, atMs)) {
      spend(wish.effort, COST_OF_LEASE);
      needs.push([{ holder, by: id }]);
    }
  for (const id of book.index.alone()) {
    spend(wish.effort, COST_OF_LEASE);
    const lease = book.leases.get(id);
    if (lease !== undefined && isHeldAt(lease, atMs))
      needs.push([{ holder: lease.holder, by: id }]);
  }
  for (const rival of rivals(book, wish, { atMs }))
    if (rival !== "too_large") needs.push([{ holder: rival.lease.holder, by: rival.lease.id }]);
  for (const { place } of placesAhead(book, wish, atMs))
    // Its own place before this one ends as this one does: it is no circle by itself.
    if (holderKey(place.holder) !== holderKey(wish.holder))
      needs.push([{ holder: place.holder, by: place.id }]);
  return needs;
}

/** Of a lane whose slots are all held, or promised to who came first, any one of them will do. */
function slotNeed(
  book: LeaseBook,
  { holder, rank }: Waiter,
  so: { readonly ground: PlaceGround; readonly atMs: number; readonly effort: Effort },
): readonly Need[] {
  const { mode, lane } = so.ground;
  const slots = lane === null ? undefined : book.lanes.get(lane)?.slots;
  if (mode !== "slot" || lane === null || slots === undefined) return [];
  const need: Blocker[] = [];
  for (const lease of slotsOf(book, lane))
    if (isHeldAt(lease, so.atMs)) need.push({ holder: lease.holder, by: lease.id });
  for (const place of slotPlacesOf(book.queue, lane)) {
    if (place.rank >= rank) break;
    spend(so.effort, COST_OF_LEASE);
    // Its own place before this one ends as this one does.
    const isOwn = holderKey(place.holder) === holderKey(holder);
    if (!isOwn && isWaitingAt(place, so.atMs)) need.push({ holder: place.holder, by: place.id });
  }
  return need.length < slots ? [] : [need];
}

/** One of the circles that keep a wait from ending, from the waiter back to somebody in it. */
function circleOf(web: Web, root: Waiter): Refusal {
  const steps: { waiter: Waiter; blocker: Blocker }[] = [];
  const seen = new Set<Waiter>();
  for (let waiter: Waiter | undefined = root; waiter !== undefined && !seen.has(waiter);) {
    seen.add(waiter);
    const blocker: Blocker | undefined = web
      .waysOf(waiter)
      .flat(2)
      .find(({ holder }) => web.stuck(holder) !== undefined);
    if (blocker === undefined) break;
    steps.push({ waiter, blocker });
    waiter = web.stuck(blocker.holder);
  }
  const cycle = steps.map(({ waiter, blocker }) => {
    return { holder: nameOf(waiter.holder), waits_for: nameOf(blocker.holder), by: blocker.by };
  });
  const told = steps.map(({ waiter, blocker }) => {
    return `${shown(waiter.holder)} waits for ${shown(blocker.holder)} (${blocker.by})`;
  });
  const message = `whoever waits must be waited for by nobody whom it waits for, got a circle: `;
  const holders = [...new Set(cycle.map(({ holder }) => holder))];
  return refuse("wait_deadlock", message + told.join(", "), { cycle, holders });
}
