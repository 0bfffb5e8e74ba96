import { statSync } from "node:fs";
import { join } from "node:path";
import { NAMESPACE } from "../../kernel/region/pattern.ts";
import type { Call } from "../call.ts";
import { plainText } from "../text/plain.ts";

/** What makes a pattern more than a name, or a folder with all that is in it. */
const SPECIAL = /[*?[\]{}\\!]|\/$/;

/** How many folders are named. */
const namedMax = 3;

/**
 * Tells a person of patterns that name a folder alone: nothing in it is theirs by such a lease, and
 * it is what a shell makes of a pattern without quotes.
 */
export async function noteFolders(call: Call, patterns: readonly string[]): Promise<void> {
  if (call.isJson || call.workerTokenFile !== undefined) return;
  const names = patterns.filter((one) => !SPECIAL.test(one) && !NAMESPACE.test(one));
  if (names.length === 0) return;
  const { root } = await call.place();
  const folders = names.filter((name) => isFolder(join(root, name))).slice(0, namedMax);
  for (const name of folders) {
    const shown = plainText(name);
    call.note(`stint: ${shown} is a folder; what lies in it is '${shown}/**', in quotes`);
  }
}

function isFolder(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
  } catch {
    // What cannot be looked at is no reason for a word.
    return false;
  }
}
