import { LIMITS } from "../limits.ts";
import { CASELESS, EXACT, type Folding } from "./folding.ts";
import { parsePattern } from "./parse-pattern.ts";
import { DEEP, PatternError, type Pattern } from "./pattern.ts";

/**
 * A set of resources: those that one of `includes` matches and none of `excludes` does. Written as
 * a list of patterns, in which `!` leads what is left out. A value: nothing changes it.
 */
export interface Region {
  readonly includes: readonly Pattern[];
  readonly excludes: readonly Pattern[];
  /** Canonical: sorted, each once, without braces; it parses back to this region. */
  readonly patterns: readonly string[];
  readonly folding: Folding;
}

/** Why a text is no region. */
export interface RegionProblem {
  readonly code: "region_invalid" | "region_too_large";
  /** The pattern that it is about; undefined when it is about all of them. */
  readonly pattern: string | undefined;
  readonly expected: string;
  readonly got: string;
}

/** A region, or why there is none. */
export type ParsedRegion =
  | { readonly ok: true; readonly region: Region }
  | { readonly ok: false; readonly problem: RegionProblem };

/**
 * Parses patterns, those led by `!` as what is left out. `isCaseless`: letters that differ in case
 * alone are the same. Answers a problem for what cannot be meant and for what is too large; never
 * throws. Whether the region matches anything at all is not looked at.
 */
export function parseRegion(texts: readonly string[], isCaseless = false): ParsedRegion {
  const { regionPatternsMax, regionPatternBytesMax, regionBytesMax, regionAlternativesMax } =
    LIMITS;
  if (texts.length > regionPatternsMax)
    return tooLarge(undefined, `at most ${regionPatternsMax} patterns`, `${texts.length}`);
  const folding = isCaseless ? CASELESS : EXACT;
  let bytes = 0;
  let count = 0;
  const found = { include: new Map<string, Pattern>(), exclude: new Map<string, Pattern>() };
  for (const text of texts) {
    // A character of UTF-16 is three bytes of UTF-8 at most.
    if (text.length > regionPatternBytesMax || sizeOf(text) > regionPatternBytesMax)
      return tooLarge(text.slice(0, 40), `at most ${regionPatternBytesMax} bytes`, "more");
    bytes += sizeOf(text);
    if (bytes > regionBytesMax)
      return tooLarge(undefined, `at most ${regionBytesMax} bytes in all`, "more");
    const isExclude = text.startsWith("!");
    try {
      const patterns = parsePattern(isExclude ? text.slice(1) : text, folding);
      // Those that come twice count twice, for they are read twice.
      count += patterns.length;
      if (count > regionAlternativesMax)
        return tooLarge(undefined, `at most ${regionAlternativesMax} alternatives`, "more");
      for (const pattern of patterns)
        found[isExclude ? "exclude" : "include"].set(pattern.text, pattern);
    } catch (error) {
      if (!(error instanceof PatternError)) throw error;
      const { expected, got, isTooLarge } = error;
      const code = isTooLarge ? "region_too_large" : "region_invalid";
      return { ok: false, problem: { code, pattern: text, expected, got } };
    }
  }
  const wild = wildItemsIn([...found.include.values(), ...found.exclude.values()]);
  if (wild > LIMITS.regionWildItemsMax) {
    const expected = `at most ${LIMITS.regionWildItemsMax} characters beside or in wildcards`;
    return tooLarge(undefined, expected, `${wild}`);
  }
  if (found.include.size === 0) {
    const expected = "at least one pattern that is not led by !";
    const problem = { pattern: undefined, expected, got: JSON.stringify(texts) } as const;
    return { ok: false, problem: { code: "region_invalid", ...problem } };
  }
  return { ok: true, region: regionOf(inOrder(found.include), inOrder(found.exclude), folding) };
}

/** Comparing two regions costs the product of these: literal segments are just looked up. */
function wildItemsIn(patterns: readonly Pattern[]): number {
  let count = 0;
  for (const { steps } of patterns)
    for (const step of steps) {
      if (step === DEEP) count += 1;
      else if (step.literal === undefined) count += step.items.length;
    }
  return count;
}

function regionOf(
  includes: readonly Pattern[],
  excludes: readonly Pattern[],
  folding: Folding,
): Region {
  const patterns = [...includes.map(({ text }) => text), ...excludes.map(({ text }) => `!${text}`)];
  return { includes, excludes, patterns, folding };
}

function inOrder(patterns: ReadonlyMap<string, Pattern>): readonly Pattern[] {
  return [...patterns.values()].toSorted((a, b) => (a.text < b.text ? -1 : 1));
}

function tooLarge(pattern: string | undefined, expected: string, got: string): ParsedRegion {
  return { ok: false, problem: { code: "region_too_large", pattern, expected, got } };
}

function sizeOf(text: string): number {
  let bytes = 0;
  for (const char of text) {
    const code = char.codePointAt(0) ?? 0;
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  }
  return bytes;
}
