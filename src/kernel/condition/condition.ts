/*
 * Stop conditions: CEL over the admission context, enacted and journaled as data. The same source
 * and the same context give the same answer on every machine, in any time zone, whenever asked,
 * in a bounded number of steps. A source is parsed and type-checked by the CEL library (parse),
 * cut down to an allow list (translate) and evaluated by ourselves (evaluate), because the
 * library's evaluator can be bounded neither in steps nor in what it reaches.
 */
import type { AdmissionContext } from "./context.ts";
import { evaluate } from "./evaluate.ts";
import { parseCondition } from "./parse.ts";
import type { Parsed } from "./parse.ts";
import { Failure, typeName } from "./value.ts";
import { LIMITS } from "../limits.ts";

/** What a check says of a source; a problem is one sentence with expectation and actual value. */
export type ConditionCheck =
  { readonly ok: true } | { readonly ok: false; readonly problem: string };

/** What a condition says of a candidate; an error denies, and says why in one sentence. */
export type Verdict = { readonly triggered: boolean } | { readonly error: string };

/**
 * Checks a condition when it is enacted: syntax, names, types (CD1) and limits (CD3).
 * Admitted are literals, the names of the context, fields, indexes, lists, operators, `has`,
 * `size`, `int`, `double`, `string`, `dyn`, `contains`, `startsWith`, `endsWith` and one level of
 * `all`, `exists`, `exists_one`, `map` and `filter`.
 */
export function checkCondition(source: string): ConditionCheck {
  const parsed = parseOnce(source);
  return parsed.ok ? { ok: true } : parsed;
}

/**
 * Evaluates a condition for a candidate that does not yet count in the context.
 * Never throws: a source that does not pass its check, a missing field, a wrong type and a spent
 * limit are all an `error` (CD2). The context is not changed and not kept.
 */
export function evaluateCondition(source: string, context: AdmissionContext): Verdict {
  const parsed = parseOnce(source);
  if (!parsed.ok) return { error: parsed.problem };
  const value = evaluate(parsed.expression, context);
  if (value instanceof Failure) return { error: value.message };
  if (typeof value === "boolean") return { triggered: value };
  return { error: `condition must be bool, got ${typeName(value)}` };
}

/** How many parsed sources are remembered: several fleets' worth of conditions. */
const parsedMax = 256;

/** Parsed sources, oldest first: the memory of a pure function, which may be lost at any time. */
const parsedBySource = new Map<string, Parsed>();

function parseOnce(source: string): Parsed {
  const known = parsedBySource.get(source);
  if (known !== undefined) return known;
  const parsed = parseCondition(source);
  if (source.length > LIMITS.conditionSourceBytesMax) return parsed;
  const [oldest] = parsedBySource.keys();
  if (parsedBySource.size >= parsedMax && oldest !== undefined) parsedBySource.delete(oldest);
  parsedBySource.set(source, parsed);
  return parsed;
}
