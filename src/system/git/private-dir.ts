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

import { copyFileSync, lstatSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { namesIn, readRefs, textOf } from "./refs.ts";

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

/**
 * Makes a worker's own directory of a repository; false where there is none to make it from: a
 * `.git` that is no folder, or has no HEAD that can be understood. Throws errors of the file
 * system.
 */
export function makePrivateDir({ gitDir, dir, at }: PrivateDirOptions): boolean {
  const head = textOf(join(gitDir, "HEAD"))?.trim();
  if (head === undefined || !HEAD.test(head) || !isFolder(join(gitDir, "objects"))) return false;
  for (const name of ["objects/info", "refs/heads", "refs/tags", "info", ORIGINAL])
    mkdirSync(join(dir, name), { recursive: true, mode: 0o700 });
  writeFileSync(join(dir, "HEAD"), `${head}\n`);
  writeFileSync(join(dir, "config"), configFor(textOf(join(gitDir, "config")) ?? ""));
  writeFileSync(join(dir, "objects/info/alternates"), `${join(at, ORIGINAL)}\n`);
  const refs = [...readRefs(gitDir)].toSorted(([one], [other]) => (one < other ? -1 : 1));
  const lines = refs.map(([name, id]) => `${id} ${name}\n`);
  writeFileSync(join(dir, "packed-refs"), `# pack-refs with: sorted \n${lines.join("")}`);
  const exclude = textOf(join(gitDir, "info/exclude"));
  if (exclude !== undefined) writeFileSync(join(dir, "info/exclude"), exclude);
  for (const name of COPIED) copyIfThere(join(gitDir, name), join(dir, name));
  for (const name of namesIn(join(gitDir, TREES))) copyTree(join(gitDir, TREES, name), dir);
  return true;
}

/** Removes a worker's own directory; safe where there is none. */
export function removePrivateDir(dir: string): void {
  rmSync(dir, { recursive: true, force: true });
}

const HEAD = /^(?:ref: refs\/heads\/[^\0-\x20~^:?*[\\]+|[0-9a-f]{40}|[0-9a-f]{64})$/;

/** All that the original's says is how its objects are named. */
function configFor(original: string): string {
  const isSha256 = /^\s*objectformat\s*=\s*sha256\s*$/im.test(original);
  const lines = ["[core]", `\trepositoryformatversion = ${isSha256 ? 1 : 0}`, "\tbare = false"];
  const format = isSha256 ? ["[extensions]", "\tobjectformat = sha256"] : [];
  return `${[...lines, "\tlogallrefupdates = true", ...format].join("\n")}\n`;
}

function copyTree(from: string, dir: string): void {
  if (!isFolder(from)) return;
  const to = join(dir, TREES, basename(from));
  mkdirSync(to, { recursive: true, mode: 0o700 });
  for (const name of TREE_FILES) copyIfThere(join(from, name), join(to, name));
}

function isFolder(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

function copyIfThere(from: string, to: string): void {
  if (lstatSync(from, { throwIfNoEntry: false })?.isFile() === true) copyFileSync(from, to);
}

/** The config of a private directory, as far as a fetch from it has to know: its object format. */
export function isSha256(gitDir: string): boolean {
  return configFor(readFileSync(join(gitDir, "config"), "utf8")).includes("sha256");
}
