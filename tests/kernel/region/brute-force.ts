// Answers about two regions against every short path: what the tests of regions assert, how often
// is theirs to say.
import { property, type IProperty } from "fast-check";
import {
  containmentOf,
  overlapOf,
  type Containment,
  type Overlap,
} from "../../../src/kernel/region/relation.ts";
import type { Region } from "../../../src/kernel/region/region.ts";
import { hasResource, readResource } from "../../../src/kernel/region/resource.ts";
import { anyRegion } from "./arbitrary.ts";
import { namesUpTo, oracleOf, pathsUpTo, regionOf } from "./ground.ts";

/** Every short path over a small alphabet. */
export const PATHS = pathsUpTo(3, namesUpTo(2)).concat(pathsUpTo(1, namesUpTo(4)));

const RESOURCES = PATHS.map((path) => [path, readResource(path)] as const);

/** Those of {@link PATHS} that a region has, as the rules say. */
export function pathsIn(region: Region): readonly string[] {
  return RESOURCES.filter(([path, resource]) => {
    if (resource === undefined) throw new Error(`${path} must be a path`);
    return hasResource(region, resource);
  }).map(([path]) => path);
}

/** What is wrong with an answer about two regions, by their common paths; "" when nothing. */
function objectTo(answer: Overlap | Containment, isCommon: (path: string) => boolean): string {
  if (answer.kind === "overlap" || answer.kind === "outside")
    return isCommon(answer.witness) ? "" : `${answer.witness} is no witness`;
  if (answer.kind === "too_large") return "it is not too large";
  return PATHS.find(isCommon) ?? "";
}

function demand(answer: Overlap | Containment, isCommon: (path: string) => boolean): void {
  const objection = objectTo(answer, isCommon);
  if (objection !== "") throw new Error(`${JSON.stringify(answer)} is wrong: ${objection}`);
}

/** Overlap is a path that both have. */
export const overlapsAsPathsDo: IProperty<[readonly string[], readonly string[]]> = property(
  anyRegion,
  anyRegion,
  (left, right) => {
    const [isLeft, isRight] = [oracleOf(left), oracleOf(right)];
    const answer = overlapOf(regionOf(...left), regionOf(...right));
    demand(answer, (path) => isLeft(path) && isRight(path));
  },
);

/** Containment is no path that one has and the other has not. */
export const liesInsideAsPathsDo: IProperty<[readonly string[], readonly string[]]> = property(
  anyRegion,
  anyRegion,
  (left, right) => {
    const [isLeft, isRight] = [oracleOf(left), oracleOf(right)];
    const answer = containmentOf(regionOf(...left), regionOf(...right));
    demand(answer, (path) => isLeft(path) && !isRight(path));
  },
);
