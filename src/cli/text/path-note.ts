import { lstatSync } from "node:fs";
import { DEFAULT_NAMESPACE, NAMESPACE } from "../../kernel/region/pattern.ts";
import { describeValue } from "../../protocol/input.ts";

/** What makes a text a pattern where patterns are read. */
const PATTERN = /[*?[{]/;

/**
 * What a person is told who asks about a path that looks like a pattern, and that nothing is called
 * by; undefined for every other path.
 */
export function patternNote(path: string): string | undefined {
  if (!PATTERN.test(path)) return undefined;
  const [lead, namespace] = NAMESPACE.exec(path) ?? ["", DEFAULT_NAMESPACE];
  const shown = describeValue(path);
  const notPattern = "stint: PATH is a path, not a pattern";
  // Of resources nobody has a list.
  if (namespace !== DEFAULT_NAMESPACE) return `${notPattern}; ${shown} is taken as it is written`;
  const file = path.slice(lead.length);
  return isThere(file) ? undefined : `${notPattern}; nothing is called ${shown}`;
}

function isThere(file: string): boolean {
  try {
    lstatSync(file);
    return true;
  } catch {
    // Whatever cannot be looked at is nothing that somebody has meant.
    return false;
  }
}
