/*
 * Folders that a worker may have written, looked at without harm: no link is followed, nothing but
 * plain files is opened, and there is an end to it however much is there.
 */

import { constants, type Dirent } from "node:fs";
import { lstat, open, opendir, type FileHandle } from "node:fs/promises";
import { join } from "node:path";

/** How much is looked at. */
export interface Bounds {
  /** Names in all folders together. */
  readonly namesMax: number;
  /** Folders in folders; 1 is a folder without others. */
  readonly depthMax: number;
}

/** There is more than is looked at, or deeper. */
export class TooMuch extends Error {
  override readonly name = "TooMuch";
}

/** Something below a folder: `path` begins with the folder's own name in `root`. */
export interface Found {
  readonly path: string;
  readonly entry: Dirent;
}

/**
 * What lies below a folder, folders before what is in them; nothing where there is no folder.
 * Throws `TooMuch`, and errors of the file system.
 */
export async function* walk(root: string, folder: string, bounds: Bounds): AsyncGenerator<Found> {
  let count = 0;
  const left = [{ path: folder, depth: 1 }];
  for (let next = left.pop(); next !== undefined; next = left.pop()) {
    const { path: within, depth } = next;
    if (depth > bounds.depthMax)
      throw new TooMuch(`${within}: folders lie at most ${bounds.depthMax} deep`);
    if (!(await isFolder(join(root, within)))) continue;
    for await (const entry of await opendir(join(root, within))) {
      count += 1;
      if (count > bounds.namesMax)
        throw new TooMuch(`${folder} has at most ${bounds.namesMax} names, and here are more`);
      const path = `${within}/${entry.name}`;
      yield { path, entry };
      if (entry.isDirectory()) left.push({ path, depth: depth + 1 });
    }
  }
}

/** Whether a folder is there itself, not a link to one. */
export async function isFolder(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => undefined))?.isDirectory() === true;
}

/** A plain file's text; undefined for what is none, is larger, or is not there. */
export async function textOf(file: string, bytesMax: number): Promise<string | undefined> {
  const handle = await openPlain(file, bytesMax);
  if (handle === undefined) return undefined;
  try {
    return await handle.readFile("utf8");
  } finally {
    await handle.close();
  }
}

/** The lines of a plain file, as they are read; none where `textOf` has nothing. */
export async function* linesOf(file: string, bytesMax: number): AsyncGenerator<string> {
  const handle = await openPlain(file, bytesMax);
  if (handle === undefined) return;
  try {
    yield* handle.readLines({ autoClose: false });
  } finally {
    await handle.close();
  }
}

async function openPlain(file: string, bytesMax: number): Promise<FileHandle | undefined> {
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  // Not there, a link, or not for this user.
  const handle = await open(file, flags).catch(() => undefined);
  if (handle === undefined) return undefined;
  const stat = await handle.stat();
  if (stat.isFile() && stat.size <= bytesMax) return handle;
  await handle.close();
  return undefined;
}
