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
  /** That place: it is out of the way, too, once it has come to a ground that is not. */
  readonly place?: PlaceInWay;
}

interface PlaceInWay {
  readonly of: Waiter;
  readonly grounds: Set<PlaceGround>;
}

/** What must happen before something can be had: so many of these must make way. */
interface Need {
  readonly blockers: readonly Blocker[];
  readonly count: number;
}

/** One of the ways in which a wait can end: on this ground, once all of these needs are met. */
interface Way {
  readonly ground: PlaceGround;
  readonly needs: readonly Need[];
}

/** What becomes of a wait, as far as it can be seen. */
export type Outlook =
  | { readonly kind: "open" }
  /** Others wait in a circle, and it waits for them: its own may show when theirs has ended. */
  | { readonly kind: "behind" }
  | { readonly kind: "circle"; readonly refusal: Refusal };

/**
 * Looks whether a wait cannot end, by no ground that would do, as long as its holder has what it
 * has: whoever is in the way waits in turn, in the end for that holder. A holder that waits is
 * taken to give nothing back until it has what it waits for. In a circle of others one waits: they
 * are told. So is whoever is too much to look through: every wait has a deadline.
 */
export function lookForCircle(book: LeaseBook, waiter: Waiter, atMs: number): Outlook {
  if (!isWaitedFor(book, waiter, atMs)) return { kind: "open" };
  try {
    const web = weave(book, waiter, atMs);
    if (web.isFree(waiter)) return { kind: "open" };
    if (!web.isFreeWithout(waiter)) return { kind: "behind" };
    return { kind: "circle", refusal: circleOf(web, waiter) };
  } catch (error) {
    if (error instanceof EffortSpent) return { kind: "open" };
    throw error;
  }
}

/** Whether a holder has anything that others may wait for: a lease, or a place before theirs. */
function isWaitedFor(book: LeaseBook, { holder }: Waiter, atMs: number): boolean {
  for (const lease of leasesOf(book, holder)) if (isHeldAt(lease, atMs)) return true;
  for (const place of placesOf(book.queue, holder)) if (isWaitingAt(place, atMs)) return true;
  return false;
}

/** All who wait, directly or not, for whom one waits. */
interface Web {
  /** Whether its wait can end. */
  readonly isFree: (waiter: Waiter) => boolean;
  /** Whether it could end if its holder were not waiting: then the circle is its own. */
  readonly isFreeWithout: (waiter: Waiter) => boolean;
  /** Somebody in its way who makes none; undefined where all may. */
  readonly blocker: (waiter: Waiter) => Blocker | undefined;
  /** A wait of a holder that cannot end; undefined when it is in no such. */
  readonly stuck: (holder: Holder) => Waiter | undefined;
}

type Ways = ReadonlyMap<Waiter, readonly Way[]>;
/** The waits that a holder is to see the end of before it gives anything back. */
type Waits = ReadonlyMap<string, readonly Waiter[]>;

function weave(book: LeaseBook, root: Waiter, atMs: number): Web {
  const effort = newEffort(LIMITS.waitSearchWorkMax);
  const ways = new Map<Waiter, readonly Way[]>();
  const own = waitsOf(book, root.holder, atMs).filter(({ rank }) => rank !== root.rank);
  const waits = new Map<string, readonly Waiter[]>([[holderKey(root.holder), [root]]]);
  const ahead: Waiter[] = [root, ...own];
  for (let waiter = ahead.shift(); waiter !== undefined; waiter = ahead.shift()) {
    const found = waysFor(book, waiter, { atMs, effort });
    ways.set(waiter, found);
    for (const { holder } of blockersIn(found)) {
      const key = holderKey(holder);
      if (waits.has(key)) continue;
      const places = waitsOf(book, holder, atMs);
      waits.set(key, places);
      ahead.push(...places);
    }
  }
  const { free, makesWay, isMet } = settle(ways, waits, effort);
  return {
    isFree: (waiter) => free.has(waiter),
    isFreeWithout: (waiter) => {
      const others = new Map(waits).set(holderKey(waiter.holder), []);
      return settle(ways, others, effort).free.has(waiter);
    },
    blocker: (waiter) => {
      const needs = (ways.get(waiter) ?? []).flatMap((way) => way.needs);
      return needs.find((need) => !isMet(need))?.blockers.find((blocker) => !makesWay(blocker));
    },
    stuck: (holder) => waits.get(holderKey(holder))?.find((one) => !free.has(one)),
  };
}

function waitsOf(book: LeaseBook, holder: Holder, atMs: number): readonly Waiter[] {
  return [...placesOf(book.queue, holder)].filter((place) => isWaitingAt(place, atMs));
}

function blockersIn(ways: readonly Way[]): readonly Blocker[] {
  return ways.flatMap(({ needs }) => needs.flatMap(({ blockers }) => blockers));
}

interface Settled {
  /** Those whose wait can end. */
  readonly free: ReadonlySet<Waiter>;
  readonly makesWay: (blocker: Blocker) => boolean;
  readonly isMet: (need: Need) => boolean;
}

/**
 * Those whose wait can end: first who waits for nobody that waits, then who waits for those. Who
 * was found last is looked at first: in a long line he is the one for whom the others wait. Throws
 * `EffortSpent`.
 */
