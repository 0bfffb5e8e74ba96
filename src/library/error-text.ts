import { LIMITS } from "../kernel/limits.ts";
import { describeValue } from "../protocol/input.ts";

/** A character has up to three bytes in UTF-8 for each unit of length. */
const charsMax = Math.floor(LIMITS.noteBytesMax / 3);

/** The text of anything that was thrown, cut to what an entry takes. Never empty, never throws. */
export function errorText(error: unknown): string {
  let text: string;
  try {
    text = error instanceof Error ? `${error.name}: ${error.message}` : describeValue(error);
  } catch {
    // A hostile error: its own getter threw.
    text = "an error that cannot be read";
  }
  return text.slice(0, charsMax).toWellFormed();
}
