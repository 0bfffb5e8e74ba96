import { describeValue, InputError, isPlainObject } from "../protocol/input.ts";
import { nearest } from "../protocol/nearest.ts";

/**
 * Checks that options are an object, and of some names alone: a misspelt option would be left out
 * in silence. `expected` says what they are to be. Throws an InputError that names every wrong one.
 */
export function demandOptions(
  options: unknown,
  known: readonly string[],
  expected = "an object",
): void {
  if (!isPlainObject(options))
    throw new InputError("usage", [{ path: "options", expected, got: describeValue(options) }]);
  const problems = Object.entries(options)
    .filter(([name]) => !known.includes(name))
    .map(([name, value]) => {
      const like = nearest(name, known);
      const hint = like === undefined ? "" : `; did you mean ${like}?`;
      const path = `options.${name}`;
      return { path, expected: `absent (no such option${hint})`, got: describeValue(value) };
    });
  if (problems.length > 0) throw new InputError("usage", problems);
}
