import { LIMITS } from "../limits.ts";

/**
 * How much work a question about regions, or a whole decision, may still cost: what it consists of
 * shares it. What is counted is what takes the time, about 70 ns each on a small machine, so that
 * the limit is one on time on any machine; but counted, so that the answer is the same on all.
 */
export interface Effort {
  workLeft: number;
}

/** The effort that one question is worth, unless it is worth more. */
export function newEffort(workMax: number = LIMITS.regionSearchWorkMax): Effort {
  return { workLeft: workMax };
}

/** Looking up a lease that may matter costs as much as so many looks at patterns. */
export const COST_OF_LEASE = 10;

/** That an effort is used up; what answers a question catches it, as one that is too large. */
export class EffortSpent extends Error {
  override readonly name = "EffortSpent";
}

/** Takes work off an effort, where there is one; throws `EffortSpent` when nothing is left. */
export function spend(effort: Effort | undefined, work: number): void {
  if (effort === undefined) return;
  effort.workLeft -= work;
  if (effort.workLeft <= 0) throw new EffortSpent();
}
