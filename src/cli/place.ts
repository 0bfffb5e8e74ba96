import { existsSync, readdirSync, realpathSync, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { describeValue, InputError } from "../protocol/input.ts";
import { commonDirOf } from "../system/ground/repository.ts";
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
 * Finds the fleet of a folder: its own, or that of the nearest folder above which has one. Where
 * a folder has two, that of the repository comes before `.stint`. The repository's files are read
 * without running git. Undefined when there is none up to the root.
 */
export function findPlace(from: string): Place | undefined {
  return findPlaces(from)[0];
}

/**
 * Finds the fleet that {@link findPlace} does, and after it those that it hides: the others of its
 * folder, and of the folders above it in the same working tree. A state folder hides none.
 */
export function findPlaces(from: string): readonly Place[] {
  for (let dir = canonical(from); ; dir = dirname(dir)) {
    if (isStateFolder(dir)) return [{ stateDir: dir, root: rootOf(dir) }];
    if (fleetsAt(dir).length > 0) return fleetsIn(treeAbove(dir));
    if (dirname(dir) === dir) return [];
  }
}

/**
 * The fleet that is meant: that of `given` (a repository, a folder in one, or a state folder), else
 * that of the current folder; after it those that it hides. Throws an InputError that names the
 * next command when there is none.
 */
export function demandPlaces(
  given: string | undefined,
  current: string,
): readonly [Place, ...Place[]] {
  if (given !== undefined && !isFolder(given)) {
    const expected = "a folder: a repository, a folder in one, or a state folder";
    throw new InputError("usage", [{ path: "--fleet", expected, got: describeValue(given) }]);
  }
  const [place, ...others] = findPlaces(given ?? current);
  if (place !== undefined) return [place, ...others];
  throw new InputError("usage", [
    {
      path: given === undefined ? "the current folder" : "--fleet",
      expected: "in a fleet (begin one with `stint init`, or name it with --fleet DIR)",
      got: given ?? current,
    },
  ]);
}

/**
 * Where the fleet of a folder is, else would be kept: in its repository, else in the folder itself.
 * A fleet around the repository, or above a folder that is in none, is another one.
 */
export function placeFor(folder: string): Place {
  const from = canonical(folder);
  if (isStateFolder(from)) return { stateDir: from, root: rootOf(from) };
  const tree = treeAbove(from);
  const root = tree.at(-1) ?? from;
  const common = commonDirOf(root);
  const kept = common === undefined ? join(root, OWN_NAME) : join(common, SHARED_NAME);
  return fleetsIn(tree)[0] ?? { stateDir: kept, root };
}

/** Whether a folder holds a fleet, or what is left of one. */
export function holdsFleet(stateDir: string): boolean {
  if (existsSync(join(stateDir, "journal.db")) || existsSync(join(stateDir, "head"))) return true;
  return listNames(stateDir).some(isPermit);
}

/** Says for people which of several fleets is meant; undefined where there is one. */
export function otherFleetsNote(places: readonly Place[]): string | undefined {
  const [meant, ...others] = places.map(({ stateDir }) => stateDir);
  if (meant === undefined || others.length === 0) return undefined;
  const named = others.map((stateDir) => `another is meant by --fleet ${stateDir}`);
  const lines = [`${places.length} fleets are here; this is about ${meant}`, ...named];
  return `note: ${[...lines, `--fleet ${meant} leaves this note out`].join("\n      ")}`;
}

/** Whether a folder is one in which a fleet is kept, and not one that has a fleet. */
function isStateFolder(dir: string): boolean {
  if (existsSync(join(dir, "journal.db"))) return true;
  // A folder with a file of some "head" in it is not yet a state folder; one by name and place is,
  // also when its journal is lost: whoever names it must not be given another.
  const name = basename(dir);
  const isShared = name === SHARED_NAME && existsSync(join(dirname(dir), "HEAD"));
  return (name === OWN_NAME || isShared) && holdsFleet(dir);
}

/** A folder and those above it, up to the root of its working tree; itself where it is in none. */
function treeAbove(from: string): readonly string[] {
  const folders: string[] = [];
  for (let dir = from; ; dir = dirname(dir)) {
    folders.push(dir);
    if (commonDirOf(dir) !== undefined) return folders;
    if (dirname(dir) === dir) return [from];
  }
}

function fleetsIn(folders: readonly string[]): readonly Place[] {
  return folders.flatMap((dir) => fleetsAt(dir));
}

/** The fleets of a folder, the one that is meant first: `init` keeps it in the repository. */
function fleetsAt(dir: string): readonly Place[] {
  const common = commonDirOf(dir);
  const shared = common === undefined ? [] : [join(common, SHARED_NAME)];
  return [...shared, join(dir, OWN_NAME)]
    .filter((stateDir) => holdsFleet(stateDir))
    .map((stateDir) => ({ stateDir: canonical(stateDir), root: dir }));
}

/** The folder that a state folder belongs to; itself when its name does not say so. */
function rootOf(stateDir: string): string {
  const above = dirname(stateDir);
  if (basename(stateDir) === OWN_NAME) return above;
  const isShared = basename(stateDir) === SHARED_NAME && basename(above) === ".git";
  return isShared ? dirname(above) : stateDir;
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
