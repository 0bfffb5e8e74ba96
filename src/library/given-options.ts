import { describeValue, InputError, isPlainObject } from "../protocol/input.ts";
import { nearest } from "../kernel/lane/nearest.ts";

/**
 * Checks that options are an object, and of some names alone: a misspelt option would be left out
 * in silence. `expected` says what they are to be. Throws an InputError that names every wrong one.
 */
export function demandOptions(
  options: unknown,
  known: readonly string[],
  expected = "an object",
): void {
  demandFields(options, { known, expected, path: "options" });
}

/** The same of any object that a caller passes; `path` is what the caller calls it. */
export function demandFields(
  given: unknown,
  so: { readonly known: readonly string[]; readonly expected: string; readonly path: string },
): void {
  const { known, expected, path: whole } = so;
  if (!isPlainObject(given))
    throw new InputError("usage", [{ path: whole, expected, got: describeValue(given) }]);
  const problems = Object.entries(given)
    .filter(([name]) => !known.includes(name))
    .map(([name, value]) => {
      const like = nearest(name, known);
      const hint = like === undefined ? "" : `; did you mean ${like}?`;
      const path = `${whole}.${name}`;
      return { path, expected: `absent (no such option${hint})`, got: describeValue(value) };
    });
  if (problems.length > 0) throw new InputError("usage", problems);
}
