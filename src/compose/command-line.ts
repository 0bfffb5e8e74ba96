import { existsSync } from "node:fs";
import { dirname, join } from "node:path";

/** How Stint's own command line is run: by this very Node, from the package of this file. */
export function commandLine(): readonly [string, ...string[]] {
  let folder = import.meta.dirname;
  // As source, as a build, or bundled into a folder of chunks: the package's root is above.
  while (!existsSync(join(folder, BIN)) && folder !== dirname(folder)) folder = dirname(folder);
  return [process.execPath, join(folder, BIN)];
}

const BIN = "bin/stint.cjs";
