import { spend, type Effort } from "./effort.ts";
import { matchesSegment } from "./segment.ts";
import {
  ANY_NAMESPACE,
  DEEP,
  DEFAULT_NAMESPACE,
  NAMESPACE,
  type Pattern,
  type Step,
} from "./pattern.ts";
import type { Region } from "./region.ts";

/** One resource: a path in a namespace, as it is written, not yet folded. */
export interface Resource {
  readonly namespace: string;
  readonly segments: readonly string[];
}

/**
 * Reads a path, with its namespace where that is not `file`. Undefined for what is no resource:
 * nothing, a path from `/`, an empty segment, `..`. A segment `.` says nothing.
 */
export function readResource(text: string): Resource | undefined {
  const named = NAMESPACE.exec(text);
  const namespace = named?.[1] ?? DEFAULT_NAMESPACE;
  const path = text.slice(named?.[0].length ?? 0);
  const segments = path.split("/").filter((segment) => segment !== ".");
  const isPath = segments.every((one) => one !== "" && one !== ".." && !one.includes("\0"));
  if (namespace === ANY_NAMESPACE || segments.length === 0 || !isPath) return undefined;
  return { namespace, segments };
}

/** Whether a region has a resource. O(patterns · segments). Throws `EffortSpent`. */
export function hasResource(
  region: Region,
  { namespace, segments }: Resource,
  effort?: Effort,
): boolean {
  const path = segments.map((segment) => region.folding.foldText(segment));
  const isMatched = (pattern: Pattern): boolean =>
    (pattern.namespace === namespace || pattern.namespace === ANY_NAMESPACE) &&
    matchesPath(pattern, path, effort);
  return region.includes.some(isMatched) && !region.excludes.some(isMatched);
}

/**
 * Whether a pattern matches a path of folded segments, whatever the namespace. Throws
 * `EffortSpent`.
 */
export function matchesPath({ steps }: Pattern, path: readonly string[], effort?: Effort): boolean {
  // What follows the last `**` is the end of the path: most paths are told by it, as by `*.md`.
  const lastDeep = steps.lastIndexOf(DEEP);
  const end = path.length - (steps.length - 1 - lastDeep);
  spend(effort, 1);
  if (end < 0 || (lastDeep < 0 && end > 0)) return false;
  for (let index = path.length - 1; index >= end; index -= 1) {
    const step = steps[lastDeep + 1 + index - end];
    if (!matchesStep(step, path[index], effort)) return false;
  }
  // After a `**` that has taken too little, it takes one more: the last one alone needs this.
  let [at, index, deepAt, deepIndex] = [0, 0, 0, -1];
  while (index < lastDeep) {
    spend(effort, 1);
    const step = steps[index];
    if (step === DEEP) [deepIndex, deepAt, index] = [index, at, index + 1];
    else if (at >= end) return false;
    else if (matchesStep(step, path[at], effort)) [at, index] = [at + 1, index + 1];
    else if (deepIndex >= 0) [deepAt, at, index] = [deepAt + 1, deepAt + 1, deepIndex + 1];
    else return false;
  }
  return true;
}

function matchesStep(
  step: Step | undefined,
  name: string | undefined,
  effort: Effort | undefined,
): boolean {
  if (step === undefined || step === DEEP || name === undefined) return false;
  return matchesSegment(step, name, effort);
}
