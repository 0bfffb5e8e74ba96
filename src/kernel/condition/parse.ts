import type { ObjectSchema } from "@marcbachmann/cel-js";
import { Environment, ParseError, TypeError as CelTypeError } from "@marcbachmann/cel-js";
import { LIMITS } from "../limits.ts";
import type { Expression } from "./expression.ts";
import { NotAdmitted, translate } from "./translate.ts";
import type { CelFields, Vocabulary } from "./vocabulary.ts";

/** A checked condition, or why it is none: expectation and actual value in one sentence. */
export type Parsed =
  | { readonly ok: true; readonly expression: Expression }
  | { readonly ok: false; readonly problem: string };

/** Levels of brackets, arguments and selections; keeps the recursion of the parser shallow. */
const nestingMax = 32;

/** Parses and type-checks conditions over one vocabulary. */
export class ConditionParser {
  readonly #vocabulary: Vocabulary;
  /** Made when it is first needed: most programs that load this check no condition. */
  #environment: Environment | undefined;

  constructor(vocabulary: Vocabulary) {
    this.#vocabulary = vocabulary;
  }

  /** Parses a source; anything but an admitted bool expression is a problem. */
  parse(source: string): Parsed {
    this.#environment ??= makeEnvironment(this.#vocabulary);
    return parseIn(this.#environment, this.#vocabulary, source);
  }
}

function parseIn(environment: Environment, vocabulary: Vocabulary, source: string): Parsed {
  const sourceBytes = countBytes(source);
  if (sourceBytes > LIMITS.conditionSourceBytesMax) {
    const most = LIMITS.conditionSourceBytesMax;
    return { ok: false, problem: `condition must have at most ${most} bytes, got ${sourceBytes}` };
  }
  try {
    const parsed = environment.parse(source);
    const expression = translate(parsed.ast, source, vocabulary);
    const checked = parsed.check();
    if (!checked.valid) return { ok: false, problem: describe(checked.error, source) };
    if (checked.type === "bool") return { ok: true, expression };
    return { ok: false, problem: nonBool(checked.type ?? "nothing") };
  } catch (error) {
    // Parser and checker are foreign code on hostile input: whatever they throw refuses the source.
    return { ok: false, problem: describe(error, source) };
  }
}

function makeEnvironment({ types, nullable }: Vocabulary): Environment {
  const made = new Environment({
    homogeneousAggregateLiterals: false,
    limits: { maxAstNodes: LIMITS.conditionNodesMax, maxDepth: nestingMax },
  });
  for (const [name, type] of Object.entries(types)) {
    if (nullable.has(name)) made.registerVariable(name, "dyn");
    else if (typeof type === "string") made.registerVariable(name, type);
    else made.registerVariable({ name, schema: mutableCopy(type) });
  }
  return made;
}

/** The library declares schemas as writable objects. */
function mutableCopy(fields: CelFields): ObjectSchema {
  const copied: ObjectSchema = {};
  for (const [field, type] of Object.entries(fields)) {
    copied[field] = typeof type === "string" ? type : mutableCopy(type);
  }
  return copied;
}

/** UTF-8 length, not counted beyond what already is too long. */
function countBytes(source: string): number {
  if (source.length > LIMITS.conditionSourceBytesMax) return source.length;
  return new TextEncoder().encode(source).length;
}

function nonBool(type: string): string {
  const hint = type === "dyn" ? '; compare the value, for example with "== true"' : "";
  return `condition must be bool, got ${type}${hint}`;
}

function describe(error: unknown, source: string): string {
  if (error instanceof NotAdmitted) return error.message;
  const isLimit = error instanceof ParseError && error.code === "limit_exceeded";
  // Only a long run of unary operators can exhaust the stack: it is counted on the way back.
  if (isLimit || error instanceof RangeError) {
    const nodes = `${LIMITS.conditionNodesMax} nodes in ${nestingMax} levels`;
    return `condition must have at most ${nodes}, got more in ${countBytes(source)} bytes`;
  }
  if (error instanceof ParseError || error instanceof CelTypeError) {
    const at = error.range === undefined ? "" : ` at character ${error.range.start + 1}`;
    return `condition must be valid CEL, got: ${error.summary}${at}`;
  }
  return `condition must be valid CEL, got: ${String(error)}`;
}
