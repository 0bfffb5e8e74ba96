import { existsSync, statSync } from "node:fs";
import { basename, dirname, resolve } from "node:path";
import type { Ground, Standpoint, GroundSight } from "../../ports/ground/ground.ts";
import { foldersOf, type Places } from "./places.ts";
import { PathFollower } from "./real-path.ts";
import { commonDirOf, worktreesOf, type Worktree } from "./repository.ts";

/** The names of state folders: in a folder's own, and in a repository's common directory. */
const NAMES = { own: ".stint", shared: "stint" } as const;

/** The names of what is git's own, in whatever case a file system may take them. */
const GIT = /^\.git$/i;

/**
 * Looks at the ground of a fleet: the folder that its state folder says, by lying in a repository's
 * directory or by its name `.stint`, else the given `root`. Where that is a repository's, all its
 * working trees are ground. A `root` that is given must be one of them.
 */
export function lookAtGround({ stateDir: given, root, cwd }: Standpoint): GroundSight {
  const follower = new PathFollower();
  const stateDir = given === undefined ? undefined : follower.follow(resolve(given));
  const said = root === undefined ? undefined : follower.follow(resolve(root));
  const folders = findFolders(stateDir, said);
  const isMeant = root === undefined || folders.worktrees.some(({ top }) => top === said);
  if (isMeant && folders.worktrees.length > 0)
    return { ok: true, ground: new FollowedGround(folders, follower, cwd) };
  const tops = folders.worktrees.map(({ top }) => top).join(" or ");
  const expected = tops === "" ? "the folder whose files the fleet is about" : tops;
  return { ok: false, expected, got: root };
}

function findFolders(stateDir: string | undefined, root: string | undefined): Places {
  const above = stateDir === undefined ? undefined : dirname(stateDir);
  const name = stateDir === undefined ? undefined : basename(stateDir);
  if (above !== undefined && name === NAMES.shared && existsSync(`${above}/HEAD`))
    return { worktrees: worktreesOf(above, root), common: above, stateDir };
  const top = name === NAMES.own ? above : root;
  if (top === undefined || !isFolder(top)) return { worktrees: [], common: undefined, stateDir };
  const common = commonDirOf(top);
  const all = common === undefined ? [] : worktreesOf(common, top);
  // Git may not know of it, or not know it there.
  const own = all.some((one) => one.top === top) ? [] : [{ id: "main", top }];
  return { worktrees: [...own, ...all], common, stateDir };
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

class FollowedGround implements Ground {
  readonly worktree: string | null;
  readonly worktrees: readonly string[];
  readonly folders: readonly string[];
  readonly #folders: Places;
  readonly #follower: PathFollower;
  readonly #cwd: string;

  constructor(folders: Places, follower: PathFollower, cwd: string) {
    this.#folders = folders;
    this.#follower = follower;
    this.#cwd = cwd;
    this.worktrees = folders.worktrees.map(({ id }) => id);
    this.folders = foldersOf(folders);
    const real = follower.follow(cwd);
    this.worktree = (real === undefined ? undefined : this.#worktreeOf(real)?.id) ?? null;
  }

  topsOf(worktree: string | null): readonly string[] {
    const meant = this.#folders.worktrees.filter(({ id }) => worktree === null || id === worktree);
    const tops = meant.map(({ top }) => top);
    return [...new Set(tops)].filter((top) => this.folders.includes(top));
  }

  find(path: string): ReturnType<Ground["find"]> {
    const from = path.startsWith("/") ? path : `${this.#cwd}/${path}`;
    const real = this.#follower.follow(from);
    const worktree = real === undefined ? undefined : this.#worktreeOf(real);
    if (real === undefined || worktree === undefined) return null;
    const { id, top } = worktree;
    const names = below(real, top).normalize("NFC");
    if (names === "" || this.#isKept(real, top)) return null;
    if (names.split("/").some((name) => GIT.test(name))) return null;
    return { path: names, worktree: id };
  }

  /** The innermost one: a working tree may lie in another. */
  #worktreeOf(real: string): Worktree | undefined {
    let found: Worktree | undefined;
    for (const one of this.#folders.worktrees)
      if (isIn(real, one.top) && one.top.length > (found?.top.length ?? -1)) found = one;
    return found;
  }

  /** Whether it is the fleet's or the repository's own; a working tree may lie in a bare one. */
  #isKept(real: string, top: string): boolean {
    const { stateDir, common } = this.#folders;
    if (stateDir !== undefined && isIn(real, stateDir)) return true;
    return common !== undefined && isIn(real, common) && !isIn(top, common);
  }
}

function isIn(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder === "/" ? "/" : `${folder}/`);
}

function below(path: string, folder: string): string {
  return path.slice(folder === "/" ? 1 : folder.length + 1);
}
