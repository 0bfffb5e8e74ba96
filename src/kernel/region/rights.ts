import { parseRegion, type ParsedRegion, type Region } from "./region.ts";
import { newEffort, type Effort } from "./effort.ts";
import { containmentOf, exampleIn, type Overlap } from "./relation.ts";

/** Whether regions that are asked for lie in those that are there, or why not. */
export type Narrowing =
  | { readonly kind: "inside"; readonly patterns: readonly string[] }
  | { readonly kind: "invalid"; readonly expected: string; readonly got: string }
  | { readonly kind: "too_large"; readonly expected: string; readonly got: string }
  | { readonly kind: "outside"; readonly witness: string };

/** Regions by the patterns that they were parsed from: states share those arrays. */
const PARSED = new WeakMap<readonly string[], ParsedRegion>();

/** The same, where letters that differ in case alone are one. */
const PARSED_CASELESS = new WeakMap<readonly string[], ParsedRegion>();

/** Those of one pattern that were parsed last, by it: mostly the same few are asked for. */
const RECENT = new Map<string, ParsedRegion>();
const RECENT_CASELESS = new Map<string, ParsedRegion>();
const recentMax = 1_024;
const recentCharsMax = 256;

/** Regions that were found to have something, with the work of it: they always will. */
const INHABITED = new WeakMap<Region, number>();

/** How a region is asked about. */
interface Narrowed {
  /** Whether letters that differ in case alone are the same. */
  readonly isCaseless?: boolean;
  readonly effort?: Effort;
}

/** Parses patterns that do not change, once for each array and folding. */
export function parseOnce(patterns: readonly string[], isCaseless = false): ParsedRegion {
  const parsedBefore = isCaseless ? PARSED_CASELESS : PARSED;
  const known = parsedBefore.get(patterns);
  if (known !== undefined) return known;
  const parsed = parseRecent(patterns, isCaseless);
  parsedBefore.set(patterns, parsed);
  return parsed;
}

function parseRecent(patterns: readonly string[], isCaseless: boolean): ParsedRegion {
  const [text] = patterns;
  if (patterns.length !== 1 || text === undefined || text.length > recentCharsMax)
    return parseRegion(patterns, isCaseless);
  const recent = isCaseless ? RECENT_CASELESS : RECENT;
  const known = recent.get(text);
  if (known !== undefined) return known;
  const parsed = parseRegion(patterns, isCaseless);
  const [oldest] = recent.keys();
  if (recent.size >= recentMax && oldest !== undefined) recent.delete(oldest);
  recent.set(text, parsed);
  return parsed;
}

/**
 * Decides whether patterns make a region that is not empty, and lies in `outer` where that is
 * given. What cannot be decided is too large, never inside. `isCaseless`: letters that differ in
 * case alone are the same. Whoever asks about many regions at once gives them one effort.
 */
export function narrowTo(
  patterns: readonly string[],
  outer: readonly string[] | null,
  { isCaseless = false, effort = newEffort() }: Narrowed = {},
): Narrowing {
  if (outer !== null && JSON.stringify(patterns) === JSON.stringify(outer))
    return { kind: "inside", patterns };
  const asked = parseOnce(patterns, isCaseless);
  if (!asked.ok) return problemOf(asked);
  const got = patterns.join(" ");
  const inhabited = exampleOnce(asked.region, effort);
  if (inhabited === "apart")
    return { kind: "invalid", expected: "a region that has something", got };
  if (inhabited === "too_large") return { kind: inhabited, expected: DECIDABLE, got };
  const found = { kind: "inside", patterns: asked.region.patterns } as const;
  if (outer === null) return found;
  const around = parseOnce(outer, isCaseless);
  if (!around.ok) return problemOf(around);
  const { kind, ...rest } = { witness: "", ...containmentOf(asked.region, around.region, effort) };
  if (kind === "inside") return found;
  if (kind === "outside") return { kind, ...rest };
  return { kind, expected: DECIDABLE, got };
}

const DECIDABLE = "a region that can be decided";

/**
 * Whether a region has something. What was found before costs as much again, so that no answer
 * depends on what is remembered.
 */
function exampleOnce(region: Region, effort: Effort): Overlap["kind"] {
  const { workLeft } = effort;
  const known = INHABITED.get(region);
  const kind = known === undefined ? exampleIn(region, effort).kind : "overlap";
  if (known !== undefined) effort.workLeft -= known;
  if (effort.workLeft <= 0) return "too_large";
  if (kind === "overlap") INHABITED.set(region, workLeft - effort.workLeft);
  return kind;
}

function problemOf({ problem }: Extract<ParsedRegion, { readonly ok: false }>): Narrowing {
  const { code, pattern, expected, got } = problem;
  const where = pattern === undefined ? got : `${got} in ${JSON.stringify(pattern)}`;
  return { kind: code === "region_too_large" ? "too_large" : "invalid", expected, got: where };
}
