import { decide } from "../src/kernel/decide.ts";
import type { State } from "../src/kernel/state.ts";

/** Faults that are put in on purpose, to see that the simulator finds them. */
export const DELIBERATE_FAULTS = [
  "admit-reserves-nothing",
  "append-ignores-head",
  "restart-forgets-kill",
] as const;

/** A fault that is put in on purpose. */
export type DeliberateFault = (typeof DELIBERATE_FAULTS)[number];

/**
 * The rules by which a process decides that has this fault; the true ones if it is not in the
 * rules. `isRestart` says whether the process was started after the kill.
 */
export function rulesOf(fault: DeliberateFault | null, isRestart: boolean): typeof decide {
  if (fault === "admit-reserves-nothing")
    return (state, submission, atMs) => decide(withoutReservations(state), submission, atMs);
  if (fault === "restart-forgets-kill" && isRestart)
    return (state, submission, atMs) => decide(revived(state), submission, atMs);
  return decide;
}

/** Only those who have registered count. */
function withoutReservations(state: State): State {
  const admitted = [...state.workers.values()].filter(({ status }) => status === "admitted");
  return {
    ...state,
    live_count: state.live_count - admitted.length,
    total_count: state.total_count - admitted.length,
  };
}

function revived(state: State): State {
  return state.status === "killed" ? { ...state, status: "open" } : state;
}
