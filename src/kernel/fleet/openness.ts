import { refuse, type Refusal } from "../refusal.ts";
import type { State } from "../state.ts";

/** Refuses what a killed fleet takes no more. */
export function checkAlive({ status, fleet }: State): Refusal | null {
  if (status !== "killed") return null;
  return refuse("fleet_killed", "the fleet must be alive, it was killed for good", { fleet });
}

/** Refuses anything new in a fleet that is killed or paused. */
export function checkOpen(state: State): Refusal | null {
  const killed = checkAlive(state);
  if (killed !== null || state.status !== "paused") return killed;
  const { fleet } = state;
  return refuse("fleet_paused", "the fleet must be open, it is paused", { fleet });
}
