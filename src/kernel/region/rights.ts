import { parseRegion, type ParsedRegion } from "./region.ts";
import { containmentOf, exampleIn } from "./relation.ts";

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

/** Parses patterns that do not change, once for each array and folding. */
export function parseOnce(patterns: readonly string[], isCaseless = false): ParsedRegion {
  const parsedBefore = isCaseless ? PARSED_CASELESS : PARSED;
  const known = parsedBefore.get(patterns);
  if (known !== undefined) return known;
  const parsed = parseRegion(patterns, isCaseless);
  parsedBefore.set(patterns, parsed);
  return parsed;
}

/**
 * Decides whether patterns make a region that is not empty, and lies in `outer` where that is
 * given. What cannot be decided is too large, never inside. `isCaseless`: letters that differ in
 * case alone are the same.
 */
export function narrowTo(
  patterns: readonly string[],
  outer: readonly string[] | null,
  isCaseless = false,
): Narrowing {
  if (outer !== null && JSON.stringify(patterns) === JSON.stringify(outer))
    return { kind: "inside", patterns };
  const asked = parseOnce(patterns, isCaseless);
  if (!asked.ok) return problemOf(asked);
  if (exampleIn(asked.region).kind === "apart")
    return { kind: "invalid", expected: "a region that has something", got: patterns.join(" ") };
  const found = { kind: "inside", patterns: asked.region.patterns } as const;
  if (outer === null) return found;
  const around = parseOnce(outer, isCaseless);
  if (!around.ok) return problemOf(around);
  const { kind, ...rest } = { witness: "", ...containmentOf(asked.region, around.region) };
  if (kind === "inside") return found;
  if (kind === "outside") return { kind, ...rest };
  return { kind, expected: "a region that can be decided", got: patterns.join(" ") };
}

function problemOf({ problem }: Extract<ParsedRegion, { readonly ok: false }>): Narrowing {
  const { code, pattern, expected, got } = problem;
  const where = pattern === undefined ? got : `${got} in ${JSON.stringify(pattern)}`;
  return { kind: code === "region_too_large" ? "too_large" : "invalid", expected, got: where };
}
