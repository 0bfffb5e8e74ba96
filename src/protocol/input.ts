/** One thing that is wrong with an input: where, what was expected, what was found there. */
export interface InputProblem {
  /** The field as the caller wrote it, e.g. `contract.max_depth` or `state.parts[2]`. */
  readonly path: string;
  /** Completes "must be …", e.g. `an integer from 0 to 64`. */
  readonly expected: string;
  /** A short rendering of what was found (see {@link describeValue}). */
  readonly got: string;
}

/**
 * The codes of an {@link InputError}: malformed, well formed but larger than is taken, or about an
 * entry that the journal does not have.
 */
export type InputCode = "usage" | "limit_exceeded" | "entry_unknown";

/**
 * An input that cannot be understood or is too large to be taken: thrown at the edge, before
 * anything is decided or journaled. Neither a refusal (the rules were not asked) nor a fault.
 */
export class InputError extends Error {
  override readonly name = "InputError";
  readonly code: InputCode;
  /** Everything that is wrong, in the order of the input's fields; at least one. */
  readonly problems: readonly InputProblem[];

  /** The message is one sentence for each problem. */
  constructor(code: InputCode, problems: readonly InputProblem[]) {
    super(problems.map(sentenceOf).join("; "));
    this.code = code;
    this.problems = problems;
  }
}

function sentenceOf({ path, expected, got }: InputProblem): string {
  return `${path} must be ${expected}, got ${got}`;
}

const shownChars = 60;
const shownKeys = 3;

/**
 * Renders any value in few words for a message; never throws and never shows a value whole that is
 * long. Tells `-0`, `NaN`, `"1"` and `1n` from the numbers they are taken for.
 */
export function describeValue(value: unknown): string {
  switch (typeof value) {
    case "undefined":
      return "nothing";
    case "string":
      return describeText(value);
    case "number":
      return Object.is(value, -0) ? "-0" : String(value);
    case "bigint":
      return shorten(`${value}n`);
    case "boolean":
      return value ? "true" : "false";
    case "function":
      return "a function";
    case "symbol":
      return "a symbol";
    case "object":
      return value === null ? "null" : describeObject(value);
  }
}

/** JSON escapes control characters and lone surrogates, so a message stays one readable line. */
function describeText(text: string): string {
  const cut = text.length > shownChars;
  const shown = JSON.stringify(cut ? text.slice(0, shownChars) : text);
  return cut ? `${shown.slice(0, -1)}…" (${text.length} characters)` : shown;
}

function shorten(text: string): string {
  return text.length > shownChars ? `${text.slice(0, shownChars)}…` : text;
}

function describeObject(value: object): string {
  try {
    if (Array.isArray(value)) return value.length === 0 ? "[]" : `an array of ${value.length}`;
    if (!isPlainObject(value)) return `an object of class ${shorten(classOf(value))}`;
    const keys = Object.keys(value);
    if (keys.length === 0) return "{}";
    const shown = keys.slice(0, shownKeys).map((key) => shorten(key));
    return `an object with ${shown.join(", ")}${keys.length > shownKeys ? ", …" : ""}`;
  } catch {
    // A proxy or getter of the caller's threw; what it hides is not worth failing a message for.
    return "an object that cannot be read";
  }
}

function classOf(value: object): string {
  const { constructor } = value as { readonly constructor?: unknown };
  const name = typeof constructor === "function" ? constructor.name : "";
  return name === "" ? "without a name" : name;
}

/** Whether a value is an object as a literal or JSON makes it, of this or another realm. */
export function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
