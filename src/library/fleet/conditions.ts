import type { AdmissionContext } from "../../kernel/condition/context/admission.ts";
import { describeValue, InputError } from "../../protocol/input.ts";
import type { FunctionConditions } from "../../runtime/function-condition.ts";
import { toEdge, type Camel } from "../names.ts";

/** What a function condition is asked about: a frozen copy, the candidate not yet counted. */
export type ConditionContext = Camel<AdmissionContext>;

/**
 * A stop condition as a function: true blocks the admission. It must answer at once; what it
 * throws, anything but a boolean, and taking longer than `LIMITS.functionConditionMs` block too.
 */
export type ConditionFunction = (context: ConditionContext) => boolean;

/** Function conditions by the names that they were, or are to be, enacted under. */
export type ConditionFunctions = Readonly<Record<string, ConditionFunction>>;

/** Parses the functions that a process brings along for a contract that is already in force. */
export function parseConditions(given: unknown): ConditionFunctions {
  if (given === undefined) return {};
  const functions = typeof given === "object" && given !== null ? Object.entries(given) : undefined;
  if (functions?.every(([, value]) => typeof value === "function") === true)
    return Object.fromEntries(functions);
  const expected = "an object of functions by the name of their condition";
  throw new InputError("usage", [{ path: "conditions", expected, got: describeValue(given) }]);
}

/** The functions as the loop asks them: on contexts as the library shows everything else. */
export function forLoop(functions: ConditionFunctions): FunctionConditions {
  return { functions, toContext: toEdge };
}
