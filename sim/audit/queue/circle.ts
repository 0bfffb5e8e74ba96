/*
 * Whether somebody waits for himself in the end, by holders instead of waits: of all who wait those
 * are crossed off, again and again, of whom nobody that still waits is in the way. Who is left
 * waits for ever. A holder gives nothing back until it has all that it waits for. Nothing here is
 * shared with how the kernel looks for circles.
 */

import type { Holder } from "../../../src/kernel/lease/lease.ts";
import { clashOf, isSameHolder, liveAt, type Stake } from "../lease/books.ts";
import type { Scene } from "../lease/holders.ts";
import { waitingAt } from "./books.ts";

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
  const all = waitingAt(scene.books.queue, scene.atMs)
    .filter(({ rank }) => rank !== wait.rank)
    .map(({ holder, rank, stakes, ask }) => ({ holder, rank, stakes, key: ask.key }));
  const others = all.filter(({ holder }) => !isSameHolder(holder, wait.holder));
  return !endsFor(scene, wait, [...all, wait]) && endsFor(scene, wait, others);
}

/** Whether a wait can end while just these wait. */
function endsFor(scene: Place, wait: Wait, waits: readonly Wait[]): boolean {
  let left = waits;
  for (;;) {
    const names = new Set(left.map(({ holder }) => nameOf(holder)));
    const isIdle = (holder: Holder): boolean => !names.has(nameOf(holder));
    if (canEnd(scene, wait, isIdle)) return true;
    const blocked = left.filter((one) => !canEnd(scene, one, isIdle));
    // Whoever waits for several things gives nothing back before it has them all.
    const stay = new Set(blocked.map(({ holder }) => nameOf(holder)));
    const next = left.filter(({ holder }) => stay.has(nameOf(holder)));
    if (next.length === left.length) return false;
    left = next;
  }
}

function canEnd(scene: Place, wait: Wait, isIdle: (holder: Holder) => boolean): boolean {
  return wait.stakes.some((stake) =>
    obstaclesOf(scene, wait, stake).every((holders) => {
      // Other work of its own, under another key, goes on by itself.
      const isOwnWork =
        wait.key !== undefined && holders.some((holder) => isSameHolder(holder, wait.holder));
      return isOwnWork || holders.some(isIdle);
    }),
  );
}

/** What must make way: of each list any one holder is enough. */
function obstaclesOf(
  { books, atMs }: Place,
  wait: Wait,
  stake: Stake,
): readonly (readonly Holder[])[] {
  const { foldsCase, rules } = books.ground;
  const live = liveAt(books.ground, atMs);
  const leases = live
    .filter((row) => clashOf(foldsCase, stake, row) !== null)
    .map(({ holder }) => [holder]);
  const before = waitingAt(books.queue, atMs).filter(
    ({ rank, holder }) => rank < wait.rank && !isSameHolder(holder, wait.holder),
  );
  const ahead = before
    .filter((row) => row.stakes.some((other) => clashOf(foldsCase, stake, other) !== null))
    .map(({ holder }) => [holder]);
  const lane = rules.lanes.find(({ name }) => name === stake.lane);
  const isSlot = (other: Pick<Stake, "mode" | "lane">): boolean =>
    other.mode === "slot" && other.lane === stake.lane;
  // A slot that somebody waits for who came first is as good as taken.
  const taken = [...live.filter(isSlot), ...before.filter(({ stakes }) => stakes.some(isSlot))];
  const isFull = stake.mode === "slot" && taken.length >= (lane?.slots ?? Infinity);
  return [...leases, ...ahead, ...(isFull ? [taken.map(({ holder }) => holder)] : [])];
}

function nameOf(holder: Holder): string {
  return JSON.stringify("worker" in holder ? [holder.worker] : [null, holder.name]);
}
