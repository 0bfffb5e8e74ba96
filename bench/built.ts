import { cpSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bundle } from "../scripts/bundle.ts";

const ROOT = join(import.meta.dirname, "..");

/** The command line as it is installed, in a folder that goes when this process exits. */
export interface Built {
  /** Path of `bin/stint.cjs`. */
  readonly bin: string;
  /** The folder of its compiled code, for `XDG_CACHE_HOME`: not among the user's own files. */
  readonly cache: string;
}

let building: Promise<Built> | undefined;

/** Builds the command line, once for all benches of a run. */
export function builtProgram(): Promise<Built> {
  building ??= buildProgram();
  return building;
}

async function buildProgram(): Promise<Built> {
  const folder = mkdtempSync(join(tmpdir(), "stint-bench-build-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  await bundle(join(folder, "dist"));
  cpSync(join(ROOT, "bin"), join(folder, "bin"), { recursive: true });
  cpSync(join(ROOT, "package.json"), join(folder, "package.json"));
  symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
  return { bin: join(folder, "bin/stint.cjs"), cache: join(folder, "cache") };
}
