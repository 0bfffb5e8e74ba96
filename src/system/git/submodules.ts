/*
 * What is git's of the submodules of a working tree. Whoever calls git at its top has it work in
 * them too, by what each one's `.git` says:
 *
 *     TOP/libs/sub/.git         names its directory: who writes it has others run what that says
 *     TOP/libs/none             has no `.git` yet: whoever makes one there does the same
 *     TOP/libs/sub/deep/.git    a submodule's own submodules likewise
 *
 * Which there are is said by the indexes of their directories.
 */

import { lstat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { runGit } from "./run.ts";
import { isFolder, textOf } from "./walk.ts";

/** Submodules in submodules, and all together. */
const depthMax = 16;
const submodulesMax = 10_000;

/** How long git may take to say what one index has, ms. */
const indexMs = 30_000;

/** Indexes whose submodules are remembered. */
const rememberedMax = 1_000;

/** More than any path has, bytes; what is longer is none. */
const pathBytesMax = 65_536;

/** What is git's in the folders of a working tree; all absolute. */
export interface Submodules {
  /** `SUB/.git`, whatever it is, where one is there. */
  readonly kept: readonly string[];
  /** Submodules' folders without one: nothing may be made in them. They may not be there. */
  readonly left: readonly string[];
}

/**
 * What is git's of the submodules of the working tree at `top`, and of theirs; nothing where it is
 * none. An index is read again when it has changed. Throws where git cannot say what one has within
 * half a minute, and where there are more than 10 000 submodules.
 */
export async function submodulesOf(top: string): Promise<Submodules> {
  const kept: string[] = [];
  const left: string[] = [];
  const topGitDir = await gitDirOf(top);
  if (topGitDir === undefined) return { kept, left };
  const waiting = [{ folder: top, gitDir: topGitDir, depth: 0 }];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { folder, depth } = next;
    if (depth === depthMax) throw new Error(`submodules lie at most ${depthMax} deep in ${top}`);
    for (const name of await linksOf({ top, topGitDir, gitDir: next.gitDir })) {
      const at = join(folder, name);
      const gitDir = await gitDirOf(at);
      if (gitDir === undefined) left.push(at);
      else {
        kept.push(join(at, ".git"));
        waiting.push({ folder: at, gitDir, depth: depth + 1 });
      }
    }
    if (kept.length + left.length > submodulesMax)
      throw new Error(`${top} has at most ${submodulesMax} submodules, and here are more`);
  }
  return { kept, left };
}

/**
 * Where the directory of what is checked out in a folder is said to be; undefined where nothing
 * says so. Whatever else its `.git` is, it is itself.
 */
async function gitDirOf(folder: string): Promise<string | undefined> {
  const path = join(folder, ".git");
  const stat = (await isFolder(folder)) ? await lstat(path).catch(() => undefined) : undefined;
  if (stat === undefined) return undefined;
  const text = stat.isFile() ? await textOf(path, pathBytesMax) : undefined;
  const said = /^gitdir: (.+?)[\r\n]*$/.exec(text ?? "")?.[1];
  return said === undefined ? path : resolve(folder, said);
}

/** A directory of git's, and the working tree and the directory that it is looked at from. */
interface Within {
  readonly top: string;
  readonly topGitDir: string;
  readonly gitDir: string;
}

/** The submodules of an index, as it was at a time. */
interface Remembered {
  readonly version: string;
  readonly links: Promise<readonly string[]>;
}

const remembered = new Map<string, Remembered>();

async function linksOf(within: Within): Promise<readonly string[]> {
  const index = join(within.gitDir, "index");
  const stat = await lstat(index, { bigint: true }).catch(() => undefined);
  // None without a commit; and no pipe is waited for.
  if (stat?.isFile() !== true) return [];
  const version = [stat.dev, stat.ino, stat.size, stat.mtimeNs, stat.ctimeNs].join(":");
  const known = remembered.get(index);
  const links = known?.version === version ? known.links : readLinks(within, index);
  // Last in its order: what is long unused is forgotten first.
  remembered.delete(index);
  remembered.set(index, { version, links });
  const [oldest] = remembered.keys();
  if (remembered.size > rememberedMax && oldest !== undefined) remembered.delete(oldest);
  try {
    return await links;
  } catch (error) {
    // Whoever looks next tries again.
    if (remembered.get(index)?.links === links) remembered.delete(index);
    throw error;
  }
}

/**
 * The paths in an index that are other repositories' commits (mode 160000). Git is run on what lies
 * in the top's directory alone, which no worker writes to: for any other, on the top's itself.
 */
async function readLinks(within: Within, index: string): Promise<readonly string[]> {
  const { top, topGitDir, gitDir } = within;
  const runOn = gitDir.startsWith(join(topGitDir, "/")) ? gitDir : topGitDir;
  let rest = "";
  const lines: string[] = [];
  await runGit({
    args: ["--git-dir", runOn, "--work-tree", top, "ls-files", "--stage", "-z"],
    env: { GIT_INDEX_FILE: index },
    cwd: top,
    withinMs: indexMs,
    onOutput: (chunk) => {
      // One character for each byte: a name may be cut anywhere.
      const parts = (rest + chunk.toString("latin1")).split("\0");
      rest = (parts.pop() ?? "").slice(0, pathBytesMax);
      lines.push(...parts.filter((line) => line.startsWith("160000 ")));
    },
  });
  // A path that is no text could not be kept by its name: then it is not known what is git's.
  const decoder = new TextDecoder("utf-8", { fatal: true });
  const paths = lines.map((line) => line.slice(line.indexOf("\t") + 1));
  const links = new Set(paths.map((path) => decoder.decode(Buffer.from(path, "latin1"))));
  return [...links].filter(isWithin);
}

/** Whether a path leads to something in the folder that it is of, as git's own do. */
function isWithin(path: string): boolean {
  return path.split("/").every((name) => !["", ".", ".."].includes(name));
}
