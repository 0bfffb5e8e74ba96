/*
 * Conditions: CEL over what is known when an admission, a lease or a stop is decided, enacted and
 * journaled as data. The same source and the same context give the same answer on every machine,
 * in any time zone, whenever asked, in a bounded number of steps. A source is parsed and
 * type-checked by the CEL library (parse), cut down to an allow list (translate) and evaluated by
 * ourselves (evaluate), because the library's evaluator can be bounded neither in steps nor in what
 * it reaches.
 */
import { ADMISSION_VOCABULARY, type AdmissionContext } from "./context/admission.ts";
import { evaluate } from "./evaluate.ts";
import { namesContext } from "./expression.ts";
import type { KillCondition } from "../fleet/contract.ts";
import { bringJudge, type ConditionCheck, type Verdict } from "../rules/judge.ts";
import { LEASE_VOCABULARY, type LeaseContext } from "./context/lease.ts";
import { MEASURE_VOCABULARY, type Measures } from "./context/measure.ts";
import { ConditionParser, type Parsed } from "./parse.ts";
import { Failure, typeName } from "./value.ts";
import type { Vocabulary } from "./vocabulary.ts";
import { LIMITS } from "../limits.ts";

/**
 * Checks a stop condition when it is enacted: syntax, names, types (CD1) and limits (CD3).
 * Admitted are literals, the names of the context, fields, indexes, lists, operators, `has`,
 * `size`, `int`, `double`, `string`, `dyn`, `contains`, `startsWith`, `endsWith` and one level of
 * `all`, `exists`, `exists_one`, `map` and `filter`.
 */
export function checkCondition(source: string): ConditionCheck {
  return stopConditions.check(source);
}

/**
 * Evaluates a stop condition for a candidate that does not yet count in the context.
 * Never throws: a source that does not pass its check, a missing field, a wrong type and a spent
 * limit are all an `error` (CD2). The context is not changed and not kept.
 */
export function evaluateCondition(source: string, context: AdmissionContext): Verdict {
  return stopConditions.evaluate(source, context);
}

/** Checks a condition on leases when it is enacted, as {@link checkCondition} does. */
export function checkLeaseCondition(source: string): ConditionCheck {
  return leaseConditions.check(source);
}

/**
 * Evaluates a condition on leases for a lease that does not yet count in the context, as
 * {@link evaluateCondition} does; an `error` denies.
 */
export function evaluateLeaseCondition(source: string, context: LeaseContext): Verdict {
  return leaseConditions.evaluate(source, context);
}

/**
 * Checks a kill condition when it is enacted: as {@link checkCondition} does, and that one which
 * acts on a worker names it.
 */
export function checkKillCondition({ when, action }: KillCondition): ConditionCheck {
  const checked = killConditions.check(when);
  const isOfWorker = action === "quarantine" || action === "stop";
  if (!checked.ok || !isOfWorker || isAboutWorkers(when)) return checked;
  const problem = `condition must name worker for the action "${action}", got none in it`;
  return { ok: false, problem };
}

/**
 * Evaluates a kill condition on what was measured, as {@link evaluateCondition} does. An `error`
 * stops nobody here: a broken gauge must not kill a fleet.
 */
export function evaluateKillCondition(source: string, measures: Measures): Verdict {
  return killConditions.evaluate(source, measures);
}

/** Whether a kill condition names `worker`, and so is asked about each; false of a broken one. */
export function isAboutWorkers(source: string): boolean {
  return killConditions.names(source, "worker");
}

/** How many parsed sources are remembered: several fleets' worth of conditions. */
const parsedMax = 256;

/** Conditions over one vocabulary. */
class Conditions {
  readonly #parser: ConditionParser;
  /** Parsed sources, oldest first: the memory of pure functions, which may be lost at any time. */
  readonly #parsedBySource = new Map<string, Parsed>();

  constructor(vocabulary: Vocabulary) {
    this.#parser = new ConditionParser(vocabulary);
  }

  check(source: string): ConditionCheck {
    const parsed = this.#parseOnce(source);
    return parsed.ok ? { ok: true } : parsed;
  }

  evaluate(source: string, context: object): Verdict {
    const parsed = this.#parseOnce(source);
    if (!parsed.ok) return { error: parsed.problem };
    const value = evaluate(parsed.expression, context);
    if (value instanceof Failure) return { error: value.message };
    if (typeof value === "boolean") return { triggered: value };
    return { error: `condition must be bool, got ${typeName(value)}` };
  }

  /** Whether a source that passes its check names something of the context. */
  names(source: string, name: string): boolean {
    const parsed = this.#parseOnce(source);
    return parsed.ok && namesContext(parsed.expression, name);
  }

  #parseOnce(source: string): Parsed {
    const known = this.#parsedBySource.get(source);
    if (known !== undefined) return known;
    const parsed = this.#parser.parse(source);
    if (source.length > LIMITS.conditionSourceBytesMax) return parsed;
    const [oldest] = this.#parsedBySource.keys();
    if (this.#parsedBySource.size >= parsedMax && oldest !== undefined)
      this.#parsedBySource.delete(oldest);
    this.#parsedBySource.set(source, parsed);
    return parsed;
  }
}

const stopConditions = new Conditions(ADMISSION_VOCABULARY);
const leaseConditions = new Conditions(LEASE_VOCABULARY);
const killConditions = new Conditions(MEASURE_VOCABULARY);

bringJudge({
  checkCondition,
  evaluateCondition,
  checkLeaseCondition,
  evaluateLeaseCondition,
  checkKillCondition,
  evaluateKillCondition,
  isAboutWorkers,
});
