import type { State } from "../../src/kernel/state.ts";
import { GRADES } from "../../src/kernel/worker/evidence.ts";
import { SUPERVISOR, type Request, type View } from "./view.ts";

/** Whether an armed check is due now and then. */
export function isArmed({ contract }: State): boolean {
  return contract.armed_every_ms > 0;
}

/** Makes up what became of a canary. */
export function makeArmedCheck({ random }: View): Request {
  const grade = random.chance(0.1) ? null : random.pick(GRADES);
  const problem = random.chance(0.2) ? { problem: "something of it is alive" } : {};
  const data = { grade, rung: "a simulated host", took_ms: random.below(1_000), ...problem };
  return { command: { kind: "armed.check", data }, actor: SUPERVISOR };
}
