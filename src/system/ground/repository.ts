/*
 * A repository and its working trees, by its files alone: git is never run, for its configuration
 * may be a worker's to write. Forms: gitrepository-layout(5), gitformat-config.
 */

import { existsSync, readdirSync, readFileSync, realpathSync, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";

/** One working tree of a repository. */
export interface Worktree {
  /** `main`, or the name of its folder in the repository's own. */
  readonly id: string;
  /** The folder that it begins at, without links. */
  readonly top: string;
}

/** The working tree that a repository begins with. */
const MAIN = "main";

/**
 * The directory that all working trees of a repository share (`git rev-parse --git-common-dir`);
 * undefined when no working tree begins at `dir`.
 */
export function commonDirOf(dir: string): string | undefined {
  const git = gitDirOf(dir);
  if (git === undefined) return undefined;
  const link = readLine(join(git, "commondir"));
  const common = link === undefined ? git : resolve(git, link);
  return existsSync(join(common, "HEAD")) ? realpathOf(common) : undefined;
}

/**
 * The working trees that a repository knows of, the main one first, by its common directory. The
 * main one is where the directory lies, else where its configuration says, else `known`, a folder
 * whose own `.git` leads to the directory. Those whose folder is gone are left out.
 */
export function worktreesOf(common: string, known?: string): readonly Worktree[] {
  const linked = listNames(join(common, "worktrees")).map((name) => {
    const link = readLine(join(common, "worktrees", name, "gitdir"));
    // Git makes no folder of such a name, so no other working tree is taken for the main one.
    const id = name === MAIN ? `${MAIN}~` : name;
    // It is absolute, or begins where it stands (`git worktree add --relative-paths`).
    return { id, top: link && dirname(resolve(common, "worktrees", name, link)) };
  });
  const main = { id: MAIN, top: mainTopOf(common) ?? ownTop(common, known) };
  return [main, ...linked].flatMap(({ id, top }) => {
    const real = top === undefined ? undefined : realpathOf(top);
    return real === undefined ? [] : [{ id, top: real }];
  });
}

/** A linked working tree has a directory of its own within the common one. */
function ownTop(common: string, dir: string | undefined): string | undefined {
  const git = dir === undefined ? undefined : gitDirOf(dir);
  return git !== undefined && realpathOf(git) === common ? dir : undefined;
}

function mainTopOf(common: string): string | undefined {
  if (basename(common) === ".git") return dirname(common);
  const top = configuredTop(join(common, "config"));
  return top === undefined ? undefined : resolve(common, top);
}

/** `core.worktree`, as git writes it for a submodule. */
function configuredTop(file: string): string | undefined {
  let isCore = false;
  for (const line of readText(file)?.split("\n") ?? []) {
    if (/^\s*\[/.test(line)) isCore = /^\s*\[core\]\s*$/i.test(line);
    const value = isCore ? /^\s*worktree\s*=\s*"?([^"]+?)"?\s*$/i.exec(line)?.[1] : undefined;
    if (value !== undefined) return value;
  }
  return undefined;
}

/** A linked working tree and a submodule have a file `.git` that says where the directory is. */
export function gitDirOf(dir: string): string | undefined {
  const path = join(dir, ".git");
  if (isFolder(path)) return path;
  const target = /^gitdir: (.+)$/.exec(readLine(path) ?? "")?.[1];
  return target === undefined ? undefined : resolve(dir, target);
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    // Not there, not ours to look at, or a link to itself.
    return false;
  }
}

/** The path of what lies there without links; undefined where nothing does. */
export function realpathOf(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    // It was removed without a word to git.
    return undefined;
  }
}

function readLine(path: string): string | undefined {
  return readText(path)?.split("\n", 1)[0]?.trimEnd();
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    // Not there, or not ours to read: then it says nothing.
    return undefined;
  }
}

function listNames(dir: string): readonly string[] {
  try {
    return readdirSync(dir);
  } catch {
    // The repository has no other working trees.
    return [];
  }
}
