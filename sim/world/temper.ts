import type { SeededRandom } from "../../src/testing/seeded-random.ts";

/** In what worlds differ from the first step on. */
export interface Temper {
  /** The share of calls of the journal that meet a mishap. */
  readonly mishapShare: number;
  /** The share of steps at which something else happens than a command. */
  readonly disturbanceShare: number;
  /** After how many entries a head is signed, and a snapshot taken. */
  readonly signEveryEntries: number;
  /** The share of commands that are about leases and lanes. */
  readonly leaseShare: number;
  /** Whether somebody takes more leases than anybody may. */
  readonly hoards: boolean;
  /** Whether somebody waits in more places than anybody may. */
  readonly crowds: boolean;
}

/** Draws the temper of a world: many are calm, in most snapshots take part in restarts. */
export function drawTemper(random: SeededRandom): Temper {
  return {
    mishapShare: random.pick([0, 0, 0.01, 0.03, 0.1]),
    disturbanceShare: random.pick([0.05, 0.1, 0.25, 0.4]),
    signEveryEntries: random.pick([5, 12, 40, 4_096]),
    leaseShare: random.pick([0, 0.2, 0.5, 0.8]),
    hoards: random.chance(0.02),
    crowds: random.chance(0.02),
  };
}