function settle(ways: Ways, waits: Waits, effort: Effort): Settled {
  const lastFirst = [...ways].toReversed();
  const free = new Set<Waiter>();
  const open = new Set<Way>();
  const makesWay = ({ holder, place }: Blocker): boolean =>
    (waits.get(holderKey(holder)) ?? []).every((one) => free.has(one)) ||
    (place !== undefined &&
      (ways.get(place.of) ?? []).some((way) => open.has(way) && !place.grounds.has(way.ground)));
  const isMet = ({ blockers, count }: Need): boolean => blockers.filter(makesWay).length >= count;
  for (let before = -1; before !== open.size;) {
    before = open.size;
    for (const [waiter, found] of lastFirst) {
      spend(effort, blockersIn(found).length);
      const opened = found.filter(({ needs }) => needs.every(isMet));
      for (const way of opened) open.add(way);
      if (opened.length > 0) free.add(waiter);
    }
  }
  return { free, makesWay, isMet };
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
    return [{ ground, needs: [...needsOf(book, wish, atMs), ...slot].map(others) }];

    /** Work of its own under another key is not waited for in a circle: it goes on by itself. */
    function others(need: Need): Need {
      if (waiter.ask.key === undefined) return need;
      const key = holderKey(holder);
      const blockers = need.blockers.filter((blocker) => holderKey(blocker.holder) !== key);
      return { blockers, count: need.count - (need.blockers.length - blockers.length) };
    }
  });
}

function one(blocker: Blocker): Need {
  return { blockers: [blocker], count: 1 };
}

function needsOf(book: LeaseBook, wish: Wish, atMs: number): readonly Need[] {
  const needs: Need[] = [];
  if (wish.alone)
    for (const { holder, id } of heldAt(book, atMs)) {
      spend(wish.effort, COST_OF_LEASE);
      needs.push(one({ holder, by: id }));
    }
  for (const id of book.index.alone()) {
    spend(wish.effort, COST_OF_LEASE);
    const lease = book.leases.get(id);
    if (lease !== undefined && isHeldAt(lease, atMs))
      needs.push(one({ holder: lease.holder, by: id }));
  }
  for (const rival of rivals(book, wish, { atMs }))
    if (rival !== "too_large") needs.push(one({ holder: rival.lease.holder, by: rival.lease.id }));
  return [...needs, ...aheadNeeds(book, wish, atMs)];
}

/** One need for each place that came first, by all of its grounds that are in the way. */
function aheadNeeds(book: LeaseBook, wish: Wish, atMs: number): readonly Need[] {
  const found = new Map<Place, PlaceInWay>();
  for (const { place, ground, why } of placesAhead(book, wish, atMs)) {
    // Its own place before this one ends as this one does: it is no circle by itself.
    if (holderKey(place.holder) === holderKey(wish.holder)) continue;
    // Beside one that is to run alone nobody is, on whatever ground.
    const grounds = "alone" in why && wish.alone ? place.grounds : [ground];
    const known = found.get(place) ?? { of: place, grounds: new Set() };
    for (const one of grounds) known.grounds.add(one);
    found.set(place, known);
  }
  return [...found].map(([{ id, holder }, place]) => one({ holder, by: id, place }));
}

/** Of those who have a slot, or came first for one, so many that one is left. */
function slotNeed(
  book: LeaseBook,
  { holder, rank }: Waiter,
  so: { readonly ground: PlaceGround; readonly atMs: number; readonly effort: Effort },
): readonly Need[] {
  const { mode, lane } = so.ground;
  const slots = lane === null ? undefined : book.lanes.get(lane)?.slots;
  if (mode !== "slot" || lane === null || slots === undefined) return [];
  const blockers: Blocker[] = [];
  for (const lease of slotsOf(book, lane))
    if (isHeldAt(lease, so.atMs)) blockers.push({ holder: lease.holder, by: lease.id });
  for (const place of slotPlacesOf(book.queue, lane)) {
    if (place.rank >= rank) break;
    spend(so.effort, COST_OF_LEASE);
    // Its own place before this one ends as this one does.
    const isOwn = holderKey(place.holder) === holderKey(holder);
    if (isOwn || !isWaitingAt(place, so.atMs)) continue;
    const grounds = place.grounds.filter(
      (ground) => ground.mode === "slot" && ground.lane === lane,
    );
    const inWay = { of: place, grounds: new Set(grounds) };
    blockers.push({ holder: place.holder, by: place.id, place: inWay });
  }
  const count = blockers.length - slots + 1;
  return count < 1 ? [] : [{ blockers, count }];
}

/** One of the circles that keep a wait from ending, from the waiter back to somebody in it. */
function circleOf(web: Web, root: Waiter): Refusal {
  const steps: { waiter: Waiter; blocker: Blocker }[] = [];
  const seen = new Set<Waiter>();
  for (let waiter: Waiter | undefined = root; waiter !== undefined && !seen.has(waiter);) {
    seen.add(waiter);
    const blocker = web.blocker(waiter);
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
  const message =
    steps.length === 1
      ? `whoever waits must not be in its own way, it would wait for ever: `
      : `whoever waits must be waited for by nobody whom it waits for, got a circle: `;
  const holders = [...new Set(cycle.map(({ holder }) => holder))];
  return refuse("wait_deadlock", message + told.join(", "), { cycle, holders });
}
