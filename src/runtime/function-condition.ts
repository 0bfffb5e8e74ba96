import type { Context, Script } from "node:vm";
import type { Verdict, Verdicts } from "../kernel/command.ts";
import type { AdmissionContext } from "../kernel/condition/context/admission.ts";
import { LIMITS } from "../kernel/limits.ts";
import { canonicalCopy, deepFreeze } from "./canonical.ts";

/**
 * How often a function is asked that is interrupted before it has had time to run. Each time it
 * may take twice as long.
 */
const attemptsMax = 4;

/** How much is kept of what a function throws, characters. */
const describedCharsMax = 200;

/** A stop condition as a function of this process: true blocks. It must answer at once. */
export type FunctionCondition = (context: never) => unknown;

/** The function conditions that this process brings along, by the name they are enacted under. */
export interface FunctionConditions {
  readonly functions: Readonly<Record<string, FunctionCondition>>;
  /** Turns the context into the form that the functions are written for. */
  readonly toContext: (context: AdmissionContext) => unknown;
}

/**
 * Asks every function that the contract names, on a frozen copy of the context. A function that
 * this process does not have gives no verdict: the kernel then says what is missing.
 */
export function takeVerdicts(
  { functions, toContext }: FunctionConditions,
  context: AdmissionContext,
): Verdicts {
  const frozen = deepFreeze(toContext(canonicalCopy(context)));
  const verdicts: Record<string, Verdict> = {};
  for (const { name, when } of context.contract.stop) {
    const ask = Object.hasOwn(functions, name) ? functions[name] : undefined;
    if (when !== undefined || ask === undefined) continue;
    // What it takes is what `toContext` gives: both come from the same caller.
    verdicts[name] = judge(() => (ask as (context: unknown) => unknown)(frozen));
  }
  return verdicts;
}

/** What a function says; whatever is neither true nor false becomes a text, and so denies. */
function judge(ask: () => unknown): Verdict {
  const limitMs = LIMITS.functionConditionMs;
  for (let attempt = 0; attempt < attemptsMax; attempt += 1) {
    const startedMs = processorMs();
    try {
      return callWithin(limitMs * 2 ** attempt, () => verdictOf(ask));
    } catch {
      // Only an interruption gets out of `verdictOf`. The watchdog goes by the clock on the wall:
      // where the machine was busy elsewhere, a function that had no time to run gets more of it.
      if (processorMs() - startedMs > limitMs / 2) break;
    }
  }
  return `a condition must answer within ${limitMs} ms, it was interrupted`;
}

/** Processor time that this process has used, ms. */
function processorMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

/** Runs under the watchdog whole: even looking at what a function throws may run its code. */
function verdictOf(ask: () => unknown): Verdict {
  try {
    const said = ask();
    if (typeof said === "boolean") return said;
    const { isPromise } = process.getBuiltinModule("node:util").types;
    if (isPromise(said)) said.catch(() => undefined);
    const got = isPromise(said) ? "a promise" : said === null ? "null" : typeof said;
    return `a condition must answer true or false at once, got ${got}`;
  } catch (error) {
    // Whatever a stranger's function throws is its verdict: an error denies.
    return `a condition must answer, it threw: ${describe(error)}`;
  }
}

function describe(error: unknown): string {
  try {
    const text = error instanceof Error ? error.message : String(error);
    return text.slice(0, describedCharsMax).toWellFormed();
  } catch {
    // Even its description throws.
    return "something without a description";
  }
}

const nothing = (): Verdict => false;
const cell = { call: nothing };
/** What calls functions so that they can be interrupted; made when the first one is asked. */
let caller: { readonly script: Script; readonly realm: Context } | undefined;

function makeCaller(): NonNullable<typeof caller> {
  // Not imported: few programs bring functions, and all load this.
  const { createContext, Script } = process.getBuiltinModule("node:vm");
  const script = new Script("cell.call()", { filename: "stint:function-condition" });
  return { script, realm: createContext({ cell }) };
}

/**
 * Calls a function and interrupts it after `limitMs`, whatever it is at: the watchdog of a script
 * ends all JavaScript that the script has called, functions of this realm included. A call into
 * native code, say a child process that is waited for, is interrupted only when it returns.
 */
function callWithin(limitMs: number, call: () => Verdict): Verdict {
  caller ??= makeCaller();
  cell.call = call;
  try {
    // The script answers what the call does.
    return caller.script.runInContext(caller.realm, { timeout: limitMs }) as Verdict;
  } finally {
    cell.call = nothing;
  }
}
