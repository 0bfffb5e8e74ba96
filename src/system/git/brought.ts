import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { ID, readRefs } from "./refs.ts";
import { linesOf, textOf, TooMuch } from "./walk.ts";

/** What a worker brings in at most: each is a file in the repository. */
const broughtMax = 1_000;

const headBytesMax = 4_096;
const reflogBytesMax = 2 ** 20;

/** What is new in a worker's directory: names to fetch by, with the object of each. */
export interface Brought {
  /** Branches by name, without `refs/heads/`: these are commits, or nothing is fetched. */
  readonly branches: ReadonlyMap<string, string>;
  /** Tags as `tags/NAME`, a detached `HEAD`, that of a linked tree `HEAD-TREE`, `STASH` ... */
  readonly others: ReadonlyMap<string, string>;
}

/**
 * What of a worker's directory is not the repository's already: branches, tags, a detached HEAD,
 * and what was stashed, the newest as `STASH`, those before as `STASH-1` and so on. Throws
 * `TooMuch`, and errors of the file system.
 */
export async function broughtIn(from: string, gitDir: string): Promise<Brought> {
  const known = await readRefs(gitDir);
  const knownIds = new Set([...known.values(), ...(await detachedIn(gitDir)).values()]);
  const [branches, others] = [new Map<string, string>(), new Map<string, string>()];
  for (const [name, id] of await readRefs(from)) {
    if (known.get(name) === id) continue;
    if (name.startsWith("refs/heads/")) branches.set(name.slice("refs/heads/".length), id);
    else if (name.startsWith("refs/tags/")) others.set(name.slice("refs/".length), id);
  }
  const reached = new Set([...knownIds, ...branches.values()]);
  for (const [name, id] of await detachedIn(from)) if (!reached.has(id)) others.set(name, id);
  const stashed = await stashedIn(from);
  for (const [index, id] of stashed.entries())
    others.set(index === 0 ? "STASH" : `STASH-${index}`, id);
  if (branches.size + others.size > broughtMax)
    throw new TooMuch(
      `at most ${broughtMax} branches, tags and stashes are fetched, here are more`,
    );
  return { branches, others };
}

/** What detached HEADs name, by the names that they are fetched by. */
async function detachedIn(gitDir: string): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  const take = async (name: string, file: string): Promise<void> => {
    const id = (await textOf(file, headBytesMax))?.trim() ?? "";
    if (ID.test(id)) found.set(name, id);
  };
  await take("HEAD", join(gitDir, "HEAD"));
  // Not there in most.
  const trees = await readdir(join(gitDir, "worktrees")).catch(() => []);
  if (trees.length > broughtMax) throw new TooMuch(`at most ${broughtMax} linked working trees`);
  for (const tree of trees.filter((name) => TREE.test(name)))
    await take(`HEAD-${tree}`, join(gitDir, "worktrees", tree, "HEAD"));
  return found;
}

/** A linked tree's name that can be part of a reference's. */
const TREE = /^[A-Za-z0-9_][A-Za-z0-9_-]*$/;

/** What was stashed and not dropped, the newest first. */
async function stashedIn(gitDir: string): Promise<readonly string[]> {
  const newest = (await textOf(join(gitDir, "refs/stash"), headBytesMax))?.trim() ?? "";
  if (!ID.test(newest)) return [];
  const ids: string[] = [];
  for await (const line of linesOf(join(gitDir, "logs/refs/stash"), reflogBytesMax)) {
    const [, id = ""] = line.split(" ", 2);
    if (ID.test(id)) ids.unshift(id);
    if (ids.length > broughtMax) throw new TooMuch(`at most ${broughtMax} stashes are fetched`);
  }
  return ids[0] === newest ? ids : [newest, ...ids];
}
