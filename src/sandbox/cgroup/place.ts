import { readdirSync, statSync } from "node:fs";
import { access, constants, mkdir, rmdir } from "node:fs/promises";
import { basename, join, relative } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { codeOf } from "../../ports/error-code.ts";
import type { CgroupPower, MissingPower } from "./cgroup.ts";
import type { Hierarchy } from "./hierarchy.ts";

/** Where the groups of a fleet go in one hierarchy, and what that gives them. */
export interface Place {
  readonly hierarchy: Hierarchy;
  /** The group below which this process makes the fleet's; undefined when it may make none. */
  readonly base: string | undefined;
  /** What groups below the base can be held to here. */
  readonly powers: ReadonlySet<CgroupPower>;
  /** v2 controllers to be passed on to the fleet's folder and from there to its groups. */
  readonly delegated: readonly string[];
  /** What this hierarchy could hold and does not, and why. */
  readonly missing: readonly MissingPower[];
}

/** How every group is named that holds the groups of a fleet. */
const fleetPrefix = "stint-";

/** Bounds of the search for a fleet's folders that another process of the fleet has made. */
const searchFoldersMax = 20_000;

/** Folders looked into before other work of this process gets its turn. */
const foldersPerTurn = 64;

/** The name of the folder that holds the groups of a fleet. */
export function fleetFolderName(fleet: string): string {
  return `${fleetPrefix}${fleet}`;
}

/**
 * The own group, but never one inside of the fleet's: sandboxes are siblings, so whatever a worker
 * of the fleet starts goes beside it and not into it.
 */
export function ownBase(hierarchy: Hierarchy, fleet: string): string | undefined {
  if (hierarchy.own === undefined) return undefined;
  const parts = relative(hierarchy.mountPoint, hierarchy.own).split("/");
  const inside = parts.indexOf(fleetFolderName(fleet));
  return join(hierarchy.mountPoint, ...(inside < 0 ? parts : parts.slice(0, inside)));
}

/** Whether a folder holds the groups of some fleet. */
export function isFleetFolder(folder: string): boolean {
  return basename(folder).startsWith(fleetPrefix);
}

/** Whether this process may write to all of these files and folders. */
export async function isWritable(...files: readonly string[]): Promise<boolean> {
  try {
    for (const file of files) await access(file, constants.W_OK);
    return true;
  } catch {
    // Another user's, mounted read-only, or not there: the same to us.
    return false;
  }
}

/**
 * Makes a group, looks at it, and removes it again: the one way to know what groups have here.
 * Answers undefined when the host lets this process make none.
 */
export async function tryGroup<Seen>(
  base: string,
  look: (folder: string) => Promise<Seen>,
): Promise<Seen | undefined> {
  const folder = join(base, `try-${process.pid}-${Math.trunc(performance.now() * 1_000)}.stint`);
  try {
    await mkdir(folder);
  } catch {
    // EACCES, EROFS, ENOSPC (cgroup.max.descendants), …: what it is does not change the answer.
    return undefined;
  }
  try {
    return await look(folder);
  } finally {
    await rmdir(folder);
  }
}

/** Every folder in a hierarchy that holds groups of the fleet, whoever has made it. */
export async function findFleetFolders(hierarchy: Hierarchy, fleet: string): Promise<string[]> {
  const found: string[] = [];
  const folders = [hierarchy.mountPoint];
  // Breadth first, so that the bound cuts off what lies deepest.
  for (const [index, folder] of folders.entries()) {
    if (folders.length > searchFoldersMax) break;
    if (index % foldersPerTurn === foldersPerTurn - 1) await nextTurn();
    for (const name of await listFolders(folder)) {
      const below = join(folder, name);
      (name === fleetFolderName(fleet) ? found : folders).push(below);
    }
  }
  return found;
}

/** Links to a folder that holds no other: its name, and "." in it; each folder below adds one. */
const LINKS_WITHOUT_FOLDERS = 2;

/** Whether a group is known to have none below it; also when it does not exist. */
export function hasNoFolders(folder: string): boolean {
  try {
    const links = statSync(folder, { throwIfNoEntry: false })?.nlink;
    return links === undefined || links === LINKS_WITHOUT_FOLDERS;
  } catch {
    // Whoever lists them meets what is wrong.
    return false;
  }
}

/** The groups directly below a group; none when it does not exist or cannot be read. */
export async function listFolders(folder: string): Promise<string[]> {
  try {
    if (hasNoFolders(folder)) return [];
    // Of memory, as what is read of a control file.
    const rows = readdirSync(folder, { withFileTypes: true });
    return rows.filter((row) => row.isDirectory()).map((row) => row.name);
  } catch (error) {
    // It was removed meanwhile, or is another user's.
    if (["ENOENT", "ENODEV", "EACCES", "ENOTDIR"].includes(codeOf(error))) return [];
    throw error;
  }
}
