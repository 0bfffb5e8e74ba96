import { readFile } from "node:fs/promises";
import { extname } from "node:path";
import { fileOf, git, showPath, type Listing } from "./listing.ts";

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
  readonly languages: Readonly<Record<string, { readonly files: number; readonly lines: number }>>;
  /** Lines added and deleted in the newest commits; null without git. */
  readonly churn: number | null;
  /** The most changed files, most first, at most {@link HOT_FILES_MAX}. */
  readonly hot: readonly { readonly path: string; readonly churn: number }[];
}

/** How many most changed files a report names. */
export const HOT_FILES_MAX = 5;

/** How many of the newest commits churn is taken from. */
export const CHURN_COMMITS_MAX = 1_000;

const LANGUAGES: Readonly<Record<string, string>> = {
  ".c": "C",
  ".cc": "C++",
  ".cjs": "JavaScript",
  ".cpp": "C++",
  ".cs": "C#",
  ".css": "CSS",
  ".go": "Go",
  ".h": "C",
  ".html": "HTML",
  ".java": "Java",
  ".js": "JavaScript",
  ".json": "JSON",
  ".kt": "Kotlin",
  ".md": "Markdown",
  ".mjs": "JavaScript",
  ".php": "PHP",
  ".py": "Python",
  ".rb": "Ruby",
  ".rs": "Rust",
  ".sh": "Shell",
  ".sql": "SQL",
  ".swift": "Swift",
  ".toml": "TOML",
  ".ts": "TypeScript",
  ".tsx": "TypeScript",
  ".yaml": "YAML",
  ".yml": "YAML",
};

/** The language of a path by its extension; what is not known is `other`. */
export function languageOf(path: string): string {
  return LANGUAGES[extname(path).toLowerCase()] ?? "other";
}

/** The findings of no file at all. */
export function nothing(withGit: boolean): Findings {
  return { files: 0, lines: 0, bytes: 0, languages: {}, churn: withGit ? 0 : null, hot: [] };
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
    languages,
    churn,
    hot: hottest([...left.hot, ...right.hot]),
  };
}

/** Analyses a part of a tree by reading its files, and its churn by `git log`. */
export async function analyse(root: string, listing: Listing, part: Part): Promise<Findings> {
  const paths = listing.paths.slice(part.from, part.to);
  let found = nothing(listing.git);
  for (const path of paths) {
    const content = await readFile(fileOf(root, path));
    const lines = countLines(content);
    found = merge(found, {
      files: 1,
      lines,
      bytes: content.length,
      languages: { [languageOf(path)]: { files: 1, lines } },
      churn: listing.git ? 0 : null,
      hot: [],
    });
  }
  if (!listing.git || paths.length === 0) return found;
  const churn = await churnOf(root, new Set(paths));
  const sum = [...churn.values()].reduce((total, count) => total + count, 0);
  const hot = [...churn].map(([path, count]) => ({ path: showPath(path), churn: count }));
  return { ...found, churn: sum, hot: hottest(hot) };
}

const NEWLINE = 0x0a;

/** How git tells binary content: a NUL byte among the first 8 000. */
const BINARY_PROBE_BYTES = 8_000;

/** Lines as a reader counts them, an unterminated last one too. Binary files have none. */
export function countLines(content: Uint8Array): number {
  if (content.subarray(0, BINARY_PROBE_BYTES).includes(0)) return 0;
  let lines = 0;
  for (const byte of content) if (byte === NEWLINE) lines += 1;
  const unterminated = content.length > 0 && content.at(-1) !== NEWLINE;
  return unterminated ? lines + 1 : lines;
}

function hottest(files: Findings["hot"]): Findings["hot"] {
  return files
    .filter((file) => file.churn > 0)
    .toSorted((a, b) => b.churn - a.churn || (a.path < b.path ? -1 : 1))
    .slice(0, HOT_FILES_MAX);
}

const NUMSTAT = /^(\d+|-)\t(\d+|-)\t(.+)$/s;

async function churnOf(root: string, paths: ReadonlySet<string>): Promise<Map<string, number>> {
  const churn = new Map<string, number>();
  const args = [
    "log",
    `--max-count=${CHURN_COMMITS_MAX}`,
    "--numstat",
    "--format=",
    "--no-renames",
  ];
  args.push("--no-ext-diff", "--no-textconv", "-z", "--relative");
  // A repository without a commit has no log to read.
  const log = await git(root, args).catch(() => "");
  for (const row of log.split("\0")) {
    const [, added, deleted, path] = NUMSTAT.exec(row.replace(/^\n+/, "")) ?? [];
    if (path === undefined || !paths.has(path)) continue;
    const count = (Number(added) || 0) + (Number(deleted) || 0);
    churn.set(path, (churn.get(path) ?? 0) + count);
  }
  return churn;
}

/** Cuts a part into `count` parts of nearly equal length; those of a short one may be empty. */
export function divide(part: Part, count: number): readonly Part[] {
  const length = part.to - part.from;
  return Array.from({ length: count }, (_, index) => ({
    from: part.from + Math.floor((length * index) / count),
    to: part.from + Math.floor((length * (index + 1)) / count),
  }));
}
