/** What a holder did by itself that counts as getting somewhere. Beats and renewals are not. */
export type ProgressKind =
  /** Units were reported of it. */
  | "units"
  /** It recorded another state than before. */
  | "checkpoint"
  /** It was granted a lease that was not its first. */
  | "lease_granted"
  | "lease_released"
  | "lease_narrowed"
  /** It lent a part of a lease. */
  | "lease_lent"
  /** It gave a lease to another, or was given one. */
  | "lease_handed_over"
  /** A commit that touches ground of its leases. */
  | "commit";

/** One thing that a holder did. */
export interface Mark {
  readonly kind: ProgressKind;
  /** Journal time; of a commit the time that the repository says. */
  readonly at_ms: number;
  /** The entry that says so; null for a commit. */
  readonly seq: number | null;
  /** More about it, in a few words: which units, which lease, which commit. */
  readonly what: string;
}

/** Where a holder is in its life, as far as that says whether it could get anywhere. */
export type Standing =
  | "admitted"
  | "running"
  | "quarantined"
  | "stopping"
  /** An outside party: it has no life that the fleet knows, only leases. */
  | "outside";

/** What is known of one holder; what is not known is null or `unknown`, never a guess. */
export interface Evidence {
  /** The instant of the judgement, journal time. */
  readonly now_ms: number;
  /** Since when it could get anywhere: its registration, or an outside party's oldest grant. */
  readonly since_ms: number | null;
  readonly standing: Standing;
  /** Its own progress, in any order; what lies before `since_ms` or after `now_ms` is not. */
  readonly marks: readonly Mark[];
  /** Whether commits on its ground could be counted. */
  readonly commits_known: boolean;
  /** When the store last received a beat of it, wall time; null where there is none. */
  readonly beat_at_ms: number | null;
  /** Whether its sandbox or process is seen alive. */
  readonly seen: "alive" | "gone" | "unknown";
  /** Whether a watcher has found it silent, by its own clock, and it has not beaten since. */
  readonly stale: boolean;
}
