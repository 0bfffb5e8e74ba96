/** Which commits of a fleet's repository are asked for. */
export interface CommitQuery {
  /** The state folder of the fleet; absent where it has none. */
  readonly stateDir?: string;
  /** Those that say to be of this instant or later, ms since 1970. */
  readonly sinceMs: number;
}

/** A commit of one parent or none, by what the repository says of it. */
export interface SeenCommit {
  /** The first letters of its name. */
  readonly id: string;
  /** When it was committed, ms since 1970, in whole seconds: the word of whoever made it. */
  readonly atMs: number;
  /** The ref by which it was found. */
  readonly ref: string;
  /** What it changes, from the top of its working tree. */
  readonly paths: readonly string[];
}

/** What was read of a repository, or why nothing was. */
export type CommitsRead =
  | {
      readonly ok: true;
      readonly commits: readonly SeenCommit[];
      /** Whether there are more than are read. */
      readonly isCut: boolean;
    }
  | { readonly ok: false; readonly why: string };

/** Reads the commits of the repository that a fleet is about; never throws for what it finds. */
export type ReadCommits = (query: CommitQuery) => Promise<CommitsRead>;
