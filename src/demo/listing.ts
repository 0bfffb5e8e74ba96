import { createHash } from "node:crypto";
import { execFile } from "node:child_process";
import { lstat, readdir } from "node:fs/promises";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Most files that a tree without git is walked for. */
const WALK_FILES_MAX = 200_000;
const GIT_OUTPUT_BYTES_MAX = 512 * 1024 * 1024;
const SKIPPED_FOLDERS = new Set([".git", "node_modules"]);

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
  /** SHA-256 over the paths: two workers with the same digest speak of the same parts. */
  readonly digest: string;
}

/** Where a path of a listing lies. */
export function fileOf(root: string, path: string): Buffer {
  return Buffer.concat([Buffer.from(`${root}/`), Buffer.from(path, "latin1")]);
}

/** A path as people read it. */
export function showPath(path: string): string {
  return Buffer.from(path, "latin1").toString("utf8");
}

/** Finds the top folder of the repository around `dir`; undefined without git or outside one. */
export async function findRepository(dir: string): Promise<string | undefined> {
  const found = await askTop(dir);
  return found.top;
}

async function askTop(dir: string): Promise<{ readonly top?: string; readonly whyNot: string }> {
  try {
    const stdout = await git(dir, ["rev-parse", "--show-toplevel"]);
    const top = Buffer.from(stdout.replace(/\n$/, ""), "latin1").toString("utf8");
    return top === "" ? { whyNot: "outside" } : { top, whyNot: "" };
  } catch (error) {
    // Without git, outside a repository, or where git refuses: each is an answer, none a fault.
    const { code, stderr = "" } = error as { code?: unknown; stderr?: string };
    if (code === "ENOENT") return { whyNot: "absent" };
    const words = stderr.split("\n")[0] ?? "";
    return { whyNot: words.includes("not a git repository") ? "outside" : words };
  }
}

/** Lists a tree: what git tracks, or every regular file below it. Symlinks are left out. */
export async function listTree(root: string): Promise<Listing> {
  const { top, whyNot } = await askTop(root);
  const tracked = top === undefined ? undefined : await listTracked(root);
  const found = (tracked ?? (await walk(root))).toSorted();
  const own = found.filter((path) => !VENDORED.test(path));
  const paths = [...own, ...found.filter((path) => VENDORED.test(path))];
  const digest = createHash("sha256").update(paths.join("\0"), "latin1").digest("hex");
  return { paths, vendoredFrom: own.length, git: tracked !== undefined, whyNot, digest };
}

/**
 * Runs git read-only in a folder and answers what it says, a character a byte. Nothing of a
 * worker's environment reaches it.
 */
export async function git(dir: string, args: readonly string[]): Promise<string> {
  const hardened = ["-c", "core.fsmonitor=false", "-c", "core.quotePath=false"];
  const { stdout } = await run("git", ["-C", dir, ...hardened, ...args], {
    encoding: "latin1",
    maxBuffer: GIT_OUTPUT_BYTES_MAX,
    env: { PATH: process.env["PATH"] ?? "", HOME: process.env["HOME"] ?? "", LC_ALL: "C" },
  });
  return stdout;
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
  for (const path of paths) {
    const found = await lstat(fileOf(root, path)).catch(() => undefined);
    if (found?.isFile() === true) present.push(path);
  }
  return present;
}

async function walk(root: string): Promise<string[]> {
  const found: string[] = [];
  const folders = [""];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    const options = { withFileTypes: true, encoding: "buffer" } as const;
    for (const entry of await readdir(fileOf(root, folder), options)) {
      const name = entry.name.toString("latin1");
      const path = folder === "" ? name : `${folder}/${name}`;
      if (entry.isDirectory() && !SKIPPED_FOLDERS.has(name)) folders.push(path);
      if (entry.isFile()) found.push(path);
    }
    if (found.length > WALK_FILES_MAX)
      throw new Error(`a tree without git must have at most ${WALK_FILES_MAX} files: ${root}`);
  }
  return found;
}
