/*
 * Sets of Unicode code points as sorted, disjoint ranges: [from, to, from, to, …], ends included.
 * They are values: no function changes its arguments.
 */

import { spend, type Effort } from "./effort.ts";

/** A set of code points: ascending inclusive ranges that neither overlap nor touch. */
export type CharSet = readonly number[];

const codePointMax = 0x10ffff;

/** Makes a set of ranges in any order, overlapping or not. */
export function charSetOf(ranges: readonly (readonly [number, number])[]): CharSet {
  const sorted = ranges.toSorted(([a], [b]) => a - b);
  const made: number[] = [];
  for (const [from, to] of sorted) {
    const last = made.length - 1;
    if (last >= 0 && from <= (made[last] as number) + 1)
      made[last] = Math.max(made[last] as number, to);
    else made.push(from, to);
  }
  return made;
}

/** What is in both sets. */
export function intersectSets(left: CharSet, right: CharSet): CharSet {
  const made: number[] = [];
  for (let i = 0, j = 0; i < left.length && j < right.length;) {
    const from = Math.max(left[i] as number, right[j] as number);
    const to = Math.min(left[i + 1] as number, right[j + 1] as number);
    if (from <= to) made.push(from, to);
    if ((left[i + 1] as number) < (right[j + 1] as number)) i += 2;
    else j += 2;
  }
  return made;
}

/** What is in `left` and not in `right`. */
export function subtractSets(left: CharSet, right: CharSet): CharSet {
  return intersectSets(left, complementOf(right));
}

function complementOf(set: CharSet): CharSet {
  const made: number[] = [];
  let next = 0;
  for (let i = 0; i < set.length; i += 2) {
    if (next < (set[i] as number)) made.push(next, (set[i] as number) - 1);
    next = (set[i + 1] as number) + 1;
  }
  if (next <= codePointMax) made.push(next, codePointMax);
  return made;
}

/** Whether a code point is in a set. */
export function hasChar(set: CharSet, char: number): boolean {
  for (let i = 0; i < set.length; i += 2)
    if (char <= (set[i + 1] as number)) return char >= (set[i] as number);
  return false;
}

/** Whether two sets hold the same code points. */
export function sameSet(left: CharSet, right: CharSet): boolean {
  return left.length === right.length && left.every((edge, index) => edge === right[index]);
}

/** Every code point that a segment of a path may hold: all but NUL, `/` and lone surrogates. */
export const SEGMENT_CHARS: CharSet = subtractSets(
  [1, codePointMax],
  charSetOf([
    [0x2f, 0x2f],
    [0xd800, 0xdfff],
  ]),
);

/** What a person reads most easily, first: witnesses are made of these where they can be. */
const READABLE: readonly CharSet[] = [
  [0x61, 0x7a],
  [0x30, 0x39],
  [0x41, 0x5a],
  [0x2d, 0x2d],
  [0x5f, 0x5f],
  [0x21, 0x7e],
  [0xa1, 0x2027],
];

/** The member of a set that reads most easily; undefined when the set is empty. */
export function readableIn(set: CharSet): number | undefined {
  for (const wanted of READABLE) {
    const found = intersectSets(set, wanted)[0];
    if (found !== undefined) return found;
  }
  return set[0];
}

/** Cutting a class, or finding that nothing is to be cut, costs as much as so many looks. */
const COST_OF_CLASS = 1;
/** So many edges of sets cost as much as one look. */
const edgesPerLook = 8;

/** What comparing two sets costs beside what it costs in any case. */
export function looksAt(one: CharSet, other: CharSet): number {
  return Math.floor((one.length + other.length) / edgesPerLook);
}

/**
 * Cuts the alphabet into classes such that each given set is a union of some of them. O(n²) in the
 * sets, as far as they differ. Throws `EffortSpent`.
 */
export function classesOf(sets: Iterable<CharSet>, effort?: Effort): readonly CharSet[] {
  let classes: CharSet[] = [SEGMENT_CHARS];
  for (const set of sets) {
    const next: CharSet[] = [];
    for (const one of classes) {
      spend(effort, COST_OF_CLASS + looksAt(one, set));
      const inside = intersectSets(one, set);
      if (inside.length === 0 || sameSet(inside, one)) next.push(one);
      else next.push(inside, subtractSets(one, inside));
    }
    classes = next;
  }
  return classes;
}
