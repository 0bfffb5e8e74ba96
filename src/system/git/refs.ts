/*
 * References of a repository, read from its files. What is read may have been written by a worker:
 * only plain files are read, of a bounded size and count, and only what looks like a reference is
 * taken.
 */

import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readSync,
} from "node:fs";
import { join } from "node:path";

/** More than any sane repository has. */
const refsMax = 100_000;
const bytesMax = 32 * 2 ** 20;
const depthMax = 16;

/** A reference's name, as git takes one (git-check-ref-format(1)), but for the rarest. */
const NAME = /^refs\/(?:heads|tags|remotes|notes)(?:\/(?!\.)[^\0-\x20\x7f~^:?*[\\/]+)+$/;

const ID = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;

/** References by name with the object that each names; loose ones count before packed ones. */
export function readRefs(gitDir: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const line of (textOf(join(gitDir, "packed-refs")) ?? "").split("\n")) {
    const [id = "", name = ""] = line.split(" ", 2);
    take(found, name, id);
  }
  readLoose(found, gitDir, "refs");
  return found;
}

/** The branches of a repository with the object that each names. */
export function readBranches(gitDir: string): ReadonlyMap<string, string> {
  return new Map([...readRefs(gitDir)].filter(([name]) => name.startsWith("refs/heads/")));
}

/** A plain file's text; undefined for what is none, is too large, or is not there. */
export function textOf(file: string): string | undefined {
  let fd: number | undefined;
  try {
    fd = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    const stat = fstatSync(fd);
    if (!stat.isFile() || stat.size > bytesMax) return undefined;
    const bytes = Buffer.alloc(stat.size);
    const count = readSync(fd, bytes, 0, bytes.length, 0);
    return bytes.toString("utf8", 0, count);
  } catch {
    // Not there, a link, or not for this user.
    return undefined;
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

function readLoose(found: Map<string, string>, gitDir: string, folder: string): void {
  if (folder.split("/").length > depthMax || found.size > refsMax) return;
  for (const name of namesIn(join(gitDir, folder))) {
    const path = `${folder}/${name}`;
    const stat = lstatSync(join(gitDir, path), { throwIfNoEntry: false });
    if (stat?.isDirectory() === true) readLoose(found, gitDir, path);
    else if (stat?.isFile() === true) take(found, path, (textOf(join(gitDir, path)) ?? "").trim());
  }
}

function take(found: Map<string, string>, name: string, id: string): void {
  const isOdd = /\.\.|@\{|\.lock(?:\/|$)|\.$/.test(name);
  const isOne = NAME.test(name) && !isOdd && ID.test(id);
  if (isOne && found.size < refsMax) found.set(name, id);
}

/** The names in a folder; none where there is no folder. */
export function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    // Not there, or no folder.
    return [];
  }
}
