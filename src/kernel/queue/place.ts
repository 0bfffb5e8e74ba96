import type { LeaseCommandMap } from "../lease/command.ts";
import type { Holder, LeaseMode } from "../lease/lease.ts";

/** One ground that somebody waits for, as it was understood when the place was taken. */
export interface PlaceGround {
  readonly lane: string | null;
  readonly mode: LeaseMode;
  /** Canonical patterns. */
  readonly region: readonly string[];
  /** Whether its lane runs alone in the fleet. */
  readonly alone: boolean;
}

/** What is asked for again at each look: a request for a lease, without who asks and how long. */
export type PlaceAsk = Omit<LeaseCommandMap["lease.acquire"], "holder" | "wait_ms">;

/**
 * A place in the queue for ground: no lease, but nobody who came later passes it on ground that
 * both want. A value: keeping it up makes another.
 */
export interface Place {
  /** `q-` and the seq of the entry that took it: never used twice. */
  readonly id: string;
  /** That seq: who has the lower one came first. */
  readonly rank: number;
  readonly holder: Holder;
  readonly ask: PlaceAsk;
  /** Any of them will do, in this order. */
  readonly grounds: readonly PlaceGround[];
  /** The worktree whose ground it is; null where worktrees share theirs. */
  readonly worktree: string | null;
  readonly queued_at_ms: number;
  /** From this instant on it is empty, recorded or not, unless it was kept up (I8). */
  readonly until_ms: number;
  /** When its holder waits no longer, whatever it does. */
  readonly deadline_ms: number;
  /** Why an operator has ended the waiting; null where none has. */
  readonly cancelled: string | null;
}

/** The id of a place by the seq of the entry that takes it. */
export function placeIdAt(seq: number): string {
  return `q-${seq}`;
}

/** Whether a place is still somebody's at an instant. */
export function isWaitingAt({ until_ms }: Place, atMs: number): boolean {
  return atMs < until_ms;
}
