/*
 * A pattern and a tree of patterns, walked at once: from a place, which is a branch and how many
 * steps of the pattern are behind, to the places that one more step leads to. What is met at a
 * leaf is asked in full, so places may be taken too many, never too few:
 *
 *     the pattern's `**`    takes every step of the tree and stays, down to the leaves
 *     the tree's `**`       takes any step of the pattern and stays, or is passed by
 *     two segments          both go on, if they share a text
 */

import { spend, type Effort } from "../region/effort.ts";
import { meetNamespaces, meetPatterns } from "../region/meeting.ts";
import { ANY_NAMESPACE, DEEP, type Pattern, type Segment, type Step } from "../region/pattern.ts";
import { meetSegments, type Terms } from "../region/segment.ts";
import { Fork, type Branch, type PatternTree } from "./pattern-tree.ts";
import { edgeInKey, FORWARD, keyOfStep, MARKS, type Reading } from "./reading.ts";

/** What comes of each small step of a walk: a pattern of the tree that is met, or nothing yet. */
export type Walk = Generator<Pattern | undefined, void, undefined>;

/** What a walk is for: the tree's patterns that meet `query`. */
export interface Quest extends Terms {
  readonly query: Pattern;
  /** What lies in one of these as a whole may be passed over. */
  readonly leftOut: readonly Pattern[];
  /** Leaves that were asked: walks that share it ask each once between them. */
  readonly asked?: Set<Pattern>;
}

/**
 * Walks to every pattern of a tree that shares a resource with a pattern, save what is left out,
 * each once; in an order that follows from both alone, and so does the work. Throws `EffortSpent`.
 */
export function* walkTree({ roots, reading }: PatternTree, quest: Quest): Walk {
  const { namespace } = quest.query;
  const names = namespace === ANY_NAMESPACE ? roots.keys() : [namespace, ANY_NAMESPACE];
  for (const name of names) {
    const root = roots.get(name);
    if (root === undefined) continue;
    spend(quest.effort, quest.leftOut.length);
    const closed = reading === FORWARD ? closedIn(root, name, quest.leftOut) : new Set<Branch>();
    yield* new TreeWalk(quest, reading, closed).from(root);
  }
}

/** A step of a walk costs as much as so many looks at a place of an automaton. */
const COST_OF_STEP = 4;
/** So does finding a place among the children of a fork. */
const COST_OF_LEAP = 12;

/** A branch, and how many steps of the query are behind; undefined where a step led nowhere. */
type Place = readonly [branch: Branch, at: number] | undefined;

class TreeWalk {
  readonly #quest: Quest;
  readonly #reading: Reading;
  readonly #steps: readonly Step[];
  readonly #edges: readonly string[];
  readonly #asked: Set<Pattern>;
  /** By the steps that are behind: only `**` on both sides leads to a place twice. */
  readonly #forks: Set<Fork>[] = [];
  readonly #closed: ReadonlySet<Branch>;

  constructor(quest: Quest, reading: Reading, closed: ReadonlySet<Branch>) {
    this.#quest = quest;
    this.#reading = reading;
    this.#closed = closed;
    this.#asked = quest.asked ?? new Set();
    this.#steps = quest.query.steps.map((_, index) => reading.stepAt(quest.query, index) ?? DEEP);
    this.#edges = this.#steps.map((step) => (step === DEEP ? "" : reading.edgeOf(step)));
  }

