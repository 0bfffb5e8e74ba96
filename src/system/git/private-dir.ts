/*
 * A repository's directory for one worker alone: its own references, index and new objects, and the
 * original's objects to read. It is made by writing files; no git is run for it, for what git does
 * is said by the directory that it runs on.
 *
 *     private/                      what the worker has as `.git`
 *       HEAD, index, packed-refs    copied, those of linked working trees too
 *       config                      neutral: nothing of the original's, which may run programs
 *       objects/info/alternates     says `TOP/.git/original`
 *       original/                   the original's objects, once they are mounted there
 */

import { copyFile, lstat, mkdir, readdir, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { readRefs } from "./refs.ts";
import { isFolder, textOf } from "./walk.ts";

/** Where in a private directory the original's objects are. */
export const ORIGINAL = "original";

/** What a private directory is made from, and for. */
export interface PrivateDirOptions {
  /** The repository's own directory, which no worker writes to. */
  readonly gitDir: string;
  /** Where the private one is to be; nothing is there yet. */
  readonly dir: string;
  /** Where its worker will have it: `.git` of the working tree. */
  readonly at: string;
}

/** Files that a repository works on with, where it has them. */
const COPIED = ["index", "shallow"];

/** Where it has those of its linked working trees, each in a folder (gitrepository-layout(5)). */
const TREES = "worktrees";
const TREE_FILES = ["HEAD", "gitdir", "commondir", "index"];

/** What a `HEAD`, a `config` or an `info/exclude` has at most. */
const bytesMax = 2 ** 20;

/**
 * Makes a worker's own directory of a repository; false where there is none to make it from: a
 * `.git` that is no folder, or has no HEAD that can be understood. Throws errors of the file
 * system, and `TooMuch`.
 */
export async function makePrivateDir({ gitDir, dir, at }: PrivateDirOptions): Promise<boolean> {
  const head = (await textOf(join(gitDir, "HEAD"), bytesMax))?.trim();
  if (head === undefined || !HEAD.test(head)) return false;
  if (!(await isFolder(join(gitDir, "objects")))) return false;
  for (const name of ["objects/info", "refs/heads", "refs/tags", "info", ORIGINAL])
    await mkdir(join(dir, name), { recursive: true, mode: 0o700 });
  await writeFile(join(dir, "HEAD"), `${head}\n`);
  await writeFile(join(dir, "config"), configFor(await isSha256(gitDir)));
  await writeFile(join(dir, "objects/info/alternates"), `${join(at, ORIGINAL)}\n`);
  await writeFile(join(dir, "packed-refs"), packed(await readRefs(gitDir)));
  const exclude = await textOf(join(gitDir, "info/exclude"), bytesMax);
  if (exclude !== undefined) await writeFile(join(dir, "info/exclude"), exclude);
  for (const name of COPIED) await copyIfThere(join(gitDir, name), join(dir, name));
  // Not there in most.
  const trees = await readdir(join(gitDir, TREES)).catch(() => []);
  for (const name of trees) await copyTree(join(gitDir, TREES, name), dir);
  return true;
}

/** Whether a repository names its objects by SHA-256, as its config says. */
export async function isSha256(gitDir: string): Promise<boolean> {
  const config = (await textOf(join(gitDir, "config"), bytesMax)) ?? "";
  return /^\s*objectformat\s*=\s*sha256\s*$/im.test(config);
}

const HEAD = /^(?:ref: refs\/heads\/[^\0-\x20~^:?*[\\]+|[0-9a-f]{40}|[0-9a-f]{64})$/;

/** All that the original's says is how its objects are named. */
function configFor(hasSha256: boolean): string {
  const lines = ["[core]", `\trepositoryformatversion = ${hasSha256 ? 1 : 0}`, "\tbare = false"];
  const format = hasSha256 ? ["[extensions]", "\tobjectformat = sha256"] : [];
  return `${[...lines, "\tlogallrefupdates = true", ...format].join("\n")}\n`;
}

function packed(refs: ReadonlyMap<string, string>): string {
  const rows = [...refs].toSorted(([one], [other]) => (one < other ? -1 : 1));
  const lines = rows.map(([name, id]) => `${id} ${name}\n`);
  return `# pack-refs with: sorted \n${lines.join("")}`;
}

async function copyTree(from: string, dir: string): Promise<void> {
  if (!(await isFolder(from))) return;
  const to = join(dir, TREES, basename(from));
  await mkdir(to, { recursive: true, mode: 0o700 });
  for (const name of TREE_FILES) await copyIfThere(join(from, name), join(to, name));
}

async function copyIfThere(from: string, to: string): Promise<void> {
  const stat = await lstat(from).catch(() => undefined);
  if (stat?.isFile() === true) await copyFile(from, to);
}
