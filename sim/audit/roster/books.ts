import type { State } from "../../../src/kernel/state.ts";

/** Roster, roll and tokens as the ledger has them. */
export interface ServiceBooks {
  /** Where the state is not what these books say; expired tokens may stay in it, or not. */
  differences(state: State): readonly string[];
}
