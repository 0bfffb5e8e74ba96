import { expect, test } from "vitest";
import { GroundIndex } from "../../../src/kernel/ground/ground-index.ts";
import { charSetOf, classesOf } from "../../../src/kernel/region/char-set.ts";
import { newEffort, spend, type Effort } from "../../../src/kernel/region/effort.ts";
import { meetPatterns } from "../../../src/kernel/region/meeting.ts";
import { hasResource } from "../../../src/kernel/region/resource.ts";
import { leaseOf } from "../ground/live.ts";
import { regionOf } from "./ground.ts";

/** A hundred of something, by number. */
function hundred<T>(make: (index: number) => T): T[] {
  return Array.from({ length: 100 }, (_, index) => make(index));
}

const WORK: readonly (readonly [string, number, (effort: Effort) => unknown])[] = [
  [
    "a path against many patterns",
    100,
    (effort) => {
      const region = regionOf(...hundred((index) => `${index}/**`));
      return hasResource(region, { namespace: "file", segments: ["src", "a"] }, effort);
    },
  ],
  [
    "two names of many characters, each with each",
    30 * 30,
    (effort) => {
      const [one, other] = [regionOf(`${"*a".repeat(30)}b`), regionOf("?".repeat(60))];
      const [left] = one.includes;
      const [right] = other.includes;
      return left && right && meetPatterns(left, right, { folding: one.folding, effort });
    },
  ],
  [
    "many kinds of characters, each with each",
    (100 * 100) / 2,
    (effort) =>
      classesOf(
        hundred((index) => charSetOf([[300 + index, 300 + index]])),
        effort,
      ),
  ],
  [
    "many leases that begin alike",
    10 * 100,
    (effort) => {
      const leases = hundred((index) => leaseOf(`l-${index}`, [`${index}/a/${index}`]));
      const none = GroundIndex.empty(false);
      const index = leases.reduce((made, lease) => made.add(lease), none);
      return [...index.candidates(regionOf("*/b/*"), "exclusive", effort)];
    },
  ],
];

test.each(WORK)("[GR12] %s: it counts as at least %i looks", (_, least, ask) => {
  const effort = newEffort();
  ask(effort);
  expect(newEffort().workLeft - effort.workLeft).toBeGreaterThanOrEqual(least);
});

test("[GR12] an effort is used up when nothing is left of it", () => {
  const effort = newEffort(2);
  spend(effort, 1);
  expect(() => spend(effort, 1)).toThrow("");
  expect(() => spend(undefined, 10 ** 12)).not.toThrow();
});
