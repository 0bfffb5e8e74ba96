import { spend, type Effort } from "./effort.ts";
import { meetNamespaces } from "./meeting.ts";
import { DEEP, type Pattern, type Segment, type Step } from "./pattern.ts";
import { matchesSegment } from "./segment.ts";

/**
 * Whether all that a pattern shares with another, where one is given, plainly lies in `outer`: seen
 * step by step, without a search. Never a guess; what is not plain may still be so. O(n · m) in the
 * steps, and mostly one look. Throws `EffortSpent`.
 *
 * A path that both match has, up to the first `**` of either and from the last one on, segments
 * that both match: there it is enough that one of the two lies in a step of `outer`.
 */
export function isPlainlyInside(
  [inner, other]: readonly [inner: Pattern, other?: Pattern],
  outer: Pattern,
  effort?: Effort,
): boolean {
  spend(effort, 1);
  const shared =
    other === undefined ? inner.namespace : meetNamespaces(inner.namespace, other.namespace);
  if (shared === undefined || meetNamespaces(shared, outer.namespace) !== shared) return false;
  const beside = other === undefined ? NOTHING_BESIDE : besideOf(inner.steps, other.steps);
  const isStepIn = (index: number, step: Step): boolean => {
    const own = inner.steps[index];
    if (own === undefined || own === DEEP || step === DEEP) return false;
    spend(effort, 1);
    if (isSegmentIn(own, step, effort)) return true;
    return beside(index).some((one) => isSegmentIn(one, step, effort));
  };
  return covers(outer.steps, inner.steps, isStepIn);
}

/** The segments of another pattern that a segment of a shared path must match as well. */
type Beside = (index: number) => readonly Segment[];

const NOTHING_BESIDE: Beside = () => [];

function besideOf(steps: readonly Step[], others: readonly Step[]): Beside {
  const front = firstDeep(steps, others);
  const back = firstDeep(steps.toReversed(), others.toReversed());
  return (index) => {
    const fromBack = steps.length - 1 - index;
    const found: Segment[] = [];
    const ahead = index < front ? others[index] : undefined;
    if (ahead !== undefined && ahead !== DEEP) found.push(ahead);
    const behind = fromBack < back ? others.at(-1 - fromBack) : undefined;
    if (behind !== undefined && behind !== DEEP) found.push(behind);
    return found;
  };
}

/** How many steps two have before the first `**` of either. */
function firstDeep(left: readonly Step[], right: readonly Step[]): number {
  const found = [left.indexOf(DEEP), right.indexOf(DEEP)].filter((index) => index >= 0);
  return Math.min(left.length, right.length, ...found);
}

/** Steps matched like a path: a `**` of `outer` takes any steps, one of `inner` is taken by it. */
function covers(
  outer: readonly Step[],
  inner: readonly Step[],
  isStepIn: (index: number, step: Step) => boolean,
): boolean {
  const lastDeep = outer.lastIndexOf(DEEP);
  const end = inner.length - (outer.length - 1 - lastDeep);
  if (end < 0 || (lastDeep < 0 && end > 0)) return false;
  for (let index = inner.length - 1; index >= end; index -= 1)
    if (!isStepIn(index, outer[lastDeep + 1 + index - end] ?? DEEP)) return false;
  // After a `**` that has taken too little, it takes one more: the last one alone needs this.
  let [at, index, deepAt, deepIndex] = [0, 0, 0, -1];
  while (index < lastDeep) {
    const step = outer[index] ?? DEEP;
    if (step === DEEP) [deepIndex, deepAt, index] = [index, at, index + 1];
    else if (at >= end) return false;
    else if (isStepIn(at, step)) [at, index] = [at + 1, index + 1];
    else if (deepIndex >= 0) [deepAt, at, index] = [deepAt + 1, deepAt + 1, deepIndex + 1];
    else return false;
  }
  return true;
}

/** Whether a segment plainly lies in another: where one is a text, or both are the same. */
function isSegmentIn(inner: Segment, outer: Segment, effort: Effort | undefined): boolean {
  if (inner.literal !== undefined) return matchesSegment(outer, inner.literal, effort);
  return outer.literal === undefined && (inner.text === outer.text || outer.text === "*");
}
