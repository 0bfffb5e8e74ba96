import {
  hasChar,
  intersectSets,
  looksAt,
  readableIn,
  subtractSets,
  type CharSet,
} from "./char-set.ts";
import { spend, type Effort } from "./effort.ts";
import type { Folding } from "./folding.ts";
import { RUN, type Item, type Segment } from "./pattern.ts";

/** `.` as a set: no segment of a path is one of them alone, or two. */
export const DOT: CharSet = [0x2e, 0x2e];

/** How a segment stands after some characters: not begun, `.`, `..`, or a name, which may end. */
export const NAMING = { begun: 0, dot: 1, dots: 2, name: 3 } as const;

/** How many ways there are for a segment to stand. */
export const NAMINGS = 4;

/** How a segment stands after one more dot: one is `.`, two are `..`, three are a name. */
export function afterDot(naming: number): number {
  if (naming === NAMING.begun) return NAMING.dot;
  return naming === NAMING.dot ? NAMING.dots : NAMING.name;
}

/** What patterns are compared by: a region's folding, and the effort if that is limited. */
export interface Terms {
  readonly folding: Folding;
  readonly effort?: Effort | undefined;
}

/**
 * A text that both segments match, the readable ones first, or undefined when there is none.
 * O(n · m) in the lengths of the two. Throws `EffortSpent`.
 */
export function meetSegments(left: Segment, right: Segment, terms: Terms): string | undefined {
  const { effort } = terms;
  if (left.literal !== undefined)
    return matchesSegment(right, left.literal, effort) ? left.literal : undefined;
  if (right.literal !== undefined)
    return matchesSegment(left, right.literal, effort) ? right.literal : undefined;
  if (!left.items.includes(RUN) || !right.items.includes(RUN))
    return new Meeting(left.items, right.items, terms).find();
  spend(effort, COST_OF_ITEM * (left.items.length + right.items.length));
  return meetRuns(left.items, right.items);
}

/** Choosing a character of an item of a segment costs as much as so many looks. */
const COST_OF_ITEM = 2;
/** A step of a {@link Meeting} costs as much as so many looks, where sets are small. */
const COST_OF_STATE = 8;

/**
 * Two segments with a run each share a text exactly where their beginnings and their ends agree as
 * far as both go: what lies between, each takes into its runs.
 */
function meetRuns(left: readonly Item[], right: readonly Item[]): string | undefined {
  const begin = meetFixed(left.slice(0, left.indexOf(RUN)), right.slice(0, right.indexOf(RUN)));
  if (begin === undefined) return undefined;
  const ends = [left, right].map((items) => items.slice(items.lastIndexOf(RUN) + 1).toReversed());
  const end = meetFixed(ends[0] ?? [], ends[1] ?? []);
  if (end === undefined) return undefined;
  const between = [left, right].flatMap((items) =>
    items.slice(items.indexOf(RUN), items.lastIndexOf(RUN)).filter((item) => item !== RUN),
  );
  const chars = [...begin, ...between, ...end.toReversed()].map((set) => readableIn(set) ?? 0);
  const text = String.fromCodePoint(...chars);
  if (text !== "" && text !== "." && text !== "..") return text;
  return String.fromCodePoint(
    ...chars.slice(0, begin.length),
    someChar,
    ...chars.slice(begin.length),
  );
}

const someChar = 0x61;

/** What two beginnings have in common, as long as the longer; undefined where they differ. */
function meetFixed(left: readonly Item[], right: readonly Item[]): readonly CharSet[] | undefined {
  const [long, short] = left.length < right.length ? [right, left] : [left, right];
  const sets: CharSet[] = [];
  for (const [index, item] of long.entries()) {
    const other = short[index];
    if (item === RUN || other === RUN) break;
    const set = other === undefined ? item : intersectSets(item, other);
    if (set.length === 0) return undefined;
    sets.push(set);
  }
  return sets;
}

/** A text that a segment matches; undefined when it can only be `.` or `..`. */
export function exampleOf({ literal, items }: Segment, terms: Terms): string | undefined {
  if (literal !== undefined) return literal;
  if (!items.includes(RUN)) return new Meeting(items, ANYTHING, terms).find();
  spend(terms.effort, COST_OF_ITEM * items.length);
  return meetRuns(items, ANYTHING);
}

const ANYTHING: readonly Item[] = [RUN];

/**
 * Whether a segment of a path, in the form that its folding gives it, is matched. O(n · m) in the
 * lengths of both. Throws `EffortSpent`.
 */
