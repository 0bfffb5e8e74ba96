import { join } from "node:path";
import { foldersIn, offOwnGround } from "../../kernel/mount/folders.ts";
import type { Lease } from "../../kernel/lease/lease.ts";
import type { Ground } from "../../ports/ground/ground.ts";
import type { Gift } from "../../ports/sandbox.ts";
import type { Submodules } from "../../system/git/submodules.ts";
import { isIn } from "../reach.ts";

/** What is git's own, in whatever case a file system may take it. */
const GIT = /^\.git$/i;

/** What there is where a lease is to be mounted. */
export interface Site {
  readonly ground: Ground;
  readonly foldsCase: boolean;
  /** Those of all working trees. */
  readonly submodules: Submodules;
}

/**
 * Where the whole folders of a lease lie: one for each, and where worktrees share their ground one
 * in each of them. What is git's own stays as it is, that of submodules too: whoever writes there
 * has others run what it says. So does another worktree that lies in one of them.
 */
export function placesOf(
  { ground, foldsCase, submodules }: Site,
  { region, mode }: Pick<Lease, "region" | "mode">,
): readonly Gift[] {
  const { given, kept } = foldersIn({ region, mode }, foldsCase);
  const all = ground.topsOf(null);
  return given.flatMap((folder) => {
    const { path, worktree } = offOwnGround(folder);
    if (path.some((name) => GIT.test(name))) return [];
    return ground.topsOf(worktree ?? null).flatMap((top) => {
      const at = join(top, ...path);
      // Whoever writes to a submodule that was not fetched makes a `.git` of his own there.
      if (submodules.left.some((other) => other === at || isIn(at, other))) return [];
      const inIt = (paths: readonly string[]): readonly string[] =>
        paths.filter((one) => isIn(one, at));
      const left = kept
        .map(offOwnGround)
        .filter((one) => one.worktree === worktree)
        .map((one) => join(top, ...one.path))
        .filter((one) => isIn(one, at));
      return [
        {
          folder: at,
          kept: [join(at, ".git"), ...inIt(all), ...inIt(submodules.kept)],
          left: [...left, ...inIt(submodules.left)],
        },
      ];
    });
  });
}
