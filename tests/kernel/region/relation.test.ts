import { assert, property } from "fast-check";
import { expect, test } from "vitest";
import { anyRegion } from "./arbitrary.ts";
import { liesInsideAsPathsDo, overlapsAsPathsDo, PATHS, pathsIn } from "./brute-force.ts";
import { oracleOf, regionOf } from "./ground.ts";

test("[GR7] a path is in a region as regular expressions say", () => {
  assert(
    property(anyRegion, (texts) => {
      expect(pathsIn(regionOf(...texts))).toEqual(PATHS.filter(oracleOf(texts)));
    }),
    { numRuns: 300 },
  );
});

test("[GR8] two regions overlap exactly where a path is in both, and the witness is", () => {
  assert(overlapsAsPathsDo, { numRuns: 2_000 });
});

test("[GR9] a region lies in another exactly where none of its paths is outside", () => {
  assert(liesInsideAsPathsDo, { numRuns: 2_000 });
});
