/*
 * Who says what conditions mean. There is one judge, `condition/condition.ts`, and whoever imports
 * it brings it; the rules ask for it here, so that a program which decides where a contract has no
 * conditions need not load a parser of CEL, the largest part of all that deciding needs. Which
 * program has brought it never changes an answer: without it there is none.
 */
import type { AdmissionContext } from "../condition/context/admission.ts";
import type { LeaseContext } from "../condition/context/lease.ts";
import type { Measures } from "../condition/context/measure.ts";
import type { KillCondition } from "../fleet/contract.ts";

/** What a check says of a source; a problem is one sentence with expectation and actual value. */
export type ConditionCheck =
  { readonly ok: true } | { readonly ok: false; readonly problem: string };

/** What a condition says of what is asked for; an error denies, and says why in one sentence. */
export type Verdict = { readonly triggered: boolean } | { readonly error: string };

/** What the rules ask about conditions. */
export interface Judge {
  readonly checkCondition: (source: string) => ConditionCheck;
  readonly evaluateCondition: (source: string, context: AdmissionContext) => Verdict;
  readonly checkLeaseCondition: (source: string) => ConditionCheck;
  readonly evaluateLeaseCondition: (source: string, context: LeaseContext) => Verdict;
  readonly checkKillCondition: (condition: KillCondition) => ConditionCheck;
  readonly evaluateKillCondition: (source: string, measures: Measures) => Verdict;
  readonly isAboutWorkers: (source: string) => boolean;
}

/** The rules had a condition to ask about, and nobody has brought the judge. */
export class JudgeMissing extends Error {
  override readonly name = "JudgeMissing";

  constructor() {
    super("the judge of conditions must have been brought before one is asked about");
  }
}

let brought: Judge | undefined;

/** Brings the judge, for all that is decided in this process. */
export function bringJudge(judge: Judge): void {
  brought = judge;
}

/** The judge of conditions. Throws {@link JudgeMissing}; nothing is decided then. */
export function theJudge(): Judge {
  if (brought === undefined) throw new JudgeMissing();
  return brought;
}
