// The package as blocks import and call it: the built program, the built doors, and their
// declarations.
import {
  cpSync,
  existsSync,
  mkdtempSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { declare } from "../../scripts/declarations.ts";
import { listDoors } from "../../scripts/doors.ts";
import { builtBin } from "../support/cli.ts";
import { listStateFolders } from "./ending.ts";

const ROOT = join(import.meta.dirname, "../..");

/** The compiler, as a program of Node. */
export const COMPILER: string = join(ROOT, "node_modules/typescript/bin/tsc");

/** Where types of Node lie, for programs that are checked. */
export const NODE_TYPES: string = join(ROOT, "node_modules/@types");

/**
 * Folder of a package of this very source; built when there is none. STINT_PAPERS_PACKAGE names
 * another, such as one that was installed from a tarball.
 */
export async function installedPackage(): Promise<string> {
  const given = process.env["STINT_PAPERS_PACKAGE"];
  if (given !== undefined) return withoutFleet(given);
  const program = dirname(dirname(await builtBin()));
  const target = join(dirname(program), `papers-${basename(program)}`);
  if (existsSync(target)) return target;
  const draft = mkdtempSync(join(dirname(program), "draft-"));
  try {
    // Beside them lies a cache that others are writing to.
    for (const name of ["bin", "dist", "package.json"])
      cpSync(join(program, name), join(draft, name), { recursive: true });
    declare(
      join(draft, "dist"),
      listDoors().map(({ name }) => `${name}.d.ts`),
    );
    symlinkSync(join(ROOT, "node_modules"), join(draft, "node_modules"));
    renameSync(draft, target);
  } catch (error) {
    // Another test file may have been first.
    if (!existsSync(target)) throw error;
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
  return target;
}

/** A package is linked into every story: no fleet of somebody's may lie in it. */
function withoutFleet(folder: string): string {
  const [stateDir] = listStateFolders(realpathSync(folder));
  if (stateDir === undefined) return folder;
  throw new Error(`STINT_PAPERS_PACKAGE must be a folder without a fleet, got one in ${stateDir}`);
}
