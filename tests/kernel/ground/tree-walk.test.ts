import { array, assert, boolean, property, tuple } from "fast-check";
import { expect, test } from "vitest";
import { Fork, PatternTree, type Branch } from "../../../src/kernel/ground/pattern-tree.ts";
import { BACKWARD, FORWARD } from "../../../src/kernel/ground/reading.ts";
import { walkTree } from "../../../src/kernel/ground/tree-walk.ts";
import { meetPatterns } from "../../../src/kernel/region/meeting.ts";
import type { Pattern } from "../../../src/kernel/region/pattern.ts";
import { overlapOf } from "../../../src/kernel/region/relation.ts";
import type { Region } from "../../../src/kernel/region/region.ts";
import { anyPatterns, parsed } from "./live.ts";

/** What one walk meets, each as often as it is met. */
function metBy(tree: PatternTree, query: Pattern, { folding, excludes }: Region): string[] {
  const met: string[] = [];
  for (const found of walkTree(tree, { query, leftOut: excludes, folding }))
    if (found !== undefined) met.push(found.text);
  return met.toSorted();
}

const KEPT_AND_TAKEN = tuple(array(anyPatterns, { maxLength: 8 }), array(anyPatterns));

test.each([
  ["the front", FORWARD],
  ["the back", BACKWARD],
])("[GR10] a walk from %s alone meets all there is to meet, each once", (_, reading) => {
  assert(
    property(KEPT_AND_TAKEN, anyPatterns, boolean(), ([kept, taken], asked, isCaseless) => {
      const region = parsed(asked, isCaseless);
      const all = [...kept, ...taken].flatMap((texts) => parsed(texts, isCaseless).includes);
      const unique = [...new Map(all.map((one) => [one.text, one])).values()];
      const left = new Set(kept.flatMap((texts) => parsed(texts, isCaseless).patterns));
      let tree = PatternTree.empty(reading);
      for (const one of unique) tree = tree.add(one);
      for (const one of unique) if (!left.has(one.text)) tree = tree.remove(one);
      for (const query of region.includes) {
        const met = metBy(tree, query, region);
        const meeting = unique.filter(
          (one) => left.has(one.text) && meetPatterns(one, query, region) !== undefined,
        );
        const missed = meeting.filter(({ text }) => !met.includes(text));
        expect(missed.filter((one) => !sharesNothing(one, query, region))).toEqual([]);
        const rest = meeting.filter((one) => !missed.includes(one)).map(({ text }) => text);
        expect(met).toEqual(rest.toSorted());
      }
    }),
    { numRuns: 400 },
  );
});

/** Whether what is left out leaves nothing of what two patterns share. */
function sharesNothing(one: Pattern, query: Pattern, { folding, excludes }: Region): boolean {
  const left = { includes: [query], excludes, patterns: [], folding };
  const right = { includes: [one], excludes: [], patterns: [], folding };
  return overlapOf(left, right).kind === "apart";
}

test("[GR10] what a folder leaves out is not walked, and only what it leaves out", () => {
  const patterns = ["src/api/x.ts", "src/api/*.ts", "src/*.ts", "port:src/api/x.ts", "*:src/api/y"];
  const { includes } = parsed(patterns, false);
  const tree = includes.reduce((made, one) => made.add(one), PatternTree.empty(FORWARD));
  const region = parsed(["*:src/**", "!src/api/**"], false);
  const [query] = region.includes;
  expect(query && metBy(tree, query, region)).toEqual([
    "*:src/api/y",
    "port:src/api/x.ts",
    "src/*.ts",
  ]);
});

test.each([
  ["abc", ["*", "a*", "ab*", "abc*", "abc"]],
  ["abd*", ["*", "a*", "ab*", "abd?", "abde*"]],
  ["a", ["*", "a*"]],
  ["b", ["*"]],
])("[GR10] %s is met by what begins as it does, however much lies between", (text, met) => {
  const all = ["*", "a*", "aa*", "aaz*", "ab*", "abc", "abc*", "abcd*", "abd?", "abde*", "ac*"];
  const { includes } = parsed(all, false);
  const tree = includes.reduce((made, one) => made.add(one), PatternTree.empty(FORWARD));
  const region = parsed([text], false);
  const [query] = region.includes;
  expect(query && metBy(tree, query, region)).toEqual(met.toSorted());
});

test("[GR10] read from the back, a folder left out is not taken for what ends alike", () => {
  const { includes } = parsed(["b/a", "c/a"], false);
  const tree = includes.reduce((made, one) => made.add(one), PatternTree.empty(BACKWARD));
  const region = parsed(["*/a", "!a/**"], false);
  const [query] = region.includes;
  expect(query && metBy(tree, query, region)).toEqual(["b/a", "c/a"]);
});

/** A tree as nested keys, down to the texts of its leaves. */
function shapeOf(branches: Iterable<readonly [string, Branch]>): unknown {
  return Array.from(branches, ([key, branch]) => [
    key,
    branch instanceof Fork ? shapeOf(branch.children) : branch.text,
  ]);
}

test("[GR11] a tree has the shape that its patterns give it, whatever came and went before", () => {
  assert(
    property(KEPT_AND_TAKEN, boolean(), ([kept, taken], isBackward) => {
      const patternsOf = (all: readonly (readonly string[])[]): Map<string, Pattern> =>
        new Map(all.flatMap((one) => parsed(one, false).includes).map((one) => [one.text, one]));
      const [left, all] = [patternsOf(kept), patternsOf([...taken, ...kept])];
      const empty = PatternTree.empty(isBackward ? BACKWARD : FORWARD);
      let tree = empty;
      for (const one of all.values()) tree = tree.add(one);
      for (const one of all.values()) if (!left.has(one.text)) tree = tree.remove(one);
      let fresh = empty;
      for (const one of left.values()) fresh = fresh.add(one);
      expect(shapeOf(tree.roots)).toEqual(shapeOf(fresh.roots));
    }),
    { numRuns: 300 },
  );
});
