// The one place where names change form: snake_case inside and in the journal, camelCase in the
// library. What users put in (state, units, evidence, texts) is theirs and is never renamed.

import type { InputProblem } from "../protocol/input.ts";
import { describeValue, InputError, isPlainObject } from "../protocol/input.ts";

/** Fields whose content is the user's, or a sandbox's: its keys stay as they were written. */
const OPAQUE = new Set(["state", "units", "evidence", "proposed", "verdicts", "labels", "env"]);

/** How deep documents of the library nest outside of opaque fields; more cannot be one of ours. */
const NESTING_MAX = 32;

/** Writes a field's name as the library shows it: `max_depth` → `maxDepth`. */
export function toCamel(name: string): string {
  return name.replaceAll(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

/** Writes a field's name as the journal has it: `maxDepth` → `max_depth`. */
export function toSnake(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** The type of a journaled document as the library shows it. */
export type Camel<T> = T extends readonly (infer Item)[]
  ? readonly Camel<Item>[]
  : T extends object
    ? { readonly [K in keyof T as CamelName<K>]: K extends OpaqueName ? T[K] : Camel<T[K]> }
    : T;

type OpaqueName = "state" | "units" | "evidence" | "proposed" | "verdicts" | "labels" | "env";

type CamelName<K> = K extends `${infer Head}_${infer Tail}`
  ? `${Head}${Capitalize<CamelName<Tail>>}`
  : K;

/**
 * Copies a journaled document for the user: names in camelCase, deep-frozen, sharing nothing.
 * It may be kept and cannot be used to change anything.
 */
export function toEdge<T>(document: T): Camel<T> {
  return copyOut(document, true) as Camel<T>;
}

/** Copies a value of the user's for the user: deep-frozen, sharing nothing, names as they are. */
export function snapshotOf<T>(value: T): T {
  return copyOut(value, false) as T;
}

function copyOut(value: unknown, renamed: boolean): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return Object.freeze(value.map((item) => copyOut(item, renamed)));
  const fields = Object.entries(value).map(([name, field]) => {
    const copy = copyOut(field, renamed && !OPAQUE.has(name));
    return [renamed ? toCamel(name) : name, copy] as const;
  });
  // fromEntries defines its fields: a user's key `__proto__` is one like any other.
  return Object.freeze(Object.fromEntries(fields));
}

/**
 * Writes what a user passed in the journal's names, for a parser to check.
 *
 * Only names are looked at: values, functions and instances of classes are passed on as they are.
 * Throws an InputError for a name in snake_case, which would otherwise be taken as ours in silence,
 * and for an object that cannot be read. `path` is what the user calls the document.
 */
export function toWire(value: unknown, path: string): unknown {
  const problems: InputProblem[] = [];
  let wire: unknown;
  try {
    wire = copyIn(value, { path, problems, left: NESTING_MAX });
  } catch {
    // Only a getter or proxy of the caller's throws in there.
    const got = "an object that cannot be read";
    throw new InputError("usage", [{ path, expected: "readable data", got }]);
  }
  if (problems.length > 0) throw new InputError("usage", problems);
  return wire;
}

interface Walk {
  readonly path: string;
  readonly problems: InputProblem[];
  readonly left: number;
}

function copyIn(value: unknown, walk: Walk): unknown {
  if (walk.left === 0) return value;
  if (Array.isArray(value)) {
    const items = value as readonly unknown[];
    return items.map((item, index) => copyIn(item, below(walk, `${walk.path}[${index}]`)));
  }
  if (!isPlainObject(value)) return value;
  const fields: [string, unknown][] = [];
  for (const [name, field] of Object.entries(value)) {
    const path = `${walk.path}.${name}`;
    if (name.includes("_")) {
      const hint = `no such field; did you mean ${toCamel(name)}?`;
      walk.problems.push({ path, expected: `absent (${hint})`, got: describeValue(field) });
    } else
      fields.push([toSnake(name), OPAQUE.has(name) ? field : copyIn(field, below(walk, path))]);
  }
  return Object.fromEntries(fields);
}

function below(walk: Walk, path: string): Walk {
  return { ...walk, path, left: walk.left - 1 };
}