  *from(root: Branch): Walk {
    // Ways that are still open, the deepest last: what is not asked for is not looked up.
    const open: Iterator<Place, void>[] = [[[root, 0] as const].values()];
    for (let way = open.at(-1); way !== undefined; way = open.at(-1)) {
      spend(this.#quest.effort, COST_OF_STEP);
      const { done, value } = way.next();
      if (done === true) open.pop();
      else if (value === undefined || this.#closed.has(value[0])) yield undefined;
      else if (value[0] instanceof Fork) {
        if (this.#isNew(value[0], value[1])) open.push(this.#placesAfter(value[0], value[1]));
        yield undefined;
      } else yield this.#meet(value[0]);
    }
  }

  #isNew(fork: Fork, at: number): boolean {
    const seen = (this.#forks[at] ??= new Set());
    return seen.size !== seen.add(fork).size;
  }

  #meet(leaf: Pattern): Pattern | undefined {
    if (this.#asked.has(leaf)) return undefined;
    this.#asked.add(leaf);
    return meetPatterns(leaf, this.#quest.query, this.#quest) === undefined ? undefined : leaf;
  }

  *#placesAfter(fork: Fork, at: number): Generator<Place, void, undefined> {
    const step = this.#steps[at];
    if (step === DEEP) {
      for (const child of fork.children.values()) yield [child, at];
      return;
    }
    const deep = fork.children.get(MARKS.deep);
    if (deep !== undefined) yield [deep, at];
    if (step === undefined) return yield* this.#ends(fork, at);
    for (const child of this.#segmentsAlong(fork, step, this.#edges[at] ?? ""))
      yield child && [child, at + 1];
    if (fork.step === DEEP) yield [fork, at + 1];
  }

  *#ends({ children }: Fork, at: number): Generator<Place, void, undefined> {
    for (const [key, child] of children) {
      if (!key.startsWith(MARKS.end)) return;
      yield [child, at];
    }
  }

  /** The children whose segment shares a text with `step`. */
  *#segmentsAlong(
    fork: Fork,
    step: Segment,
    edge: string,
  ): Generator<Branch | undefined, void, undefined> {
    if (step.literal !== undefined) {
      const same = fork.children.get(MARKS.literal + edge);
      if (same !== undefined) yield same;
    } else
      for (const child of literalsFrom(fork, edge))
        yield this.#sharesText(child, fork, step) ? child : undefined;
    const along = { edge, isWild: step.literal === undefined };
    for (const child of wildAlong(fork, along, this.#quest.effort))
      yield this.#sharesText(child, fork, step) ? child : undefined;
  }

  #sharesText(child: Branch, { depth }: Fork, step: Segment): boolean {
    const own = child instanceof Fork ? child.step : this.#reading.stepAt(child, depth);
    if (own === undefined || own === DEEP) return true;
    return meetSegments(own, step, this.#quest) !== undefined;
  }
}

/** The children by a literal segment that begins with `edge`. */
function* literalsFrom({ children }: Fork, edge: string): Generator<Branch, void, undefined> {
  const start = MARKS.literal + edge;
  for (const [key, child] of children.entriesFrom(start)) {
    if (!key.startsWith(start)) return;
    yield child;
  }
}

/**
 * The children by a wild segment whose edge is a beginning of `edge`; of a wild one, those also
 * that `edge` is a beginning of. What lies between is leapt over: at most one leap per character.
 */
function* wildAlong(
  { children }: Fork,
  { edge, isWild }: { readonly edge: string; readonly isWild: boolean },
  effort: Effort | undefined,
): Generator<Branch, void, undefined> {
  let from: string | undefined = MARKS.wild;
  while (from !== undefined) {
    const entries: Iterable<readonly [string, Branch]> = children.entriesFrom(from);
    from = undefined;
    spend(effort, COST_OF_LEAP);
    for (const [key, child] of entries) {
      if (!key.startsWith(MARKS.wild)) return;
      const own = edgeInKey(key);
      if (edge.startsWith(own) || (isWild && own.startsWith(edge))) {
        yield child;
        continue;
      }
      const common = commonLength(own, edge);
      // Beyond what follows here no edge can be a beginning of this one, nor it of them.
      if (common === edge.length || own.charCodeAt(common) > edge.charCodeAt(common)) return;
      from = MARKS.wild + edge.slice(0, common + 1);
      break;
    }
  }
}

function commonLength(one: string, other: string): number {
  let length = 0;
  while (length < one.length && one[length] === other[length]) length += 1;
  return length;
}

/** The branches of a tree that is read forward which lie in one of the plain folders as a whole. */
function closedIn(
  root: Branch,
  namespace: string,
  folders: readonly Pattern[],
): ReadonlySet<Branch> {
  const closed = new Set<Branch>();
  for (const folder of folders) {
    if (meetNamespaces(folder.namespace, namespace) !== namespace) continue;
    const found = branchIn(root, folder);
    if (found !== undefined) closed.add(found);
  }
  return closed;
}

function branchIn(root: Branch, folder: Pattern): Branch | undefined {
  const depth = folder.steps.length - 1;
  const isPlain = folder.steps.every((step, index) =>
    index === depth ? step === DEEP : step !== DEEP && step.literal !== undefined,
  );
  if (!isPlain) return undefined;
  let branch: Branch | undefined = root;
  for (let at = 0; at < depth && branch !== undefined; at += 1) {
    const key = keyOfStep(FORWARD, folder, at);
    if (branch instanceof Fork) branch = branch.children.get(key);
    else if (keyOfStep(FORWARD, branch, at) !== key) return undefined;
  }
  return branch;
}
