import { checkCondition, evaluateCondition } from "../../../src/kernel/condition/condition.ts";
import type {
  AdmissionContext,
  AdmissionRelative,
} from "../../../src/kernel/condition/context/admission.ts";
import { DEFAULT_CONTRACT } from "../../../src/kernel/fleet/contract.ts";

/** A parent as a condition sees it. */
export const parent: AdmissionRelative = {
  id: "w-aaaabbbbccccdddd",
  name: "planner",
  depth: 1,
  state: { phase: "split" },
  children_count: 2,
  budget: { cpu_milli: 1_000 },
};

/** The context of a child, with what a test changes. */
export function contextOf(changes: Partial<AdmissionContext> = {}): AdmissionContext {
  return {
    active_count: 5,
    total_count: 9,
    depth: 2,
    name: "api",
    reason: "subtask",
    state: {},
    budget: { cpu_milli: 500, units: { tokens: 5 } },
    parent,
    root: { ...parent, id: "w-rrrrrrrrrrrrrrrr", name: "root", depth: 0 },
    contract: DEFAULT_CONTRACT,
    ...changes,
  };
}

/** The problem of a source; "none" when it passes its check. */
export function problemOf(source: string): string {
  const check = checkCondition(source);
  return check.ok ? "none" : check.problem;
}

/** What a condition says of a child with this state: its truth, or its error. */
export function answerOf(source: string, changes: Partial<AdmissionContext>): boolean | string {
  const verdict = evaluateCondition(source, contextOf(changes));
  return "error" in verdict ? verdict.error : verdict.triggered;
}
