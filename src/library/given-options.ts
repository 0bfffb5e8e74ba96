import { describeValue, InputError, isPlainObject } from "../protocol/input.ts";

/** Checks that options are an object at all. Throws an InputError; `expected` says of what. */
export function demandOptions(options: unknown, expected = "an object"): void {
  if (isPlainObject(options)) return;
  const got = describeValue(options);
  throw new InputError("usage", [{ path: "options", expected, got }]);
}
