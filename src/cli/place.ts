import { existsSync, readdirSync, readFileSync, realpathSync, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { describeValue, InputError } from "../protocol/input.ts";
import { isPermit } from "../system/places.ts";

/** Where a fleet is kept, and the folder that it is the fleet of; both paths are canonical. */
export interface Place {
  /** The state folder: journal, secret, sandboxes. */
  readonly stateDir: string;
  /** The working tree or folder in which `stint.toml` lies. */
  readonly root: string;
}

/** The state folder of a folder that is no repository. */
const OWN_NAME = ".stint";

/** The state folder within a repository's common directory, which all its working trees share. */
const SHARED_NAME = "stint";

/**
 * Finds the fleet of a folder: its own, or that of the nearest folder above which has one. Looks
 * for a state folder, for `.stint`, and in the repository, whose files are read without running
 * git. Undefined when there is none up to the root.
 */
export function findPlace(from: string): Place | undefined {
  for (let dir = canonical(from); ; dir = dirname(dir)) {
    const place = fleetAt(dir);
    if (place !== undefined) return place;
    if (dirname(dir) === dir) return undefined;
  }
}

/**
 * The fleet that is meant: that of `given` (a repository, a folder in one, or a state folder), else
 * that of the current folder. Throws an InputError that names the next command when there is none.
 */
export function demandPlace(given: string | undefined, current: string): Place {
  if (given !== undefined && !isFolder(given)) {
    const expected = "a folder: a repository, a folder in one, or a state folder";
    throw new InputError("usage", [{ path: "--fleet", expected, got: describeValue(given) }]);
  }
  const place = findPlace(given ?? current);
  if (place !== undefined) return place;
  throw new InputError("usage", [
    {
      path: given === undefined ? "the current folder" : "--fleet",
      expected: "in a fleet (begin one with `stint init`, or name it with --fleet DIR)",
      got: given ?? current,
    },
  ]);
}

/** Where the fleet of a folder would be kept: in its repository, else in the folder itself. */
export function placeFor(folder: string): Place {
  const from = canonical(folder);
  for (let dir = from; ; dir = dirname(dir)) {
    const common = commonDirOf(dir);
    if (common !== undefined) return { stateDir: join(common, SHARED_NAME), root: dir };
    if (dirname(dir) === dir) return { stateDir: join(from, OWN_NAME), root: from };
  }
}

/** Whether a folder holds a fleet, or what is left of one. */
export function holdsFleet(stateDir: string): boolean {
  if (existsSync(join(stateDir, "journal.db")) || existsSync(join(stateDir, "head"))) return true;
  return listNames(stateDir).some(isPermit);
}

function fleetAt(dir: string): Place | undefined {
  // A folder with a file of some "head" in it is not yet a state folder.
  if (existsSync(join(dir, "journal.db"))) return { stateDir: dir, root: rootOf(dir) };
  const own = join(dir, OWN_NAME);
  if (holdsFleet(own)) return { stateDir: canonical(own), root: dir };
  const common = commonDirOf(dir);
  if (common === undefined) return undefined;
  const shared = join(common, SHARED_NAME);
  return holdsFleet(shared) ? { stateDir: canonical(shared), root: dir } : undefined;
}

/** The folder that a state folder belongs to; itself when its name does not say so. */
function rootOf(stateDir: string): string {
  const above = dirname(stateDir);
  if (basename(stateDir) === OWN_NAME) return above;
  const isShared = basename(stateDir) === SHARED_NAME && basename(above) === ".git";
  return isShared ? dirname(above) : stateDir;
}

/**
 * The directory that all working trees of a repository share (`git rev-parse --git-common-dir`);
 * undefined when no working tree begins at `dir`. Forms: gitrepository-layout(5).
 */
function commonDirOf(dir: string): string | undefined {
  const git = gitDirOf(join(dir, ".git"));
  if (git === undefined) return undefined;
  const link = readLine(join(git, "commondir"));
  const common = link === undefined ? git : resolve(git, link);
  return existsSync(join(common, "HEAD")) ? canonical(common) : undefined;
}

/** A linked working tree and a submodule have a file `.git` that says where the directory is. */
function gitDirOf(path: string): string | undefined {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) return undefined;
  if (found.isDirectory()) return path;
  const target = /^gitdir: (.+)$/.exec(readLine(path) ?? "")?.[1];
  return target === undefined ? undefined : resolve(dirname(path), target);
}

function readLine(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8").split("\n", 1)[0]?.trimEnd();
  } catch {
    // Not there, or not ours to read: then it says nothing.
    return undefined;
  }
}

function listNames(dir: string): readonly string[] {
  try {
    return readdirSync(dir);
  } catch {
    // Not there, no folder, or not ours to read: no fleet of ours.
    return [];
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

function canonical(path: string): string {
  return realpathSync(resolve(path));
}
