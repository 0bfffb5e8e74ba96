import { LIMITS } from "../limits.ts";

/** A service that is expected to live, and how it is started and stopped. */
export interface Expected {
  /** Letters, digits, `_` and `-`, 1 to 64: it is a token of the bus's subjects. */
  readonly name: string;
  /** How often each of its instances is to beat, ms. */
  readonly every_ms: number;
  /** How many instances must be ok for the name to be ok; at least 1. */
  readonly instances: number;
  /** The command line that starts it; absent where a unit does, or nothing here. */
  readonly start?: readonly [string, ...string[]];
  /** The command line that stops it. */
  readonly stop?: readonly [string, ...string[]];
  /** The systemd unit that it is, in place of `start` and `stop`. */
  readonly unit?: string;
}

/** Who is expected to live, as a whole: a newer one replaces it. */
export interface Roster {
  readonly expected: readonly Expected[];
}

/** The roster of a fleet that has enacted none. */
export const EMPTY_ROSTER: Roster = { expected: [] };

/** The name under which the supervisor itself stands in the roll; no service may have it. */
export const SUPERVISOR_NAME = "stint";

/** What a roster says of a name; undefined where it does not expect it. */
export function expectedOf({ expected }: Roster, name: string): Expected | undefined {
  return expected.find((one) => one.name === name);
}

/**
 * How often an instance of a name is to beat, ms: the roster's word before the instance's own, so
 * that nobody lives longer by declaring that it beats seldom.
 */
export function everyOf(roster: Roster, name: string, declaredMs?: number): number {
  return expectedOf(roster, name)?.every_ms ?? declaredMs ?? LIMITS.rollEveryMsDefault;
}
