/*
 * References of a repository, read from its files. What is read may have been written by a worker:
 * only what looks like a reference is taken.
 */

import { join } from "node:path";
import { linesOf, textOf, TooMuch, walk } from "./walk.ts";

/** More than any sane repository has, of names and of references. */
const namesMax = 200_000;
const packedBytesMax = 32 * 2 ** 20;

const looseBytesMax = 4_096;
const depthMax = 16;

/** What lies below `refs` and is a repository's own; others git and its users make as they like. */
const KINDS = ["heads", "tags", "remotes", "notes"];

/** A reference's name, as git takes one (git-check-ref-format(1)), but for the rarest. */
const NAME = /^refs\/(?:heads|tags|remotes|notes)(?:\/(?!\.)[^\0-\x20\x7f~^:?*[\\/]+)+$/;

/** An object's name, by SHA-1 or SHA-256. */
export const ID = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;

/**
 * References by name with the object that each names; loose ones count before packed ones. Throws
 * `TooMuch` where there are more than 200 000, and errors of the file system.
 */
export async function readRefs(gitDir: string): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  let count = 0;
  for await (const line of linesOf(join(gitDir, "packed-refs"), packedBytesMax)) {
    count += 1;
    if (count > namesMax)
      throw new TooMuch(`packed-refs has at most ${namesMax} lines, and here are more`);
    const [id = "", name = ""] = line.split(" ", 2);
    take(found, name, id);
  }
  for (const kind of KINDS)
    for await (const { path, entry } of walk(gitDir, `refs/${kind}`, { namesMax, depthMax }))
      if (entry.isFile())
        take(found, path, ((await textOf(join(gitDir, path), looseBytesMax)) ?? "").trim());
  return found;
}

function take(found: Map<string, string>, name: string, id: string): void {
  const isOdd = /\.\.|@\{|\.lock(?:\/|$)|\.$/.test(name);
  if (NAME.test(name) && !isOdd && ID.test(id)) found.set(name, id);
}
