// Properties of the repository that no type can state.
// Every failure reads `path:line: rule — what to do instead`, one per line.
import { join } from "node:path";
import { expect, test } from "vitest";
import {
  everyFileIsUsed,
  importsFollowTheArrows,
  importsHaveNoCycle,
  onlyDoorsReExport,
  packagesAreDependencies,
} from "./tidy/imports.ts";
import { kernelIsPure } from "./tidy/kernel.ts";
import {
  codesAreExplained,
  eventsHaveFixtures,
  linksLeadSomewhere,
  rulesAreTested,
} from "./tidy/papers.ts";
import { sizesAreKept } from "./tidy/sizes.ts";
import type { Rule } from "./tidy/tree.ts";
import { readTree } from "./tidy/tree.ts";
import {
  everyTestRuns,
  exportsAreDocumented,
  filesAreNamedWell,
  nothingIsUnfinished,
  onlyProgramsPrint,
} from "./tidy/words.ts";

const tree = readTree(join(import.meta.dirname, ".."));

const RULES: readonly (readonly [string, Rule])[] = [
  ["imports follow the arrows between rooms", importsFollowTheArrows],
  ["imports have no cycle", importsHaveNoCycle],
  ["packages of the source are dependencies", packagesAreDependencies],
  ["every file is used", everyFileIsUsed],
  ["only doors re-export", onlyDoorsReExport],
  ["the kernel is pure", kernelIsPure],
  ["sizes are kept", sizesAreKept],
  ["nothing is unfinished", nothingIsUnfinished],
  ["every test runs", everyTestRuns],
  ["only programs print", onlyProgramsPrint],
  ["files are named well", filesAreNamedWell],
  ["exports are documented", exportsAreDocumented],
  ["rules of SPEC.md are tested, and ids cited are defined", rulesAreTested],
  ["codes are in the table and the glossary", codesAreExplained],
  ["every kind of event has a fixture", eventsHaveFixtures],
  ["links lead somewhere", linksLeadSomewhere],
];

test.each(RULES)("%s", (_, rule) => {
  const lines = rule(tree).map(
    ({ path, line, rule: name, advice }) => `${path}:${line}: ${name} — ${advice}`,
  );
  expect(lines.join("\n")).toBe("");
});
