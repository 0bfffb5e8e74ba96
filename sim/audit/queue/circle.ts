/*
 * Whether somebody waits for himself in the end, by holders instead of waits: of all who wait those
 * are crossed off, again and again, of whom nobody that still waits is in the way. Who is left
 * waits for ever. A holder gives nothing back until it has all that it waits for. Nothing here is
 * shared with how the kernel looks for circles.
 */

import type { Holder } from "../../../src/kernel/lease/lease.ts";
import { clashOf, isSameHolder, liveAt, type Stake } from "../lease/books.ts";
import type { Scene } from "../lease/holders.ts";
import { waitingAt, type PlaceRow } from "./books.ts";

/** A wait, as far as it can be in a circle. */
export interface Wait {
  readonly holder: Holder;
  readonly key: string | undefined;
  readonly rank: number;
  readonly stakes: readonly Stake[];
}

type Place = Pick<Scene, "books" | "atMs">;

/**
 * Whether a wait could never end because of what its own holder has; it need not be in the books
 * yet. Who waits behind a circle of others only waits: of those one is told.
 */
export function isCircle(scene: Place, wait: Wait): boolean {
  return outlookOf(scene, wait) === "circle";
}

/** Whether a wait can end, is in a circle of its own holder's, or behind one of others. */
export function outlookOf(scene: Place, wait: Wait): "open" | "circle" | "behind" {
  const all = waitingAt(scene.books.queue, scene.atMs)
    .filter(({ rank }) => rank !== wait.rank)
    .map(({ holder, rank, stakes, ask }) => ({ holder, rank, stakes, key: ask.key }));
  const others = all.filter(({ holder }) => !isSameHolder(holder, wait.holder));
  if (endsFor(scene, wait, [...all, wait])) return "open";
  return endsFor(scene, wait, others) ? "circle" : "behind";
}

/** Whether a wait can end while just these wait. */
function endsFor(scene: Place, wait: Wait, waits: readonly Wait[]): boolean {
  let left = waits;
  for (;;) {
    const names = new Set(left.map(({ holder }) => nameOf(holder)));
    const isIdle = (holder: Holder): boolean => !names.has(nameOf(holder));
    if (canEnd(scene, wait, { isIdle })) return true;
    const blocked = left.filter((one) => !canEnd(scene, one, { isIdle }));
    // Whoever waits for several things gives nothing back before it has them all.
    const stay = new Set(blocked.map(({ holder }) => nameOf(holder)));
    const next = left.filter(({ holder }) => stay.has(nameOf(holder)));
    if (next.length === left.length) return false;
    left = next;
  }
}

/** How a wait is looked at: who gives back what it has, and what was looked at on the way here. */
interface Looking {
  readonly isIdle: (holder: Holder) => boolean;
  readonly stakes?: readonly Stake[];
  readonly path?: readonly Stake[];
}

function canEnd(scene: Place, wait: Wait, so: Looking): boolean {
  const { isIdle, stakes = wait.stakes, path = [] } = so;
  return stakes.some((stake) => {
    if (path.includes(stake)) return false;
    const isGoing = ({ holder, elsewhere }: Obstacle): boolean =>
      isIdle(holder) ||
      // Other work of its own, under another key, goes on by itself.
      (wait.key !== undefined && isSameHolder(holder, wait.holder)) ||
      (elsewhere !== undefined &&
        canEnd(scene, elsewhere.wait, { ...elsewhere, isIdle, path: [...path, stake] }));
    return obstaclesOf(scene, wait, stake).every(
      ({ all, stayMax }) => all.filter((one) => !isGoing(one)).length <= stayMax,
    );
  });
}

/** A holder in the way; who waits may go elsewhere, by what of its wait is in nobody's way. */
interface Obstacle {
  readonly holder: Holder;
  readonly elsewhere?: { readonly wait: Wait; readonly stakes: readonly Stake[] };
}

/** Those in the way of something, and how many of them may stay. */
interface Obstacles {
  readonly all: readonly Obstacle[];
  readonly stayMax: number;
}

function obstaclesOf({ books, atMs }: Place, wait: Wait, stake: Stake): readonly Obstacles[] {
  const { foldsCase, rules } = books.ground;
  const live = liveAt(books.ground, atMs);
  const leases = live
    .filter((row) => clashOf(foldsCase, stake, row) !== null)
    .map((row) => ({ all: [{ holder: row.holder }], stayMax: 0 }));
  const before = waitingAt(books.queue, atMs).filter(
    ({ rank, holder }) => rank < wait.rank && !isSameHolder(holder, wait.holder),
  );
  const isSlot = (other: Pick<Stake, "mode" | "lane">): boolean =>
    other.mode === "slot" && other.lane === stake.lane;
  const ahead = before.flatMap((row) => {
    const isBeside = (other: Stake): boolean => clashOf(foldsCase, stake, other) === null;
    const inWay = row.stakes.every(isBeside) ? [] : [obstacleOf(row, isBeside)];
    return inWay.map((one) => ({ all: [one], stayMax: 0 }));
  });
  // A slot that somebody waits for who came first is as good as taken.
  const promised = before
    .filter(({ stakes }) => stakes.some(isSlot))
    .map((row) => obstacleOf(row, (other) => !isSlot(other)));
  const taken = [...live.filter(isSlot).map(({ holder }) => ({ holder })), ...promised];
  const lane = rules.lanes.find(({ name }) => name === stake.lane);
  const slots = stake.mode === "slot" ? (lane?.slots ?? Infinity) : Infinity;
  return [...leases, ...ahead, { all: taken, stayMax: slots - 1 }];
}

function obstacleOf(row: PlaceRow, isBeside: (stake: Stake) => boolean): Obstacle {
  const { holder, rank, stakes, ask } = row;
  const wait = { holder, rank, stakes, key: ask.key };
  return { holder, elsewhere: { wait, stakes: stakes.filter(isBeside) } };
}

function nameOf(holder: Holder): string {
  return JSON.stringify("worker" in holder ? [holder.worker] : [null, holder.name]);
}
