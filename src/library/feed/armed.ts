import { armedStanding, type ArmedStanding } from "../../kernel/armed/check.ts";
import type { LastArmedCheck } from "../../kernel/armed/sight.ts";
import type { Contract } from "../../kernel/fleet/contract.ts";
import type { State } from "../../kernel/state.ts";

/** How a fleet stands with its armed checks at one moment, in wire form. */
export interface ArmedDocument {
  readonly standing: ArmedStanding;
  /** How often one is due, ms; 0: never. */
  readonly every_ms: number;
  /** What follows from one that has failed. */
  readonly action: Contract["armed_action"];
  /** How old the newest is, ms; null where there was none. */
  readonly age_ms: number | null;
  readonly last: LastArmedCheck | null;
}

/** Says how a fleet stands with its armed checks at a wall time, ms since 1970: for display. */
export function describeArmed(
  state: Pick<State, "contract" | "armed">,
  nowMs: number,
): ArmedDocument {
  const { contract, armed } = state;
  return {
    standing: armedStanding(state, nowMs),
    every_ms: contract.armed_every_ms,
    action: contract.armed_action,
    age_ms: armed === null ? null : Math.max(0, nowMs - armed.at_ms),
    last: armed,
  };
}
