import { assert, property } from "fast-check";
import { expect, test } from "vitest";
import { isPlainlyInside } from "../../../src/kernel/region/inside.ts";
import type { Pattern } from "../../../src/kernel/region/pattern.ts";
import { matchesPath } from "../../../src/kernel/region/resource.ts";
import { matchesSegment } from "../../../src/kernel/region/segment.ts";
import { anyRegion } from "./arbitrary.ts";
import { PATHS } from "./brute-force.ts";
import { regionOf } from "./ground.ts";

function one(text: string): Pattern {
  const [pattern] = regionOf(text).includes;
  if (pattern === undefined) throw new Error(text);
  return pattern;
}

const SPLIT = PATHS.map((path) => path.split("/"));

test("[GR9] what is plainly inside is inside, of one pattern and of what two share", () => {
  let found = 0;
  const isSound = property(anyRegion, anyRegion, anyRegion, (left, right, around) => {
    const [inner, other, outer] = [left, right, around].map((texts) => one(texts[0] ?? ""));
    if (inner === undefined || other === undefined || outer === undefined) return;
    const [alone, both] = [isPlainlyInside([inner], outer), isPlainlyInside([inner, other], outer)];
    if (!alone && !both) return;
    found += 1;
    const rest = SPLIT.filter((path) => matchesPath(inner, path) && !matchesPath(outer, path));
    expect(alone ? rest : []).toEqual([]);
    expect(rest.filter((path) => matchesPath(other, path))).toEqual([]);
  });
  assert(isSound, { numRuns: 2_000 });
  expect(found).toBeGreaterThan(100);
});

test.each([
  ["src/mod/x.test.ts", "**/*.test.ts", true],
  ["a/**/x.md", "**/*.md", true],
  ["a/node_modules/b/**", "**/node_modules/**", true],
  ["a/**/b/c/**", "a/**/b/**", true],
  ["pkg1/**", "pkg*/**", true],
  ["pkg1/**", "pkg1", false],
  ["pkg1/**", "pkg1/*/**", false],
  ["**", "**/*", false],
  ["port:a", "a", false],
  ["port:a", "*:*", true],
  ["*:a", "a", false],
])("[GR9] %s lies plainly in %s: %s", (inner, outer, isInside) => {
  expect(isPlainlyInside([one(inner)], one(outer))).toBe(isInside);
});

test.each([
  ["*/dist/**", "pkg/**", "pkg/dist/**", true],
  ["pkg/**", "*/dist/**", "pkg/dist/**", false],
  ["**/*.md", "pkg/**", "pkg/**", false],
  ["**/b/*", "**/a", "**/b/a", true],
  ["**/a/**", "b/**", "b/a/**", false],
] as const)("[GR9] what %s shares with %s lies plainly in %s: %s", (...row) => {
  const [inner, other, outer, isInside] = row;
  expect(isPlainlyInside([one(inner), one(other)], one(outer))).toBe(isInside);
});

test.each([
  ["*😀", "a😀", true],
  ["?😀*é", "😀😀xé", true],
  ["??", "😀", false],
  ["*?", "😀", true],
  ["a*b*c", "abc", true],
  ["a*b*c", "acb", false],
  ["*a", "", false],
])("[GR7] %s matches the name %s: %s", (pattern, name, isMatched) => {
  const [step] = one(pattern).steps;
  expect(step !== undefined && step !== "**" && matchesSegment(step, name)).toBe(isMatched);
});
