import { mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { codeOf } from "../ports/error-code.ts";
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

/**
 * Has a repository around a folder, now or one day, leave out what lies in it. A `.gitignore` that
 * is there stays as it is. Throws `Fault` `storage_failed`, `storage_full`.
 */
export function ignoreFolder(folder: string): void {
  const file = join(folder, ".gitignore");
  try {
    if (!isThere(file)) writeFileSync(file, "*\n", { flag: "wx", mode: 0o600 });
  } catch (error) {
    // Another process was first.
    if (codeOf(error) !== "EEXIST") throw asStorageFault(error, `writing ${file}`);
  }
}

/**
 * A folder of this user's for what is true of a fleet wherever its state folder lies:
 * `$XDG_STATE_HOME/stint/NAME`, else `~/.local/state/stint/NAME`. It need not be there.
 */
export function userFolder(name: string): string {
  const given = process.env["XDG_STATE_HOME"];
  const base = given === undefined || given === "" ? join(homedir(), ".local", "state") : given;
  return join(base, "stint", name);
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
