import { languageOf } from "./languages.ts";
import { FileCounter, type FileCounts } from "./lines.ts";
import { fileOf, showPath, type Listing } from "./listing.ts";
import { git } from "./git.ts";

/** A part of a listing: the paths from `from` up to, not including, `to`. */
export interface Part {
  readonly from: number;
  readonly to: number;
}

/** What a worker finds in its part; every count adds up. */
export interface Findings {
  readonly files: number;
  readonly lines: number;
  readonly bytes: number;
  /** Files that are listed and that a worker is not let read; they are in no other count. */
  readonly unreadable: number;
  readonly languages: Readonly<Record<string, { readonly files: number; readonly lines: number }>>;
  /** Lines added and deleted in the newest commits; null without git. */
  readonly churn: number | null;
  /** The most changed files, most first, at most {@link HOT_FILES_MAX}. */
  readonly hot: readonly { readonly path: string; readonly churn: number }[];
}

/** How many most changed files a report names. */
export const HOT_FILES_MAX = 5;

/** How much of a path a report shows, characters: a checkpoint has a limit, and paths have none. */
const SHOWN_PATH_CHARS = 120;

/** How many of the newest commits churn is taken from. */
export const CHURN_COMMITS_MAX = 1_000;

/** The findings of no file at all. */
export function nothing(withGit: boolean): Findings {
  const churn = withGit ? 0 : null;
  return { files: 0, lines: 0, bytes: 0, unreadable: 0, languages: {}, churn, hot: [] };
}

/** Adds two findings of parts that share no file. */
export function merge(left: Findings, right: Findings): Findings {
  const languages: Record<string, { files: number; lines: number }> = {};
  for (const [name, count] of [
    ...Object.entries(left.languages),
    ...Object.entries(right.languages),
  ]) {
    const sum = languages[name] ?? { files: 0, lines: 0 };
    languages[name] = { files: sum.files + count.files, lines: sum.lines + count.lines };
  }
  const churn = left.churn === null || right.churn === null ? null : left.churn + right.churn;
  return {
    files: left.files + right.files,
    lines: left.lines + right.lines,
    bytes: left.bytes + right.bytes,
    unreadable: left.unreadable + right.unreadable,
    languages,
    churn,
    hot: hottest([...left.hot, ...right.hot]),
  };
}

/** Analyses a part of a tree by reading its files, and its churn by `git log`. */
export async function analyse(root: string, listing: Listing, part: Part): Promise<Findings> {
  const paths = listing.paths.slice(part.from, part.to);
  let found = nothing(listing.git);
  const counter = new FileCounter();
  for (const path of paths) {
    const counts = await tryCount(counter, fileOf(root, path));
    found = merge(found, findingsOf(path, counts, listing.git));
  }
  if (!listing.git || paths.length === 0) return found;
  const churn = await churnOf(root, new Set(paths));
  const sum = [...churn.values()].reduce((total, count) => total + count, 0);
  const hot = [...churn].map(([path, count]) => ({ path: shorten(showPath(path)), churn: count }));
  return { ...found, churn: sum, hot: hottest(hot) };
}

function findingsOf(path: string, counts: FileCounts | undefined, withGit: boolean): Findings {
  const none = nothing(withGit);
  if (counts === undefined) return { ...none, unreadable: 1 };
  const languages = { [languageOf(path)]: { files: 1, lines: counts.lines } };
  return { ...none, ...counts, files: 1, languages };
}

/**
 * Undefined for a file that is another's: root in a sandbox has no rights over those. Throws where
 * it was listed and is gone.
 */
async function tryCount(counter: FileCounter, path: Buffer): Promise<FileCounts | undefined> {
  try {
    return await counter.count(path);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "EACCES" || code === "EPERM") return undefined;
    if (code === "ENOENT" || code === "ENOTDIR") {
      const shown = path.toString("utf8");
      throw new Error(`the tree changed while it was analysed: ${shown} is gone`, { cause: error });
    }
    throw error;
  }
}

function shorten(path: string): string {
  return path.length <= SHOWN_PATH_CHARS ? path : `…${path.slice(1 - SHOWN_PATH_CHARS)}`;
}

function hottest(files: Findings["hot"]): Findings["hot"] {
  return files
    .filter((file) => file.churn > 0)
    .toSorted((a, b) => b.churn - a.churn || (a.path < b.path ? -1 : 1))
    .slice(0, HOT_FILES_MAX);
}

const NUMSTAT = /^(\d+|-)\t(\d+|-)\t(.+)$/s;

const LOG = [
  ["log", `--max-count=${CHURN_COMMITS_MAX}`, "--numstat", "--format=", "--no-renames", "-z"],
  ["--no-ext-diff", "--no-textconv", "--no-show-signature", "--relative"],
].flat();

async function churnOf(root: string, paths: ReadonlySet<string>): Promise<Map<string, number>> {
  const churn = new Map<string, number>();
  // A repository without a commit has no log to read.
  if (!(await hasCommits(root))) return churn;
  const log = await git(root, LOG);
  for (const row of log.split("\0")) {
    const [, added, deleted, path] = NUMSTAT.exec(row.replace(/^\n+/, "")) ?? [];
    if (path === undefined || !paths.has(path)) continue;
    const count = (Number(added) || 0) + (Number(deleted) || 0);
    churn.set(path, (churn.get(path) ?? 0) + count);
  }
  return churn;
}

async function hasCommits(root: string): Promise<boolean> {
  try {
    await git(root, ["rev-parse", "--quiet", "--verify", "HEAD"]);
    return true;
  } catch {
    // That is how it says that there is none; what else is wrong `log` would say again.
    return false;
  }
}

/** Cuts a part into `count` parts of nearly equal length; those of a short one may be empty. */
export function divide(part: Part, count: number): readonly Part[] {
  const length = part.to - part.from;
  return Array.from({ length: count }, (_, index) => ({
    from: part.from + Math.floor((length * index) / count),
    to: part.from + Math.floor((length * (index + 1)) / count),
  }));
}
