// Answers about two regions against automata: what the tests assert, how often is theirs to say.
import { property, tuple, type Arbitrary, type IProperty } from "fast-check";
import { expect } from "vitest";
import { containmentOf, overlapOf } from "../../../src/kernel/region/relation.ts";
import { anyPattern, anyPatterns, isInside, regexOf, sharePath } from "./automata.ts";
import { regionOf } from "./ground.ts";

type Pair = readonly [readonly string[], readonly string[]];

/** Two patterns, each a region of its own. */
export const twoPatterns: Arbitrary<Pair> = tuple(anyPattern, anyPattern).map(([left, right]) => [
  [left],
  [right],
]);

/** Two regions, with what they leave out. */
export const twoRegions: Arbitrary<Pair> = tuple(anyPatterns, anyPatterns);

/** Rules and automata give one answer to whether two overlap, and the witness is in both. */
export function overlapsAsAutomataSay(pairs: Arbitrary<Pair>): IProperty<[Pair]> {
  return property(pairs, ([left, right]) => {
    const answer = overlapOf(regionOf(...left), regionOf(...right));
    expect(answer.kind).toBe(sharePath(left, right) ? "overlap" : "apart");
    if (answer.kind !== "overlap") return;
    expect([isMatched(left, answer.witness), isMatched(right, answer.witness)]).toEqual([
      true,
      true,
    ]);
  });
}

/** And to whether one lies in the other; the counter-example is in the one and not in the other. */
export function liesInsideAsAutomataSay(pairs: Arbitrary<Pair>): IProperty<[Pair]> {
  return property(pairs, ([inner, outer]) => {
    const answer = containmentOf(regionOf(...inner), regionOf(...outer));
    expect(answer.kind).toBe(isInside(inner, outer) ? "inside" : "outside");
    if (answer.kind !== "outside") return;
    expect([isMatched(inner, answer.witness), isMatched(outer, answer.witness)]).toEqual([
      true,
      false,
    ]);
  });
}

/** By picomatch itself, on the path as text. */
function isMatched(patterns: readonly string[], path: string): boolean {
  const isSome = (isExclude: boolean): boolean =>
    patterns.some(
      (text) =>
        text.startsWith("!") === isExclude && regexOf(isExclude ? text.slice(1) : text).test(path),
    );
  return isSome(false) && !isSome(true);
}
