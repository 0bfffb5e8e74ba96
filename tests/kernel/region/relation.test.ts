import { assert, property } from "fast-check";
import { expect, test } from "vitest";
import {
  containmentOf,
  overlapOf,
  type Containment,
  type Overlap,
} from "../../../src/kernel/region/relation.ts";
import { hasResource, readResource } from "../../../src/kernel/region/resource.ts";
import { anyRegion } from "./arbitrary.ts";
import { namesUpTo, oracleOf, pathsUpTo, regionOf } from "./ground.ts";

const PATHS = pathsUpTo(3, namesUpTo(2)).concat(pathsUpTo(1, namesUpTo(4)));

test("[GR7] a path is in a region as regular expressions say", () => {
  assert(
    property(anyRegion, (texts) => {
      const [made, oracle] = [regionOf(...texts), oracleOf(texts)];
      for (const path of PATHS) {
        const resource = readResource(path);
        expect(resource).toBeDefined();
        if (resource !== undefined && hasResource(made, resource) !== oracle(path))
          throw new Error(`${path} in ${texts.join(" ")} is wrong`);
      }
    }),
    { numRuns: 300 },
  );
});

/** What is wrong with an answer about two regions, by their common paths; "" when nothing. */
function objectTo(answer: Overlap | Containment, isCommon: (path: string) => boolean): string {
  if (answer.kind === "overlap" || answer.kind === "outside")
    return isCommon(answer.witness) ? "" : `${answer.witness} is no witness`;
  if (answer.kind === "too_large") return "it is not too large";
  return PATHS.find(isCommon) ?? "";
}

test("[GR8] two regions overlap exactly where a path is in both, and the witness is", () => {
  assert(
    property(anyRegion, anyRegion, (left, right) => {
      const [isLeft, isRight] = [oracleOf(left), oracleOf(right)];
      const answer = overlapOf(regionOf(...left), regionOf(...right));
      expect(objectTo(answer, (path) => isLeft(path) && isRight(path))).toBe("");
    }),
    { numRuns: 2000 },
  );
});

test("[GR9] a region lies in another exactly where none of its paths is outside", () => {
  assert(
    property(anyRegion, anyRegion, (left, right) => {
      const [isLeft, isRight] = [oracleOf(left), oracleOf(right)];
      const answer = containmentOf(regionOf(...left), regionOf(...right));
      expect(objectTo(answer, (path) => isLeft(path) && !isRight(path))).toBe("");
    }),
    { numRuns: 2000 },
  );
});
