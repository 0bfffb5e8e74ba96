import { mkdirSync, readdirSync, rmSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { asStorageFault } from "./storage-fault.ts";

/**
 * Makes a folder with those above it that are missing; what is there stays as it is.
 *
 * One by one, for Node's own way of making them all never ends below a folder in which none can
 * be made, as `/proc`. Throws `Fault` `storage_failed`, `storage_full`.
 */
export function makeFolders(folder: string, options: { readonly mode?: number } = {}): void {
  try {
    for (const path of missingOf(resolve(folder)).toReversed()) makeOne(path, options);
  } catch (error) {
    throw asStorageFault(error, `making the folder ${folder}`);
  }
}

/** Removes what lies in a folder, which stays. Throws what the system says to it. */
export function clearFolder(folder: string): void {
  for (const name of readdirSync(folder))
    rmSync(join(folder, name), { recursive: true, force: true });
}

/** The folders that are not there, the innermost first. */
function missingOf(folder: string): readonly string[] {
  const missing: string[] = [];
  for (let path = folder; !isThere(path); path = dirname(path)) missing.push(path);
  return missing;
}

function makeOne(path: string, options: { readonly mode?: number }): void {
  try {
    mkdirSync(path, options);
  } catch (error) {
    // Somebody else has made it meanwhile; a file in its place is met by whoever uses the folder.
    if (!isThere(path)) throw error;
  }
}

function isThere(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined;
}
