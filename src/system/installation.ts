import { existsSync, realpathSync } from "node:fs";
import { dirname, join } from "node:path";

/**
 * The folders that this program itself needs to run: that of its package, and that of the Node that
 * runs it. Real paths.
 */
export function installation(): readonly string[] {
  return [packageFolder(), dirname(realpathSync(process.execPath))];
}

/** The nearest folder above this file that holds a package. */
function packageFolder(): string {
  let folder = import.meta.dirname;
  while (!existsSync(join(folder, "package.json")) && dirname(folder) !== folder)
    folder = dirname(folder);
  return folder;
}
