// Copies of the package as it is installed, each in a folder of its own, to be spoilt.
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { onTestFinished } from "vitest";
import { builtBin } from "../support/cli.ts";

const PACKAGES = join(import.meta.dirname, "../../node_modules");

/** Path of the native module of better-sqlite3 for this very system. */
export const NATIVE = `better-sqlite3/prebuilds/${process.platform}-${process.arch}.node`;

/** A package that is installed for one test. */
export interface Copy {
  /** The folder of the project that it is installed in. */
  readonly dir: string;
  /** The program, as npm links to it. */
  readonly bin: string;
}

/** A temporary folder, removed when the test has ended. */
export function makeFolder(): string {
  const dir = mkdtempSync(join(tmpdir(), "stint-package-"));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

/** Installs the built package into an empty folder; better-sqlite3 is the caller's to add. */
export async function installCopy(): Promise<Copy> {
  const dir = makeFolder();
  const built = join(dirname(await builtBin()), "..");
  const target = join(dir, "node_modules/stint");
  for (const name of ["bin", "dist", "package.json"])
    cpSync(join(built, name), join(target, name), { recursive: true });
  writeFileSync(join(dir, "package.json"), '{ "private": true, "type": "module" }\n');
  return { dir, bin: join(target, "bin/stint.cjs") };
}

/** Adds better-sqlite3 as it is here. */
export function addNative({ dir }: Copy): void {
  symlinkSync(join(PACKAGES, "better-sqlite3"), join(dir, "node_modules/better-sqlite3"));
}

/** Adds better-sqlite3 with other bytes as its native module; without any, it has none. */
export function addSpoilt({ dir }: Copy, native: Uint8Array | undefined): void {
  for (const part of ["lib", "package.json"])
    cpSync(join(PACKAGES, "better-sqlite3", part), join(dir, "node_modules/better-sqlite3", part), {
      recursive: true,
    });
  const file = join(dir, "node_modules", NATIVE);
  mkdirSync(dirname(file), { recursive: true });
  if (native !== undefined) writeFileSync(file, native);
}

/** Path of a file of an installed package. */
export function installedFile(name: string): string {
  return join(PACKAGES, name);
}
