import { join } from "node:path";
import { isFolder, textOf, TooMuch, walk } from "./walk.ts";

/** Objects that are not packed, and packs: git itself packs them at some thousands. */
const namesMax = 500_000;

/** `objects/info/commit-graphs` is the deepest that git makes. */
const depthMax = 3;

const alternatesBytesMax = 4_096;

/**
 * What speaks against reading the objects that a worker has left in a directory of its own, or
 * undefined. Git follows links and `info/alternates`, and so would read what its worker could not,
 * and fetch it; only `alternate` may stand there. Throws errors of the file system.
 */
export async function flawOf(dir: string, alternate: string): Promise<string | undefined> {
  if (!(await isFolder(join(dir, "objects")))) return "objects is no folder";
  try {
    for await (const { path, entry } of walk(dir, "objects", { namesMax, depthMax }))
      if (!entry.isFile() && !entry.isDirectory())
        return `${path} is neither a plain file nor a folder`;
  } catch (error) {
    if (error instanceof TooMuch) return error.message;
    throw error;
  }
  const file = "objects/info/alternates";
  const text = (await textOf(join(dir, file), alternatesBytesMax)) ?? "";
  const others = text.split("\n").filter((line) => line !== "" && line !== alternate);
  return others.length === 0 ? undefined : `${file} names other folders than ${alternate}`;
}
