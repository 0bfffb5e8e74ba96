import { statSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";

/** How much of what a process said before it ended is kept, characters. */
const charsMax = 2_000;

/** The end of what a process wrote into its sandbox's folder, or "" where nothing can be read. */
export async function readLastWords(folder: string): Promise<string> {
  const file = join(folder, "output.log");
  try {
    if (statSync(file, { throwIfNoEntry: false })?.size === 0) return "";
    const text = await readFile(file, "utf8");
    return text.trim().slice(-charsMax);
  } catch {
    // It never ran, or its folder is gone already.
    return "";
  }
}
