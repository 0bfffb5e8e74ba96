import type { RungName } from "../stage/supervisor.ts";

/** What was seen comes to: whether it is as it has to be, and the figures that show it. */
export interface Verdict {
  readonly isSeen: boolean;
  /** Clauses; those that are empty are not told. */
  readonly details: readonly string[];
}

/** What only some rungs of containment can show. */
export interface OnRung {
  readonly rung: RungName;
}
