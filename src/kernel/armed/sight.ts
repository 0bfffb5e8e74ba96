import type { Grade } from "../worker/evidence.ts";

/** What an armed check has seen: a canary, and how it ended. */
export interface ArmedSight {
  /** How the canary's end is proven; null where it could not be ended, or never ran. */
  readonly grade: Grade | null;
  /** The rung of containment that it ran on, in words. */
  readonly rung: string;
  /** From its start until its end was proven, or given up, ms of the supervisor's own clock. */
  readonly took_ms: number;
  /** What went wrong, in one sentence; absent where nothing did. */
  readonly problem?: string;
}

/** What came of an armed check. */
export interface ArmedCheck extends ArmedSight {
  /** Whether a canary was ended, with evidence that is proof, and nothing went wrong. */
  readonly ok: boolean;
}

/** The newest armed check, and when it was journaled. */
export interface LastArmedCheck extends ArmedCheck {
  readonly at_ms: number;
}

/** The body of each command about armed checks by its kind. */
export interface ArmedCommandMap {
  /** A supervisor has ended a canary, or could not. What follows from it the rules say. */
  readonly "armed.check": ArmedSight;
}

/** The body of each event about armed checks by its kind. */
export interface ArmedEventMap {
  /** A canary was ended, or could not be; a pause that follows stands in the entry after it. */
  readonly "armed.checked": ArmedCheck;
}
