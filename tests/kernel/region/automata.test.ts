import { assert, property } from "fast-check";
import { expect, test } from "vitest";
import { hasResource, readResource } from "../../../src/kernel/region/resource.ts";
import {
  liesInsideAsAutomataSay,
  overlapsAsAutomataSay,
  twoPatterns,
  twoRegions,
} from "./agreement.ts";
import { anyPattern, plainRegexOf, regexOf } from "./automata.ts";
import { PATHS, pathsIn } from "./brute-force.ts";
import { regionOf } from "./ground.ts";

test("[GR7] another matcher says the same of every path, and so does what refa is given", () => {
  assert(
    property(anyPattern, (text) => {
      const [theirs, plain] = [regexOf(text), plainRegexOf(text)];
      const matched = PATHS.filter((path) => theirs.test(path));
      expect(matched).toEqual(pathsIn(regionOf(text)));
      expect(PATHS.filter((path) => plain.test(path))).toEqual(matched);
    }),
    { numRuns: 300 },
  );
});

// What anyPattern leaves out, so that nobody takes the oracle for more than it is.
test.each([
  ["*.*", "a."],
  ["a*/**", "ab"],
  ["{a/**,b}", "a"],
])("[GR7] %s has %s, whatever the other matcher makes of it", (text, path) => {
  const resource = readResource(path);
  expect(resource && hasResource(regionOf(text), resource)).toBe(true);
  expect(regexOf(text).test(path)).toBe(false);
});

test("[GR8] automata of another library say of two patterns whether they overlap", () => {
  assert(overlapsAsAutomataSay(twoPatterns), { numRuns: 500 });
});

test("[GR8] automata of another library say of two regions whether they overlap", () => {
  assert(overlapsAsAutomataSay(twoRegions), { numRuns: 200 });
});

test("[GR9] automata of another library say of two patterns whether one lies in the other", () => {
  assert(liesInsideAsAutomataSay(twoPatterns), { numRuns: 500 });
});

test("[GR9] automata of another library say of two regions whether one lies in the other", () => {
  assert(liesInsideAsAutomataSay(twoRegions), { numRuns: 200 });
});
