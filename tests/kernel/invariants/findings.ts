// What the checks of the invariants find in one step that the rules would never have taken: an
// entry of its own making, or a state that was changed by hand.
import type { Event } from "../../../src/kernel/event.ts";
import { evolve, type Happening } from "../../../src/kernel/evolve.ts";
import { findViolations } from "../../../src/kernel/invariants/invariants.ts";
import type { State } from "../../../src/kernel/state.ts";
import { given, idOf, OPERATOR, type Play, type Step } from "../../support/scenario.ts";

/** A play of steps that are all granted. */
export function playOf(steps: readonly Step[]): Play {
  return given(...steps).play;
}

/** An event as the next entry of a play, by an operator unless said otherwise. */
export function happen(play: Play, event: Event, at: Partial<Happening> = {}): Happening {
  const { seq, at_ms } = play.state;
  return { ...event, seq: seq + 1, at_ms, actor: OPERATOR, ...at };
}

/** An entry that changes nothing. */
export const noted: Event = { kind: "worker.noted", data: { worker: idOf("a"), text: "x" } };

/** Violations of an entry that is folded as ever. */
export function ofEntry(play: Play, happening: Happening): readonly string[] {
  return findViolations(play.state, happening, evolve(play.state, happening));
}

/** Violations of a state that a harmless entry left, with something in it changed. */
export function ofState(play: Play, change: (state: State) => State): readonly string[] {
  const happening = happen(play, noted);
  return findViolations(play.state, happening, change(evolve(play.state, happening)));
}
