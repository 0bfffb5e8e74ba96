import { assert } from "fast-check";
import { test } from "vitest";
import {
  liesInsideAsAutomataSay,
  overlapsAsAutomataSay,
  twoPatterns,
  twoRegions,
} from "./agreement.ts";
import { liesInsideAsPathsDo, overlapsAsPathsDo } from "./brute-force.ts";

const PAIRS = 100_000;
/** Of these every automaton is new. */
const REGION_PAIRS = 20_000;

test("[GR8] 100,000 pairs of regions overlap exactly where a path is in both", () => {
  assert(overlapsAsPathsDo, { numRuns: PAIRS });
});

test("[GR9] of 100,000 pairs of regions one lies in the other where no path is outside", () => {
  assert(liesInsideAsPathsDo, { numRuns: PAIRS });
});

test("[GR8] 100,000 pairs of patterns overlap exactly where automata say so", () => {
  assert(overlapsAsAutomataSay(twoPatterns), { numRuns: PAIRS });
});

test("[GR9] of 100,000 pairs of patterns one lies in the other where automata say so", () => {
  assert(liesInsideAsAutomataSay(twoPatterns), { numRuns: PAIRS });
});

test("[GR8] 20,000 pairs of regions overlap exactly where automata say so", () => {
  assert(overlapsAsAutomataSay(twoRegions), { numRuns: REGION_PAIRS });
});

test("[GR9] of 20,000 pairs of regions one lies in the other where automata say so", () => {
  assert(liesInsideAsAutomataSay(twoRegions), { numRuns: REGION_PAIRS });
});
