/*
 * Where the files of a ground lie that its workers are to write to. They write to the repository's
 * own directory too, so what that says of its working trees is their word: a tree counts only where
 * its own `.git` leads back, which nobody could make lead so who may not write there already.
 */

import { basename, dirname, join } from "node:path";
import { gitDirOf, realpathOf, worktreesOf, type Worktree } from "./repository.ts";

/** A ground as it is known by its files; all paths real. */
export interface Places {
  readonly worktrees: readonly Worktree[];
  /** The directory that the working trees share. */
  readonly common: string | undefined;
  /** The fleet's state folder, which no worker may write to. */
  readonly stateDir: string | undefined;
}

/** The folders of a ground: of its working trees, and the directory that they share. */
export function foldersOf({ worktrees, common, stateDir }: Places): readonly string[] {
  const above = stateDir === undefined ? undefined : dirname(stateDir);
  const tops = worktrees.map(({ top }) => top);
  const own = tops.filter((top) => top === above);
  const isShared =
    common !== undefined &&
    (common === above || own.some((top) => common === join(top, ".git") || isTreeOf(top, common)));
  if (!isShared) return own;
  return [...tops.filter((top) => own.includes(top) || leadsTo(top, common)), common];
}

/** Whether a folder says of itself that it is a working tree of a directory. */
function leadsTo(top: string, common: string): boolean {
  const given = gitDirOf(top);
  const git = given === undefined ? undefined : realpathOf(given);
  if (git === undefined) return false;
  const isLinked = basename(dirname(git)) === "worktrees" && dirname(dirname(git)) === common;
  return git === common || isLinked;
}

/** Whether a directory says so, too: a folder's `.git` can be made to lead to any repository. */
function isTreeOf(top: string, common: string): boolean {
  return leadsTo(top, common) && worktreesOf(common).some((one) => one.top === top);
}
