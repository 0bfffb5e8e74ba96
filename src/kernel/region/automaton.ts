/*
 * Patterns as automata over characters, run on all of their ways at once. A path is read with a
 * slash after every segment, so that `**` is a loop of whole segments: `a/**` reads `a/` and then
 * any number of `x…x/`.
 */
import type { CharSet } from "./char-set.ts";
import { hasChar } from "./char-set.ts";
import { DEEP, RUN, type Pattern } from "./pattern.ts";

/** Steps from one place: the places after a character of a set. */
interface Edge {
  /** Undefined: the slash that ends a segment. */
  readonly set: CharSet | undefined;
  readonly to: number;
}

/** The places where a pattern may stand after some text, as one state: 0 is nowhere. */
export type StateId = number;

/** No text can be matched from here on. */
export const NOWHERE: StateId = 0;

/** A look at a place that is not remembered costs as much as so many that are. */
const COST_OF_PLACE = 4;

/** Runs one pattern over texts; its states are made as they are needed, and only once. */
export class Automaton {
  readonly #edges: Edge[][] = [];
  /** Places that are reached from a place by no character. */
  readonly #free: number[][] = [];
  readonly #end: number;
  /** Places from which every text goes on to the end: a `**` that nothing follows. */
  readonly #open = new Set<number>();
  readonly #states: (readonly number[])[] = [];
  readonly #ids = new Map<string, StateId>();
  readonly #next: StateId[][] = [];
  readonly #classes: readonly CharSet[];
  readonly #effort: { workLeft: number };
  /** The state before any text. */
  readonly start: StateId;

  /**
   * `classes`: the alphabet in parts that every set of the pattern is a union of; the class that
   * follows the last is the slash.
   */
  constructor(
    pattern: Pattern,
    so: {
      readonly classes: readonly CharSet[];
      readonly alphabet: CharSet;
      /** What every look at a place is counted against. */
      readonly effort: { workLeft: number };
    },
  ) {
    this.#classes = so.classes;
    this.#effort = so.effort;
    this.#end = this.#build(pattern, so.alphabet);
    this.#effort.workLeft -= this.#edges.length * COST_OF_PLACE;
    this.#intern([]);
    this.start = this.#intern(this.#closure([0]));
  }

  /** The state after one more character, by its class. */
  step(state: StateId, classIndex: number): StateId {
    const known = this.#next[state]?.[classIndex];
    if (known !== undefined) return known;
    const set = this.#classes[classIndex];
    const reached: number[] = [];
    const places = this.#states[state] ?? [];
    this.#effort.workLeft -= places.length * COST_OF_PLACE;
    for (const place of places)
      for (const edge of this.#edges[place] ?? []) if (covers(edge, set)) reached.push(edge.to);
    const made = this.#intern(this.#closure(reached));
    (this.#next[state] ??= [])[classIndex] = made;
    return made;
  }

  /** Whether the text so far, which ends with a slash, is matched. */
  isMatched(state: StateId): boolean {
    return this.#states[state]?.includes(this.#end) === true;
  }

  /** Whether every way to go on is matched in the end. */
  isBound(state: StateId): boolean {
    return this.#states[state]?.some((place) => this.#open.has(place)) === true;
  }

  #build({ steps }: Pattern, alphabet: CharSet): number {
    let at = this.#place();
    for (const [index, step] of steps.entries()) {
      if (step === DEEP) {
        const within = this.#place();
        const after = this.#place();
        this.#edges[at]?.push({ set: alphabet, to: within });
        this.#edges[within]?.push({ set: alphabet, to: within }, { set: undefined, to: at });
        this.#free[at]?.push(after);
        if (index === steps.length - 1) this.#open.add(at).add(within);
        at = after;
        continue;
      }
      for (const item of step.items) {
        const after = this.#place();
        if (item === RUN) {
          this.#edges[at]?.push({ set: alphabet, to: at });
          this.#free[at]?.push(after);
        } else this.#edges[at]?.push({ set: item, to: after });
        at = after;
      }
      const after = this.#place();
      this.#edges[at]?.push({ set: undefined, to: after });
      at = after;
    }
    return at;
  }

  #place(): number {
    this.#edges.push([]);
    return this.#free.push([]) - 1;
  }

  #closure(places: readonly number[]): readonly number[] {
    const all = new Set(places);
    // A set grows while it is iterated: what is reached freely is followed in its turn.
    for (const place of all) for (const free of this.#free[place] ?? []) all.add(free);
    return [...all].toSorted((a, b) => a - b);
  }

  #intern(places: readonly number[]): StateId {
    const key = places.join(",");
    const known = this.#ids.get(key);
    if (known !== undefined) return known;
    const id = this.#states.push(places) - 1;
    this.#ids.set(key, id);
    return id;
  }
}

/** A class lies in a set whole or not at all; of a slash there is no class. */
function covers({ set }: Edge, one: CharSet | undefined): boolean {
  if (set === undefined || one === undefined) return set === one;
  return hasChar(set, one[0] as number);
}
