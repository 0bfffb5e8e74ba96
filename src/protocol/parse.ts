/*
 * From a zod schema to a function that parses a document or throws an InputError. In our schemas
 * the message of an issue is its expectation ("an integer from 0 to 64"); the sentence is made
 * here, with the path as the caller knows it and the value that was found.
 */
import type { z } from "zod";
import { nearest } from "../kernel/lane/nearest.ts";
import { describeValue, InputError, type InputProblem } from "./input.ts";

/** How the caller names what it passes, for messages only. */
export interface Place {
  /** The caller's name of the document, e.g. `contract`; default: the document's noun. */
  readonly path?: string;
  /** The caller's name of a field, e.g. `max_depth` → `maxDepth`; free-form keys are not asked. */
  readonly rename?: (field: string) => string;
}

/** A function that returns a frozen copy of a valid document, or throws an {@link InputError}. */
export type Parser<T> = (value: unknown, place?: Place) => T;

/** Makes the parser of a document; `noun` is its name in messages unless the caller has another. */
export function parserOf<T>(noun: string, schema: z.ZodType<T>): Parser<T> {
  return (value, place = {}) => {
    const shown = { path: place.path ?? noun, rename: place.rename ?? keepName };
    const result = read(schema, value, shown.path);
    if (result.success) return freezeCopy(result.data) as T;
    throw errorOf(result.error.issues, value, shown);
  };
}

type Shown = Required<Place>;

function keepName(field: string): string {
  return field;
}

function read<T>(schema: z.ZodType<T>, value: unknown, path: string): z.ZodSafeParseResult<T> {
  try {
    return schema.safeParse(value);
  } catch {
    // Only a getter or proxy of the caller's can throw in here: our schemas do not.
    const problem = { path, expected: "readable data", got: "an object that cannot be read" };
    throw new InputError("usage", [problem]);
  }
}

/** Drops absent fields and freezes, so that nobody changes what was checked, nor the caller. */
function freezeCopy(value: unknown): unknown {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return value;
  if (Array.isArray(value)) return Object.freeze(value.map(freezeCopy));
  const copy: Record<string, unknown> = {};
  for (const [key, field] of Object.entries(value))
    if (field !== undefined) copy[key] = freezeCopy(field);
  return Object.freeze(copy);
}

/** What our schemas attach to an issue of their own. */
interface IssueParams {
  /** True when the value is well formed but too large. */
  readonly tooLarge?: boolean;
  /** What to show as found, where the value at the path says too little. */
  readonly got?: string;
}

function errorOf(issues: readonly z.core.$ZodIssue[], value: unknown, shown: Shown): InputError {
  const problems = new Map<string, InputProblem>();
  let onlySizes = true;
  for (const issue of issues) {
    for (const problem of problemsOf(issue, value, shown)) {
      // Of one field the first problem is the plainest; the others follow from it.
      if (problems.has(problem.path)) continue;
      problems.set(problem.path, problem);
      onlySizes &&= isSize(issue);
    }
  }
  return new InputError(onlySizes ? "limit_exceeded" : "usage", [...problems.values()]);
}

function paramsOf(issue: z.core.$ZodIssue): IssueParams {
  return issue.code === "custom" ? ((issue.params ?? {}) as IssueParams) : {};
}

function isSize(issue: z.core.$ZodIssue): boolean {
  if (issue.code === "too_big") return issue.origin === "array" || issue.origin === "string";
  return paramsOf(issue).tooLarge === true;
}

function problemsOf(
  issue: z.core.$ZodIssue,
  value: unknown,
  shown: Shown,
): readonly InputProblem[] {
  if (issue.code === "unrecognized_keys") {
    const known = issue.message.split(" ");
    return issue.keys.map((key) => unknownKey([...issue.path, key], { known, value, shown }));
  }
  // A record's issue with a key has the key's own issues inside.
  const expected = issue.code === "invalid_key" ? issue.issues[0]?.message : issue.message;
  const got =
    issue.code === "invalid_key"
      ? JSON.stringify(issue.path.at(-1))
      : (paramsOf(issue).got ?? describeValue(valueAt(value, issue.path)));
  const path = issue.code === "invalid_key" ? issue.path.slice(0, -1) : issue.path;
  return [{ path: showPath(path, shown), expected: expected ?? "valid", got }];
}

function unknownKey(
  path: readonly PropertyKey[],
  so: { readonly known: readonly string[]; readonly value: unknown; readonly shown: Shown },
): InputProblem {
  const { rename } = so.shown;
  const like = nearest(String(path.at(-1)), so.known);
  const hint = like === undefined ? "" : `; did you mean ${rename(like)}?`;
  return {
    path: showPath(path, so.shown),
    expected: `absent (no such field${hint})`,
    got: SECRET.test(String(path.at(-1))) ? "one" : describeValue(valueAt(so.value, path)),
  };
}

/** Names of fields whose values nobody is shown, wherever they were written. */
const SECRET = /token|secret|password/i;

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  let found = value;
  for (const key of path) {
    if (typeof found !== "object" || found === null || !Object.hasOwn(found, key)) return undefined;
    found = (found as Readonly<Record<PropertyKey, unknown>>)[key];
  }
  return found;
}

/** Below these the keys are the user's own and are shown as they are. */
const freeForm = new Set([
  "state",
  "units",
  "evidence",
  "facts",
  "proposed",
  "receipt",
  "verdicts",
]);

/** How our fields' names begin; no other key, `__proto__` say, can have been renamed. */
const isFieldName = /^[a-z]/i;

/** Keys that read well after a dot; others are shown in brackets and quotes. */
const isPlainKey = /^[\w$-]{1,64}$/;

function showPath(path: readonly PropertyKey[], shown: Shown): string {
  let text = shown.path;
  let isFree = freeForm.has(shown.path);
  for (const key of path) {
    if (typeof key === "number") text += `[${key}]`;
    else {
      const name = String(key);
      const renamed = isFree || !isFieldName.test(name) ? name : shown.rename(name);
      text += isPlainKey.test(renamed) ? `.${renamed}` : `[${describeValue(renamed)}]`;
      isFree ||= freeForm.has(name);
    }
  }
  return text;
}
