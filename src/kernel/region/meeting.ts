import { spend } from "./effort.ts";
import {
  ANY_NAMESPACE,
  DEEP,
  DEFAULT_NAMESPACE,
  NAMESPACE,
  type Pattern,
  type Step,
} from "./pattern.ts";
import { matchesPath } from "./resource.ts";
import { exampleOf, meetSegments, type Terms } from "./segment.ts";

/** A name of no meaning, where any would do. */
const SOME_NAME = "a";

/**
 * A path that two patterns share, with its namespace where that is not `file`; undefined when
 * there is none. Exact; O(n · m) in the patterns' lengths. Throws `EffortSpent`.
 */
export function meetPatterns(left: Pattern, right: Pattern, terms: Terms): string | undefined {
  spend(terms.effort, COST_OF_PAIR);
  const namespace = meetNamespaces(left.namespace, right.namespace);
  if (namespace === undefined || isPlainlyApart(left.steps, right.steps)) return undefined;
  const segments = meetNames(left, right, terms);
  return segments === undefined ? undefined : writePath(namespace, segments.join("/"));
}

/** The names of a path that both match: where one of the two is a path, there is no other. */
function meetNames(left: Pattern, right: Pattern, terms: Terms): readonly string[] | undefined {
  const names = namesOf(left);
  const [path, other] = names === undefined ? [namesOf(right), left] : [names, right];
  if (path === undefined) return meetSteps(left.steps, right.steps, terms);
  return matchesPath(other, path, terms.effort) ? path : undefined;
}

/** The segments of the only path that a pattern matches; undefined where there may be others. */
export function namesOf({ steps }: Pattern): readonly string[] | undefined {
  const names: string[] = [];
  for (const step of steps) {
    if (step === DEEP || step.literal === undefined) return undefined;
    names.push(step.literal);
  }
  return names;
}

/** A first look at two patterns, however soon they are told apart, costs as much as so many. */
const COST_OF_PAIR = 2;
/** A place where both stand costs as much as so many looks. */
const COST_OF_PLACE = 3;

/** Whether a look at the steps is enough to tell two patterns apart, as it mostly is. */
function isPlainlyApart(left: readonly Step[], right: readonly Step[]): boolean {
  // Without `**` a path has as many segments as its pattern has steps.
  if (left.length !== right.length && !left.includes(DEEP) && !right.includes(DEEP)) return true;
  for (const [index, one] of left.entries()) {
    const other = right[index];
    if (one === DEEP || other === DEEP || other === undefined) return false;
    const isSure = one.literal !== undefined && other.literal !== undefined;
    if (isSure && one.literal !== other.literal) return true;
  }
  return false;
}

/** The namespace that two have in common; undefined when there is none. */
export function meetNamespaces(left: string, right: string): string | undefined {
  if (left === right || right === ANY_NAMESPACE) return left;
  return left === ANY_NAMESPACE ? right : undefined;
}

/** A path as it is written: `file:` is left out where it is not needed. */
export function writePath(namespace: string, path: string): string {
  const shown = namespace === ANY_NAMESPACE ? DEFAULT_NAMESPACE : namespace;
  return shown === DEFAULT_NAMESPACE && !NAMESPACE.test(path) ? path : `${shown}:${path}`;
}

/** Where two patterns stand, how that was reached, and by which segment. */
interface Place {
  readonly i: number;
  readonly j: number;
  /** Whether the path has a segment by now: a resource is never the root itself. */
  readonly isSome: boolean;
  readonly from: Place | undefined;
  readonly segment: string | undefined;
}

function meetSteps(
  left: readonly Step[],
  right: readonly Step[],
  terms: Terms,
): readonly string[] | undefined {
  const width = right.length + 1;
  const open: Place[] = [{ i: 0, j: 0, isSome: false, from: undefined, segment: undefined }];
  const seen = new Set<number>();
  // An array grows while it is iterated: each new place is visited in its turn.
  for (const place of open) {
    const { i, j } = place;
    spend(terms.effort, COST_OF_PLACE);
    if (place.isSome && i === left.length && j === right.length) return segmentsOf(place);
    for (const next of placesAfter(place, [left[i], right[j]], terms)) {
      const key = (next.i * width + next.j) * 2 + (next.isSome ? 1 : 0);
      if (seen.has(key)) continue;
      seen.add(key);
      open.push(next);
    }
  }
  return undefined;
}

function placesAfter(
  from: Place,
  [one, other]: readonly [Step | undefined, Step | undefined],
  terms: Terms,
): readonly Place[] {
  const { i, j, isSome } = from;
  const places: Place[] = [];
  if (one === DEEP) places.push({ i: i + 1, j, isSome, from, segment: undefined });
  if (other === DEEP) places.push({ i, j: j + 1, isSome, from, segment: undefined });
  if (one === undefined || other === undefined) return places;
  const segment = meetOne(one, other, terms);
  if (segment === undefined) return places;
  const next = { i: one === DEEP ? i : i + 1, j: other === DEEP ? j : j + 1 };
  places.push({ ...next, isSome: true, from, segment });
  return places;
}

function meetOne(one: Step, other: Step, terms: Terms): string | undefined {
  if (one === DEEP) return other === DEEP ? SOME_NAME : exampleOf(other, terms);
  return other === DEEP ? exampleOf(one, terms) : meetSegments(one, other, terms);
}

function segmentsOf(place: Place): readonly string[] {
  const segments: string[] = [];
  for (let at: Place | undefined = place; at !== undefined; at = at.from)
    if (at.segment !== undefined) segments.push(at.segment);
  return segments.toReversed();
}
