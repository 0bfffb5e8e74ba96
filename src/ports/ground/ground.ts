import type { FilePath } from "../../kernel/ground/writing.ts";

/** Which ground is meant, and where somebody stands on it. */
export interface Standpoint {
  /** The state folder of the fleet; absent where it has none. */
  readonly stateDir?: string;
  /** The folder whose files the fleet is about, for a state folder that does not say so. */
  readonly root?: string;
  /** Where paths begin that are not absolute; an absolute path. */
  readonly cwd: string;
}

/** A ground on which paths can be found, or why there is none. */
export type GroundSight =
  | { readonly ok: true; readonly ground: Ground }
  | {
      readonly ok: false;
      /** What had to be given as `root`, and what was. */
      readonly expected: string;
      readonly got: string | undefined;
    };

/**
 * The files that a fleet is about, at one moment: what it has read of folders and links it does not
 * read again, so it is to be used for one question and then let go.
 */
export interface Ground {
  /** The worktree that the `cwd` lies in; null where it lies in none. */
  readonly worktree: string | null;
  /** The worktrees there are, the main one first. */
  readonly worktrees: readonly string[];
  /**
   * Where it lies: the tops of the worktrees, and the repository's own directory, as far as what
   * workers may write has no say in it.
   */
  readonly folders: readonly string[];
  /**
   * The tops of the worktrees among {@link folders}: of one by its id, or of all by null, in which
   * one may lie in another.
   */
  topsOf(worktree: string | null): readonly string[];
  /**
   * The file that a path leads to, by links and `..` as the system follows them; what does not
   * exist is where it would be made. Null for what is no file of the ground: outside of it, its
   * root, within `.git` or the state folder, through a folder that cannot be looked into, through
   * `/proc`, by links in a circle, or by a name that is no text.
   */
  find(path: string): FilePath | null;
}
