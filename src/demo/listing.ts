import { createHash } from "node:crypto";
import { execFile } from "node:child_process";
import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Most files that a tree without git is walked for. */
const WALK_FILES_MAX = 200_000;
const GIT_OUTPUT_BYTES_MAX = 512 * 1024 * 1024;
const SKIPPED_FOLDERS = new Set([".git", "node_modules"]);

/** Code of others that a tree carries along. */
const VENDORED = /(^|\/)(vendor|third_party|node_modules)\//;

/** The files of a tree in one order that every worker finds again by itself. */
export interface Listing {
  /** Paths relative to the root, `/` between segments, by code unit, what is vendored last. */
  readonly paths: readonly string[];
  /** Where what is vendored begins. */
  readonly vendoredFrom: number;
  /** Whether git named them; without it there is no churn. */
  readonly git: boolean;
  /** SHA-256 over the paths: two workers with the same digest speak of the same parts. */
  readonly digest: string;
}

/** Finds the top folder of the repository around `dir`; undefined without git or outside one. */
export async function findRepository(dir: string): Promise<string | undefined> {
  try {
    const { stdout } = await git(dir, ["rev-parse", "--show-toplevel"]);
    return stdout.replace(/\n$/, "") || undefined;
  } catch {
    // Neither a missing git nor a folder outside any repository is a fault here: both mean "no".
    return undefined;
  }
}

/** Lists a tree: what git tracks, or every regular file below it. Symlinks are left out. */
export async function listTree(root: string): Promise<Listing> {
  const top = await findRepository(root);
  const tracked = top === undefined ? undefined : await listTracked(root);
  const found = (tracked ?? (await walk(root))).toSorted();
  const own = found.filter((path) => !VENDORED.test(path));
  const paths = [...own, ...found.filter((path) => VENDORED.test(path))];
  const digest = createHash("sha256").update(paths.join("\0")).digest("hex");
  return { paths, vendoredFrom: own.length, git: tracked !== undefined, digest };
}

/** Runs git read-only in a folder; never with a configuration from the environment of a worker. */
export function git(dir: string, args: readonly string[]): Promise<{ stdout: string }> {
  const hardened = ["-c", "core.fsmonitor=false", "-c", "core.quotePath=false"];
  return run("git", ["-C", dir, ...hardened, ...args], {
    maxBuffer: GIT_OUTPUT_BYTES_MAX,
    env: { PATH: process.env["PATH"] ?? "", HOME: process.env["HOME"] ?? "", LC_ALL: "C" },
  });
}

const REGULAR_FILE = /^100/;

async function listTracked(root: string): Promise<string[]> {
  const { stdout } = await git(root, ["ls-files", "-s", "-z"]);
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
  for (const path of paths) {
    const found = await lstat(join(root, path)).catch(() => undefined);
    if (found?.isFile() === true) present.push(path);
  }
  return present;
}

async function walk(root: string): Promise<string[]> {
  const found: string[] = [];
  const folders = [""];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    const entries = await readdir(join(root, folder), { withFileTypes: true });
    for (const entry of entries) {
      const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
      if (entry.isDirectory() && !SKIPPED_FOLDERS.has(entry.name)) folders.push(path);
      if (entry.isFile()) found.push(path);
    }
    if (found.length > WALK_FILES_MAX)
      throw new Error(`a tree without git must have at most ${WALK_FILES_MAX} files: ${root}`);
  }
  return found;
}
