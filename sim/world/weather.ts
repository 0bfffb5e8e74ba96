import type { SeededRandom } from "../../src/testing/seeded-random.ts";

/** What happens to one call of the journal. */
export type Mishap =
  /** Another holds the store: nothing is done, the same call may succeed later. */
  | "busy"
  /** The disk is full: nothing is written. */
  | "full"
  /** The append was done, but nobody can tell the caller so. */
  | "unknown"
  /** The append was not done, and nobody can tell the caller so. */
  | "lost"
  /** The process stands still between its decision and the commit, so that both grow old. */
  | "stalled"
  | "none";

/** A call of the journal, as far as mishaps tell calls apart. */
export type Call = "look" | "append";

/** How often things go wrong in a world: shares of all calls, 0 to 1. */
export class Weather {
  readonly #random: SeededRandom;
  readonly #share: number;
  #isCalm = false;

  /** `share` of the calls meet a mishap. */
  constructor(random: SeededRandom, share: number) {
    this.#random = random;
    this.#share = share;
  }

  /** From now on nothing goes wrong. */
  calm(): void {
    this.#isCalm = true;
  }

  /** From now on things go wrong again. */
  rage(): void {
    this.#isCalm = false;
  }

  /** Draws what happens to a call. */
  draw(call: Call): Mishap {
    if (this.#isCalm || !this.#random.chance(this.#share)) return "none";
    if (call === "look") return "busy";
    return this.#random.pick(["busy", "full", "unknown", "unknown", "lost", "lost", "stalled"]);
  }

  /** How often in a row a stalled process decides too late: up to more than is retried. */
  drawStallCount(): number {
    return 1 + this.#random.below(6);
  }
}
