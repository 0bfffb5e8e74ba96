import type { LeaseMode } from "../../kernel/lease/lease.ts";
import { nameOf } from "../../kernel/lease/lease.ts";
import { withoutWorktree } from "../../kernel/ground/worktree.ts";
import { blockersOf } from "../../kernel/queue/blockers.ts";
import { isWaitingAt, type Place } from "../../kernel/queue/place.ts";
import { lookAtPlace } from "../../kernel/queue/waiting.ts";
import type { State } from "../../kernel/state.ts";
import { toEdge } from "../names.ts";

/** One ground that is waited for; of several any will do. */
export interface WaitedGround {
  /** The lane; null where a region was asked for. */
  readonly lane: string | null;
  readonly mode: LeaseMode;
  /** Canonical patterns, what is left out led by `!`. */
  readonly region: readonly string[];
}

/** Who is in the way of somebody who waits. */
export interface Blocking {
  /** The id of the lease, or of the place that came first. */
  readonly by: string;
  /** A worker's id, or the name of an outside party. */
  readonly holder: string;
}

/** A place in the queue for ground at one moment: a deep-frozen copy. */
export interface PlaceView {
  readonly id: string;
  /** A worker's id, or the name of an outside party. */
  readonly holder: string;
  readonly holderKind: "worker" | "outside";
  readonly grounds: readonly WaitedGround[];
  /** The worktree whose ground it is; null where worktrees share theirs. */
  readonly worktree: string | null;
  readonly queuedAtMs: number;
  /** Until when it is kept, unless it is kept up. */
  readonly untilMs: number;
  /** When it is waited no longer. */
  readonly deadlineMs: number;
  /** Some of those who are in the way now: eight at the most. */
  readonly behind: readonly Blocking[];
  /** Whether it is its turn: it takes up what it waits for when it next asks. */
  readonly isTurn: boolean;
}

/** Who waits at an instant, whoever came first before the others. */
export function listWaiting(state: State, atMs: number): readonly PlaceView[] {
  const { queue } = state.book;
  return [...queue.places.values()]
    .filter((place) => isWaitingAt(place, atMs))
    .map((place) => viewOfPlace(state, place, atMs));
}

function viewOfPlace(state: State, place: Place, atMs: number): PlaceView {
  const { book } = state;
  const { id, holder, worktree, queued_at_ms, until_ms, deadline_ms } = place;
  const isPlaced = worktree !== null;
  const behind = blockersOf(book, place, atMs).map((blocker) => {
    return { by: blocker.by, holder: nameOf(blocker.holder) };
  });
  return toEdge({
    id,
    holder: nameOf(holder),
    holder_kind: "worker" in holder ? ("worker" as const) : ("outside" as const),
    grounds: place.grounds.map(({ lane, mode, region }) => {
      return { lane, mode, region: isPlaced ? withoutWorktree(region) : region };
    }),
    worktree,
    queued_at_ms,
    until_ms,
    deadline_ms,
    behind,
    is_turn: state.status === "open" && lookAtPlace(state, place, atMs).kind === "granted",
  });
}
