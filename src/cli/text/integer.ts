import { describeValue, InputError } from "../../protocol/input.ts";

/**
 * Makes the parser of an option or operand that is an integer from `min` to `max`; it throws an
 * InputError that names `path`, e.g. `--tail` or `SEQ`.
 */
export function integerText(
  path: string,
  min = 0,
  max = Number.MAX_SAFE_INTEGER,
): (text: unknown) => number {
  return (text) => {
    const value = typeof text === "string" && /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
    if (value >= min && value <= max) return value;
    const bound = max === Number.MAX_SAFE_INTEGER ? `from ${min} on` : `from ${min} to ${max}`;
    const expected = `an integer ${bound}`;
    throw new InputError("usage", [{ path, expected, got: describeValue(text) }]);
  };
}
