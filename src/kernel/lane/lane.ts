/** A region with a name, as it is enacted. */
export interface Lane {
  readonly name: string;
  /** Canonical patterns, what is left out led by `!`. */
  readonly region: readonly string[];
  /** How many may hold it at once; absent: it has no slots, one holds it. */
  readonly slots?: number;
  /** Whether a lease of it is in the way of every other lease of the fleet. */
  readonly alone?: boolean;
  /** Other names of the same lane. */
  readonly aliases?: readonly string[];
  readonly description?: string;
}

/**
 * How worktrees of one repository share ground. `one_ground`: equal paths are one resource.
 * `own_ground`: each worktree's files are its own.
 */
export type Worktrees = "one_ground" | "own_ground";

/** What is enacted about ground, as a whole: a newer one replaces it. */
export interface GroundRules {
  readonly lanes: readonly Lane[];
  readonly worktrees: Worktrees;
  /** Whether writing needs a lease: free ground is then not writable. */
  readonly require: boolean;
}

/** The rules about ground of a fleet that has enacted none. */
export const DEFAULT_GROUND_RULES: GroundRules = {
  lanes: [],
  worktrees: "one_ground",
  require: false,
};
