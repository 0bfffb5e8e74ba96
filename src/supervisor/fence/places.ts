import { join } from "node:path";
import { foldersIn, offOwnGround } from "../../kernel/mount/folders.ts";
import type { Lease } from "../../kernel/lease/lease.ts";
import type { Ground } from "../../ports/ground.ts";
import type { Gift } from "../../ports/sandbox.ts";
import { isIn } from "../reach.ts";

/** What is git's own, in whatever case a file system may take it. */
const GIT = /^\.git$/i;

/**
 * Where the whole folders of a lease lie: one for each, and where worktrees share their ground one
 * in each of them. What is git's own stays as it is: whoever writes there has others run what it
 * says. So does another worktree that lies in one of them.
 */
export function placesOf(
  ground: Ground,
  { region, mode }: Pick<Lease, "region" | "mode">,
  foldsCase: boolean,
): readonly Gift[] {
  const { given, kept } = foldersIn({ region, mode }, foldsCase);
  const all = ground.topsOf(null);
  return given.flatMap((folder) => {
    const { path, worktree } = offOwnGround(folder);
    if (path.some((name) => GIT.test(name))) return [];
    return ground.topsOf(worktree ?? null).map((top) => {
      const at = join(top, ...path);
      const others = all.filter((other) => isIn(other, at));
      const left = kept
        .map(offOwnGround)
        .filter((one) => one.worktree === worktree)
        .map((one) => join(top, ...one.path))
        .filter((one) => isIn(one, at));
      return { folder: at, kept: [join(at, ".git"), ...others, ...left] };
    });
  });
}
