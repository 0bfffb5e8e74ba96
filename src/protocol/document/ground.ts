import type { Lane } from "../../kernel/lane/lane.ts";
import type { LeaseMode, TakenOver } from "../../kernel/lease/lease.ts";

/** A live lease at one moment. */
export interface LeaseDocument {
  readonly id: string;
  /** Higher for each that holds it, or any part of its ground, later. */
  readonly fence: number;
  readonly mode: LeaseMode;
  /** The lane that it was granted on; null where a region was asked for. */
  readonly lane: string | null;
  /** Canonical patterns, what is left out led by `!`. */
  readonly region: readonly string[];
  /** Whether it runs alone in the fleet. */
  readonly alone: boolean;
  /** A worker's id, or the name of an outside party. */
  readonly holder: string;
  readonly holder_kind: "worker" | "outside";
  readonly ttl_ms: number;
  readonly granted_at_ms: number;
  /** Journal time; from then on it gives no right, recorded or not. */
  readonly expires_at_ms: number;
  readonly key: string | null;
  readonly run_id: string | null;
  readonly lender: string | null;
  readonly worktree: string | null;
  readonly taken_over: TakenOver | null;
  /** Whether it is left of a worker that has ended. */
  readonly orphaned: boolean;
}

/** A lane, and who holds it. */
export interface LaneDocument extends Lane {
  /** The live leases that were granted on it, by id. */
  readonly leases: readonly string[];
}
