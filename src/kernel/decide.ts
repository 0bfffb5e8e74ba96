// What is imported for what it does: it brings the judge of conditions.
import "./condition/condition.ts";
import type { Submission } from "./command.ts";
import { ruleOn, type Decision } from "./rules/ruling.ts";
import type { State } from "./state.ts";

/**
 * Decides a command on a state at a journal time. Pure: equal arguments give equal answers (I7).
 *
 * The events begin with what has lapsed by `atMs`; a refusal is an event too, and the last one.
 */
export function decide(state: State, submission: Submission, atMs: number): Decision {
  return ruleOn(state, submission, atMs);
}
