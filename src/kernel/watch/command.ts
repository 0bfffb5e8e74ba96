import type { Measures } from "../condition/context/measure.ts";

/** The body of each command about kill conditions by its kind. */
export interface ConditionCommandMap {
  /** A supervisor saw a kill condition hold for its time. The rules ask it again about this. */
  readonly "condition.trip": {
    readonly condition: string;
    /** The worker that it was asked about; absent where it was asked about the fleet. */
    readonly worker?: string;
    /** What was measured when its time was over. */
    readonly measures: Measures;
    /** How long it was seen to hold without a break, ms of the supervisor's own clock. */
    readonly held_ms: number;
  };
  /** A supervisor could not tell whether a kill condition holds. */
  readonly "condition.fail": {
    readonly condition: string;
    readonly worker?: string;
    /** Why not, in one sentence. */
    readonly problem: string;
  };
}
