import { ok } from "../assert.ts";
import { Automaton, NOWHERE, type StateId } from "./automaton.ts";
import { classesOf, intersectSets, readableIn, type CharSet } from "./char-set.ts";
import type { Effort } from "./effort.ts";
import type { Folding } from "./folding.ts";
import { DEEP, RUN, type Pattern } from "./pattern.ts";
import { afterDot, DOT, NAMING } from "./segment.ts";

/** What a search is for: a path that all of `all` match and none of `none`. */
export interface Search {
  readonly all: readonly Pattern[];
  readonly none: readonly Pattern[];
}

/** A path without its namespace; none; or that the question is too large to be decided. */
export type Found =
  | { readonly kind: "found"; readonly path: string }
  | { readonly kind: "none" }
  | { readonly kind: "too_large" };

/** Where all automata stand after some text, and how that was reached. */
interface Place {
  readonly states: readonly StateId[];
  readonly name: number;
  readonly isSome: boolean;
  readonly from: Place | undefined;
  readonly char: string;
}

/**
 * Finds a shortest path that every pattern of `all` matches and none of `none` does, whatever the
 * namespaces. Exact, by running all patterns at once over every text that may matter; too large
 * when the effort is used up. Throws `EffortSpent` where that is so before it has begun.
 */
export function searchPath(search: Search, folding: Folding, effort: Effort): Found {
  if (effort.workLeft <= 0) return { kind: "too_large" };
  return new Run(search, folding, effort).find();
}

class Run {
  readonly #all: readonly Automaton[];
  readonly #none: readonly Automaton[];
  readonly #classes: readonly CharSet[];
  readonly #signs: readonly string[];
  readonly #dot: number;
  readonly #effort: Effort;
  readonly #seen = new Set<string>();
  readonly #open: Place[] = [];

  constructor({ all, none }: Search, { alphabet }: Folding, effort: Effort) {
    this.#effort = effort;
    const sets = new Set([alphabet, DOT, ...[...all, ...none].flatMap(setsOf)]);
    this.#classes = classesOf(sets, effort).filter(
      (one) => intersectSets(one, alphabet).length > 0,
    );
    this.#dot = this.#classes.findIndex((one) => one[0] === DOT[0]);
    ok(this.#dot >= 0, "the dot is a class of its own");
    this.#signs = this.#classes.map((one) => String.fromCodePoint(readableIn(one) ?? 0));
    const automatonOf = (pattern: Pattern): Automaton =>
      new Automaton(pattern, { classes: this.#classes, alphabet, effort });
    this.#all = all.map(automatonOf);
    this.#none = none.map(automatonOf);
  }

  find(): Found {
    const effort = this.#effort;
    const starts = [...this.#all, ...this.#none].map(({ start }) => start);
    this.#visit({ states: starts, name: NAMING.begun, isSome: false, from: undefined, char: "" });
    // An array grows while it is iterated: each new place is visited in its turn.
    for (const place of this.#open) {
      if (this.#isGoal(place)) return { kind: "found", path: textTo(place) };
      if (effort.workLeft <= 0) return { kind: "too_large" };
      effort.workLeft -= starts.length * this.#signs.length;
      this.#goOn(place);
    }
    return { kind: "none" };
  }

  #goOn(place: Place): void {
    for (const [index, char] of this.#signs.entries()) {
      const name = index === this.#dot ? afterDot(place.name) : NAMING.name;
      this.#visit({ ...this.#after(place, index), name, isSome: place.isSome, char });
    }
    if (place.name !== NAMING.name) return;
    const after = this.#after(place, this.#classes.length);
    this.#visit({ ...after, name: NAMING.begun, isSome: true, char: "/" });
  }

  #after(from: Place, classIndex: number): Pick<Place, "states" | "from"> {
    const automata = [...this.#all, ...this.#none];
    const states = automata.map((one, index) =>
      one.step(from.states[index] ?? NOWHERE, classIndex),
    );
    return { states, from };
  }

  #visit(place: Place): void {
    if (this.#isLost(place)) return;
    const key = `${place.states.join(",")};${place.name}${place.isSome ? "+" : ""}`;
    if (this.#seen.has(key)) return;
    this.#seen.add(key);
    this.#open.push(place);
  }

  /** Whether no way to go on can reach the goal. */
  #isLost({ states }: Place): boolean {
    const bound = this.#all.length;
    return (
      this.#all.some((_, index) => states[index] === NOWHERE) ||
      this.#none.some((one, index) => one.isBound(states[bound + index] ?? NOWHERE))
    );
  }

  #isGoal({ states, name, isSome }: Place): boolean {
    const bound = this.#all.length;
    return (
      isSome &&
      name === NAMING.begun &&
      this.#all.every((one, index) => one.isMatched(states[index] ?? NOWHERE)) &&
      this.#none.every((one, index) => !one.isMatched(states[bound + index] ?? NOWHERE))
    );
  }
}

function setsOf({ steps }: Pattern): readonly CharSet[] {
  return steps.flatMap((step) => (step === DEEP ? [] : step.items.filter((item) => item !== RUN)));
}

function textTo(place: Place): string {
  let text = "";
  for (let at: Place | undefined = place; at !== undefined; at = at.from) text = at.char + text;
  return text.slice(0, -1);
}
