import { describeValue, InputError } from "../../protocol/input.ts";

/** Parses an option that is a JSON object. Throws an InputError. */
export function objectOption(path: string): (text: string) => Readonly<Record<string, unknown>> {
  return (text) => {
    const value = parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value))
      // Its fields are checked by whoever takes it: from here it is only known to be an object.
      return value as Readonly<Record<string, unknown>>;
    throw new InputError("usage", [
      { path, expected: 'a JSON object such as {"task":1}', got: describeValue(text) },
    ]);
  };
}

/** Parses an option that is one of a few words. Throws an InputError. */
export function wordOption(path: string, words: readonly string[]): (text: string) => string {
  return (text) => {
    if (words.includes(text)) return text;
    throw new InputError("usage", [
      { path, expected: `one of ${words.join(", ")}`, got: describeValue(text) },
    ]);
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Shown as what was typed; where in it JSON ends is of no help for a word without quotes.
    return undefined;
  }
}
