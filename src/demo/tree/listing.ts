import { createHash } from "node:crypto";
import { lstatSync, type Dirent } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { askTop, git } from "./git.ts";

/** Most files that a tree without git is walked for. */
const WALK_FILES_MAX = 200_000;
const SKIPPED_FOLDERS = new Set([".git", "node_modules"]);

/** Files looked at before other work of this process, such as its beats, gets its turn. */
const FILES_PER_TURN = 500;

/** Code of others that a tree carries along. */
const VENDORED = /(^|\/)(vendor|third_party|node_modules)\//;

/**
 * The files of a tree in one order that every worker finds again by itself. A path is the bytes of
 * a name, one character each (latin1): names need not be UTF-8, and none may be lost for it.
 */
export interface Listing {
  /** Paths relative to the root, `/` between segments, by byte, what is vendored last. */
  readonly paths: readonly string[];
  /** Where what is vendored begins. */
  readonly vendoredFrom: number;
  /** Whether git named them; without it there is no churn. */
  readonly git: boolean;
  /** Why git did not name them: it is `absent`, the tree is `outside`, or git's own words. */
  readonly whyNot: string;
  /** How many folders without git this user may not list; what is in them nobody counts. */
  readonly closedFolders: number;
  /** SHA-256 over the paths: two workers with the same digest speak of the same parts. */
  readonly digest: string;
}

/** A tree without git has more files than are walked for. */
export class TooManyFiles extends Error {
  override readonly name = "TooManyFiles";
  readonly root: string;
  readonly countMax: number;

  constructor(root: string, countMax: number) {
    super(`a tree without git must have at most ${countMax} files, ${root} has more`);
    this.root = root;
    this.countMax = countMax;
  }
}

/** How a tree is listed. */
export interface ListingOptions {
  /** Whether git is to name the files; it is asked when that is left out. */
  readonly git?: boolean;
  /** A folder that is not part of the tree though it may lie in it: the fleet's own. */
  readonly except: string;
  /** For how many files a tree without git is walked at most; default 200 000. */
  readonly filesMax?: number;
}

/** Where a path of a listing lies. */
export function fileOf(root: string, path: string): Buffer {
  return Buffer.concat([Buffer.from(`${root}/`), Buffer.from(path, "latin1")]);
}

/** A path as people read it. */
export function showPath(path: string): string {
  return Buffer.from(path, "latin1").toString("utf8");
}

/**
 * Lists a tree: what git tracks, or every regular file below it. Symlinks are left out. Throws
 * {@link TooManyFiles} where git names none and there are more than are walked for.
 */
export async function listTree(root: string, options: ListingOptions): Promise<Listing> {
  const asked = options.git === undefined ? await askTop(root) : { whyNot: "" };
  const isTracked = options.git ?? "top" in asked;
  const { found, closedFolders } = isTracked
    ? { found: await listTracked(root), closedFolders: 0 }
    : await walk(root, options);
  found.sort();
  const own = found.filter((path) => !VENDORED.test(path));
  const paths = [...own, ...found.filter((path) => VENDORED.test(path))];
  const digest = createHash("sha256").update(paths.join("\0"), "latin1").digest("hex");
  const { whyNot } = asked;
  return { paths, vendoredFrom: own.length, git: isTracked, whyNot, closedFolders, digest };
}

const REGULAR_FILE = /^100/;

async function listTracked(root: string): Promise<string[]> {
  const stdout = await git(root, ["ls-files", "-s", "-z"]);
  const paths = new Set<string>();
  for (const row of stdout.split("\0")) {
    const tab = row.indexOf("\t");
    if (tab > 0 && REGULAR_FILE.test(row)) paths.add(row.slice(tab + 1));
  }
  return onlyPresent(root, [...paths]);
}

/** What is tracked but deleted in the work tree is nobody's to read. */
async function onlyPresent(root: string, paths: readonly string[]): Promise<string[]> {
  const present: string[] = [];
  for (const [index, path] of paths.entries()) {
    if (index % FILES_PER_TURN === FILES_PER_TURN - 1) await nextTurn();
    if (isFile(fileOf(root, path))) present.push(path);
  }
  return present;
}

function isFile(path: Buffer): boolean {
  try {
    return lstatSync(path).isFile();
  } catch {
    // Deleted, or below what is not a folder any more, or not to be seen.
    return false;
  }
}

async function walk(
  root: string,
  { except, filesMax = WALK_FILES_MAX }: ListingOptions,
): Promise<{ readonly found: string[]; readonly closedFolders: number }> {
  const found: string[] = [];
  const folders = [""];
  let closedFolders = 0;
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    const entries = await tryRead(fileOf(root, folder));
    if (entries === undefined) closedFolders += 1;
    for (const entry of entries ?? []) {
      const name = entry.name.toString("latin1");
      const path = folder === "" ? name : `${folder}/${name}`;
      const isOwn = join(root, showPath(path)) === except;
      if (entry.isDirectory() && !SKIPPED_FOLDERS.has(name) && !isOwn) folders.push(path);
      if (entry.isFile()) found.push(path);
    }
    if (found.length > filesMax) throw new TooManyFiles(root, filesMax);
  }
  return { found, closedFolders };
}

/** Undefined for a folder that this user may not list; one that is just gone is empty. */
async function tryRead(folder: Buffer): Promise<readonly Dirent<Buffer>[] | undefined> {
  try {
    return await readdir(folder, { withFileTypes: true, encoding: "buffer" });
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "EACCES" || code === "EPERM") return undefined;
    if (code === "ENOENT") return [];
    throw error;
  }
}
