import type { CommandMap } from "../command.ts";
import { grant, type Ruling } from "../decision.ts";
import { decidePause } from "../fleet/fleet.ts";
import { checkAlive } from "../fleet/openness.ts";
import type { State } from "../state.ts";
import { isProof } from "../worker/evidence.ts";
import type { ArmedCheck, ArmedSight } from "./sight.ts";

/**
 * Decides `armed.check`: what was seen is judged here, and where the fleet is to pause if it cannot
 * be stopped with proof, it pauses in the same decision. Who has turned the checks off meanwhile
 * has the last one on record, and nothing follows from it.
 */
export function decideArmedCheck(state: State, sight: CommandMap["armed.check"]): Ruling {
  const killed = checkAlive(state);
  if (killed !== null) return { ok: false, refusal: killed };
  const check = judge(sight);
  const checked = { kind: "armed.checked", data: check } as const;
  const { armed_every_ms, armed_action } = state.contract;
  if (check.ok || armed_every_ms === 0 || armed_action === "show") return grant(checked);
  const reason = `the armed check has failed: ${check.problem}`;
  const pause = decidePause(state, { reason });
  return pause.ok ? grant(checked, ...pause.events) : pause;
}

/** Whoever is only swept may have left something behind: that is no proof of a stop. */
function judge(sight: ArmedSight): ArmedCheck {
  if (sight.problem !== undefined) return { ...sight, ok: false };
  if (sight.grade !== null && isProof(sight.grade)) return { ...sight, ok: true };
  const got = sight.grade === null ? "none" : `"${sight.grade}"`;
  const problem = `the canary's end must be proven, its evidence is ${got}`;
  return { ...sight, ok: false, problem };
}

/** How a fleet stands with its armed checks. */
export type ArmedStanding = "off" | "never" | "proven" | "failed" | "overdue";

/** For how many periods a check may be missing before it is overdue. */
const OVERDUE_FACTOR = 2;

/**
 * How a fleet stands with its armed checks at some time, ms since 1970: for display, nothing is
 * decided by it. `overdue`: the newest is older than two periods, whatever it has said.
 */
export function armedStanding(
  { contract, armed }: Pick<State, "contract" | "armed">,
  nowMs: number,
): ArmedStanding {
  const { armed_every_ms: everyMs } = contract;
  if (everyMs === 0) return "off";
  if (armed === null) return "never";
  if (nowMs - armed.at_ms > OVERDUE_FACTOR * everyMs) return "overdue";
  return armed.ok ? "proven" : "failed";
}