export function matchesSegment(segment: Segment, text: string, effort?: Effort): boolean {
  const { literal, items } = segment;
  if (literal !== undefined) return literal === text;
  // What follows the last run is the end of the text: most texts are told by it, as by `.ts`.
  const lastRun = items.lastIndexOf(RUN);
  let end = text.length;
  for (let item = items.length - 1; item > lastRun; item -= 1) {
    spend(effort, 1);
    const char = charBefore(text, end);
    if (char === undefined || !hasItem(items[item], char)) return false;
    end -= lengthOf(char);
  }
  return lastRun < 0 ? end === 0 : matchesRuns(items.slice(0, lastRun), text.slice(0, end), effort);
}

/** Whether a text begins with what items match, of which the last is followed by a run. */
function matchesRuns(items: readonly Item[], text: string, effort: Effort | undefined): boolean {
  // After a run that has taken too little, it takes one more: the last run alone needs this.
  let [at, item, runAt, runItem] = [0, 0, 0, -1];
  while (item < items.length) {
    spend(effort, 1);
    const wanted = items[item];
    const char = text.codePointAt(at);
    if (wanted === RUN) [runItem, runAt, item] = [item, at, item + 1];
    else if (char === undefined) return false;
    else if (hasItem(wanted, char)) [at, item] = [at + lengthOf(char), item + 1];
    else if (runItem >= 0) {
      runAt += lengthOf(text.codePointAt(runAt) ?? 0);
      [at, item] = [runAt, runItem + 1];
    } else return false;
  }
  return true;
}

function hasItem(item: Item | undefined, char: number): boolean {
  return item !== undefined && item !== RUN && hasChar(item, char);
}

/** The character that ends at a place of a text; undefined at its beginning. */
function charBefore(text: string, end: number): number | undefined {
  const pair = text.codePointAt(end - 2);
  return pair !== undefined && lengthOf(pair) === 2 ? pair : text.codePointAt(end - 1);
}

/** How much of a text a character takes. */
function lengthOf(char: number): number {
  return char > 0xffff ? 2 : 1;
}

/** One way on: into a state, by a character or by none. */
interface Move {
  readonly to: number;
  readonly char: number | undefined;
}

/** Walks two segments at once, breadth first, so that the text it finds is a shortest one. */
class Meeting {
  readonly #left: readonly Item[];
  readonly #right: readonly Item[];
  readonly #alphabet: CharSet;
  readonly #effort: Effort | undefined;
  /** The state that each state was first reached from, and by which character. */
  readonly #cameFrom = new Map<number, { readonly from: number; readonly char?: number }>();

  constructor(left: readonly Item[], right: readonly Item[], { folding, effort }: Terms) {
    this.#left = left;
    this.#right = right;
    this.#alphabet = folding.alphabet;
    this.#effort = effort;
  }

  find(): string | undefined {
    const goal = this.#stateOf(this.#left.length, this.#right.length, NAMING.name);
    const reached = [this.#stateOf(0, 0, NAMING.begun)];
    // An array grows while it is iterated: each new state is visited in its turn.
    for (const from of reached) {
      if (from === goal) return this.#textTo(goal);
      for (const { to, char } of this.#movesFrom(from)) {
        if (to === reached[0] || this.#cameFrom.has(to)) continue;
        this.#cameFrom.set(to, char === undefined ? { from } : { from, char });
        reached.push(to);
      }
    }
    return undefined;
  }

  #stateOf(left: number, right: number, name: number): number {
    return (left * (this.#right.length + 1) + right) * NAMINGS + name;
  }

  #movesFrom(state: number): readonly Move[] {
    const name = state % NAMINGS;
    const place = (state - name) / NAMINGS;
    const right = place % (this.#right.length + 1);
    const left = (place - right) / (this.#right.length + 1);
    const [one, other] = [this.#left[left], this.#right[right]];
    const moves: Move[] = [];
    if (one === RUN) moves.push({ to: this.#stateOf(left + 1, right, name), char: undefined });
    if (other === RUN) moves.push({ to: this.#stateOf(left, right + 1, name), char: undefined });
    if (one === undefined || other === undefined) return moves;
    const sets = [
      one === RUN ? this.#alphabet : one,
      other === RUN ? this.#alphabet : other,
    ] as const;
    spend(this.#effort, COST_OF_STATE + looksAt(...sets));
    const shared = intersectSets(...sets);
    const next = [one === RUN ? left : left + 1, other === RUN ? right : right + 1] as const;
    const plain = readableIn(subtractSets(shared, DOT));
    if (plain !== undefined) moves.push({ to: this.#stateOf(...next, NAMING.name), char: plain });
    if (hasChar(shared, DOT[0] as number))
      moves.push({ to: this.#stateOf(...next, afterDot(name)), char: DOT[0] });
    return moves;
  }

  #textTo(goal: number): string {
    const chars: number[] = [];
    for (let step = this.#cameFrom.get(goal); step; step = this.#cameFrom.get(step.from))
      if (step.char !== undefined) chars.push(step.char);
    return String.fromCodePoint(...chars.toReversed());
  }
}
