import type { State } from "../../kernel/state.ts";
import { describeArmed } from "../../library/feed/armed.ts";
import { armedText } from "../text/armed.ts";
import { good, skipped, type Check } from "./check.ts";

/** Looks whether a fleet proves that it can kill, and when it has done so last. */
export function checkArmed(state: State, nowMs: number): Check {
  const name = "armed check";
  const armed = describeArmed(state, nowMs);
  const detail = armedText(armed);
  const { standing } = armed;
  if (standing === "off" || state.status === "killed")
    return skipped(name, `${detail}; \`armed_every\` in the contract turns it on`);
  if (standing === "proven") return good(name, detail);
  return {
    name,
    status: "weaker",
    detail,
    costs: "that a kill ends everything is not proven",
    remedy: REMEDIES[standing],
  };
}

const REMEDIES = {
  never: "a supervisor makes it, soon after it has begun: stint supervise",
  overdue: "a supervisor makes it; see whether one runs: stint where",
  failed: "see which rung the supervisor has, and what this host lacks for a better one, above",
} as const;
