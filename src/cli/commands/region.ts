import { parseRegion, type Region } from "../../kernel/region/region.ts";
import { containmentOf, exampleIn, overlapOf } from "../../kernel/region/relation.ts";
import { InputError } from "../../protocol/input.ts";
import type { Said } from "../call.ts";
import { plainText } from "../text/plain.ts";
import type { Given, Verb, VerbOption } from "../verb.ts";

const PATTERNS_HELP =
  "A region is one pattern or several: `*` is any run of characters of one segment of a path, " +
  "`?` one character, `[a-z]` or `[!a-z]` one of a class, `{a,b}` either, `**` any number of " +
  "whole segments, `\\` takes what follows as itself, `dir/` is `dir/**`. `!pattern` leaves out. " +
  "`port:8080` is in a namespace of its own; without one a pattern is about files.";

const COMMON: readonly VerbOption[] = [
  {
    flags: "--exclude <patterns...>",
    description: "what the first region leaves out",
    isList: true,
  },
  { flags: "--fold-case", description: "take letters that differ in case alone for the same" },
];

const overlap: Verb = {
  name: "region overlap",
  summary: "Decide whether two regions share a resource, and show one that they share",
  details: `Decided exactly, without looking at any file.\n\n${PATTERNS_HELP}`,
  parameters: "<patterns...>",
  options: [
    {
      flags: "--with <patterns...>",
      description: "the other region",
      isList: true,
      isRequired: true,
    },
    ...COMMON,
  ],
  examples: [
    "stint region overlap 'src/api/**' --with 'src/*/users.ts'",
    "stint region overlap 'src/**' --exclude 'src/gen/**' --with 'src/gen/**' --json",
  ],
  isForWorkers: true,
  async run(_call, given) {
    const { left, right } = readRegions(given, "with");
    const found = overlapOf(left, right);
    if (found.kind === "too_large") throw tooLarge();
    const { kind, witness } = { witness: null, ...found };
    const data = { overlaps: kind === "overlap", witness, ...patternsOf(left, right) };
    const text = witness === null ? "apart: they share nothing" : `overlap: ${plainText(witness)}`;
    return { data, text };
  },
};

const contains: Verb = {
  name: "region contains",
  summary: "Decide whether a region lies inside another, and show what does not",
  details: `Decided exactly, without looking at any file.\n\n${PATTERNS_HELP}`,
  parameters: "<patterns...>",
  options: [
    {
      flags: "--inside <patterns...>",
      description: "the region around it",
      isList: true,
      isRequired: true,
    },
    ...COMMON,
  ],
  examples: [
    "stint region contains 'src/api/**' --inside 'src/**'",
    "stint region contains 'src/**' --inside 'src/*' --json",
  ],
  isForWorkers: true,
  async run(_call, given) {
    const { left, right } = readRegions(given, "inside");
    const found = containmentOf(left, right);
    if (found.kind === "too_large") throw tooLarge();
    const { kind, witness } = { witness: null, ...found };
    const data = { inside: kind === "inside", witness, ...patternsOf(left, right) };
    const text = witness === null ? "inside" : `not inside: ${plainText(witness)}`;
    return { data, text };
  },
};

/** The verbs about regions; they need no fleet. */
export const VERBS: readonly Verb[] = [overlap, contains];

function patternsOf(left: Region, right: Region): Pick<Said["data"], string> {
  return { region: [...left.patterns], other: [...right.patterns] };
}

function readRegions(
  { parameters, options }: Given,
  other: "with" | "inside",
): { readonly left: Region; readonly right: Region } {
  const { exclude = [], foldCase = false } = options as {
    readonly exclude?: readonly string[];
    readonly foldCase?: boolean;
  };
  const asked = parameters[0] as readonly string[];
  const left = [...asked, ...exclude.map((pattern) => `!${pattern.replace(/^!/, "")}`)];
  return {
    left: readRegion(left, "PATTERNS", foldCase),
    right: readRegion(options[other] as readonly string[], `--${other}`, foldCase),
  };
}

function readRegion(patterns: readonly string[], path: string, isCaseless: boolean): Region {
  const parsed = parseRegion(patterns, isCaseless);
  if (parsed.ok) {
    if (exampleIn(parsed.region).kind !== "apart") return parsed.region;
    const got = patterns.join(" ");
    throw new InputError("usage", [{ path, expected: "a region that has something", got }]);
  }
  const { code, pattern, expected, got } = parsed.problem;
  const where = pattern === undefined ? path : `${path} ${JSON.stringify(pattern)}`;
  throw new InputError(code === "region_too_large" ? "limit_exceeded" : "usage", [
    { path: where, expected: `a region with ${expected}`, got },
  ]);
}

function tooLarge(): InputError {
  return new InputError("limit_exceeded", [
    { path: "the question", expected: "one with fewer patterns that are left out", got: "more" },
  ]);
}
