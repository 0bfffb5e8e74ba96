import type { Measures } from "../condition/context/measure.ts";
import type { KillAction } from "../fleet/contract.ts";

/** The body of each event about kill conditions by its kind. */
export interface ConditionEventMap {
  /** A kill condition held for its time; what its action does stands in the entries after it. */
  readonly "condition.tripped": {
    readonly condition: string;
    readonly worker?: string;
    readonly when: string;
    readonly for_ms: number;
    readonly action: KillAction;
    readonly measures: Measures;
    readonly held_ms: number;
  };
  /** A kill condition could not be decided, and so stops nobody. */
  readonly "condition.failed": {
    readonly condition: string;
    readonly worker?: string;
    readonly problem: string;
  };
}
