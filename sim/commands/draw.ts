import type { State } from "../../src/kernel/state.ts";
import type { Request, View } from "./view.ts";

/** One kind of command: how often it is made up, and when it would do something. */
export interface Kind {
  /** Relative to the others. */
  readonly weight: number;
  readonly make: (view: View) => Request;
  readonly isApt?: (state: State) => boolean;
}

/** The share of commands that are made up though they would do nothing. */
const INAPT_SHARE = 0.08;

/** Draws one of several kinds by their weights, most often one that would do something. */
export function drawKind({ random, state }: View, kinds: readonly Kind[]): Kind["make"] {
  const sum = kinds.reduce((total, { weight }) => total + weight, 0);
  for (;;) {
    const kind = kindAt(kinds, random.below(sum));
    if (kind.isApt?.(state) ?? true) return kind.make;
    if (random.chance(INAPT_SHARE)) return kind.make;
  }
}

function kindAt(kinds: readonly Kind[], draw: number): Kind {
  let left = draw;
  for (const kind of kinds) {
    if (left < kind.weight) return kind;
    left -= kind.weight;
  }
  throw new RangeError(`a draw must be below the sum of all weights, got ${draw}`);
}
