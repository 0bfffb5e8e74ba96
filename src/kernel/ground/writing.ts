/*
 * Who may write a path. Of the live leases that have it, at most one exclusive lease gives the
 * right: others of them were lent from it or lend it, and what is lent is always granted after what
 * it is lent of. So the one that was granted last has it, and all whose part it is do not.
 */

import { leasesOf } from "../lease/book.ts";
import {
  holderKey,
  isHeldAt,
  nameOf,
  type Lease,
  type OutsideHolder,
  type WorkerHolder,
} from "../lease/lease.ts";
import { EffortSpent, type Effort } from "../region/effort.ts";
import { writePath } from "../region/meeting.ts";
import { DEFAULT_NAMESPACE } from "../region/pattern.ts";
import { hasResource, type Resource } from "../region/resource.ts";
import { parseOnce } from "../region/rights.ts";
import type { State } from "../state.ts";
import { pathOnWorktree } from "./worktree.ts";

/** Why a path may be written, or may not. */
export type WritingReason =
  /** A live lease of the asker's own has it. */
  | "held_by_you"
  /** Nobody has it, and the fleet does not require a lease. */
  | "free"
  /** Somebody else has it, by a lease, or a lane that runs alone is held. */
  | "held_by_other"
  /** The fence that was given is older than that of the lease which has the path. */
  | "fence_stale"
  /** The asker's lease is over, or none that lives has the path. */
  | "lapsed"
  /** The asker has it, to read. */
  | "shared_only"
  /** It is no path of the ground: outside of it, its root, or Stint's and git's own. */
  | "outside_repository"
  /** The asker is a worker whose regions do not have it, or that has ended. */
  | "outside_rights"
  /** The fleet was killed: nobody in it may do anything. */
  | "fleet_killed"
  /** More would have to be looked at than the effort allows; who does not know says no. */
  | "undecided";

/** Which file is meant, or which resource of another namespace. */
export interface FilePath {
  /** From the top of its worktree, segments with `/` between; resolved, so without `.` and `..`. */
  readonly path: string;
  /** The worktree that it lies in; it matters under `own_ground` alone. */
  readonly worktree: string;
  /** Absent for a file. What is in another namespace is of no worktree. */
  readonly namespace?: string;
}

/** What is asked about a path. */
export interface Writing {
  /** Null for what is no path of the ground. */
  readonly file: FilePath | null;
  readonly holder: WorkerHolder | Pick<OutsideHolder, "name">;
  /** The fence of the lease under which the holder means to write. */
  readonly fence?: number;
  /** Whether free ground counts as not writable, whatever the fleet's rules say. */
  readonly isStrict: boolean;
  /** The journal time that it is judged at: what is over by then is over, recorded or not (I8). */
  readonly atMs: number;
  /** What looking may cost; beyond it the path is `undecided`. Absent: whatever it takes. */
  readonly effort?: Effort;
}

/** Whether a path may be written, and by whose lease or in spite of whose; null: by none. */
export interface WritingVerdict {
  readonly allowed: boolean;
  readonly reason: WritingReason;
  /** The path as regions have it, with its worktree where those have ground of their own. */
  readonly resolved: string | null;
  readonly lease_id: string | null;
  readonly holder: string | null;
  readonly fence: number | null;
  readonly expires_at_ms: number | null;
}

/** A reason, with the lease that it is about. */
type Finding = readonly [WritingReason, Lease?];

/**
 * Judges whether a holder may write a path, at an instant (WP1). A question: nothing is decided by
 * it, and nothing recorded. O(log n) in the leases, and linear in those that have the path.
 */
export function judgePath(state: State, asked: Writing): WritingVerdict {
  const { file } = asked;
  const resource = file === null ? undefined : resourceOf(state, file);
  const [reason, lease] = unlessSpent(() => findReason(state, asked, resource));
  const isFreeEnough = !asked.isStrict && !state.book.rules.require;
  return {
    allowed: reason === "held_by_you" || (reason === "free" && isFreeEnough),
    reason,
    resolved: resource === undefined ? null : writePath(resource.namespace, textOf(resource)),
    lease_id: lease?.id ?? null,
    holder: lease === undefined ? null : nameOf(lease.holder),
    fence: lease?.fence ?? null,
    expires_at_ms: lease?.expires_at_ms ?? null,
  };
}

/** What is meant, as regions have it: where worktrees have ground of their own, on that. */
export function resourceOf({ book }: State, { path, worktree, namespace }: FilePath): Resource {
  if (namespace !== undefined) return { namespace, segments: path.split("/") };
  const isOwn = book.rules.worktrees === "own_ground";
  const placed = isOwn ? pathOnWorktree(path, worktree) : path;
  return { namespace: DEFAULT_NAMESPACE, segments: placed.split("/") };
}

function unlessSpent(find: () => Finding): Finding {
  try {
    return find();
  } catch (error) {
    if (error instanceof EffortSpent) return ["undecided"];
    throw error;
  }
}

function textOf({ segments }: Resource): string {
  return segments.join("/");
}

function findReason(state: State, asked: Writing, resource: Resource | undefined): Finding {
  const { file, fence } = asked;
  if (state.status === "killed") return ["fleet_killed"];
  if (file === null || resource === undefined) return ["outside_repository"];
  if (!isWithinRights(state, asked, file)) return ["outside_rights"];
  const covering = coveringAt(state, resource, asked);
  return fence === undefined
    ? reasonWithoutFence(state, { asked, covering, resource })
    : reasonByFence(asked, fence, covering);
}

/** A worker's regions are written without a worktree and hold in all of them. */
function isWithinRights(state: State, { holder, effort }: Writing, file: FilePath): boolean {
  if (!("worker" in holder)) return true;
  const worker = state.workers.get(holder.worker);
  if (worker === undefined || worker.status === "stopped") return false;
  const rights = parseOnce(worker.regions, state.book.foldsCase);
  const { path, namespace = DEFAULT_NAMESPACE } = file;
  const resource = { namespace, segments: path.split("/") };
  return rights.ok && hasResource(rights.region, resource, effort);
}

/**
 * The live leases that have a resource, the one that was granted last first. Throws `EffortSpent`
 * where it has an effort, and that is used up.
 */
export function coveringAt(
  { book }: Pick<State, "book">,
  resource: Resource,
  { atMs, effort }: Pick<Writing, "atMs" | "effort">,
): readonly Lease[] {
  const found: Lease[] = [];
  for (const id of book.index.covering(resource, effort)) {
    const lease = book.leases.get(id);
    if (lease !== undefined && isHeldAt(lease, atMs)) found.push(lease);
  }
  return found.toSorted((one, other) => seqOf(other) - seqOf(one));
}

function seqOf({ id }: Lease): number {
  return Number(id.slice(2));
}

/**
 * Of the leases that have a resource those that may write it: the innermost exclusive one alone, or
 * all slots. They are given as {@link coveringAt} answers them.
 */
export function writersOf(covering: readonly Lease[]): readonly Lease[] {
  const writing = covering.filter(({ mode }) => mode !== "shared");
  const innermost = writing.find(({ mode }) => mode === "exclusive");
  return innermost === undefined ? writing : [innermost];
}

/** An old fence gives nothing, whatever its bearer holds by now. */
function reasonByFence({ holder }: Writing, fence: number, covering: readonly Lease[]): Finding {
  const isOwn = ownedBy(holder);
  const named = covering.find((lease) => isOwn(lease) && lease.fence === fence);
  if (named !== undefined && writersOf(covering).includes(named)) return ["held_by_you", named];
  if (named?.mode === "shared") return ["shared_only", named];
  const newer = covering.find((lease) => lease.fence > fence || (isOwn(lease) && lease !== named));
  if (newer !== undefined) return ["fence_stale", newer];
  const [other] = writersOf(covering);
  if (other !== undefined) return ["held_by_other", other];
  return covering[0] === undefined ? ["lapsed"] : ["held_by_other", covering[0]];
}

function reasonWithoutFence(
  { book }: State,
  so: {
    readonly asked: Writing;
    readonly covering: readonly Lease[];
    readonly resource: Resource;
  },
): Finding {
  const { covering, resource } = so;
  const { holder, atMs, effort } = so.asked;
  const isOwn = ownedBy(holder);
  const writers = writersOf(covering);
  const own = writers.find(isOwn);
  if (own !== undefined) return ["held_by_you", own];
  if (writers[0] !== undefined) return ["held_by_other", writers[0]];
  const shared = covering.find(isOwn);
  if (shared !== undefined) return ["shared_only", shared];
  if (covering[0] !== undefined) return ["held_by_other", covering[0]];
  for (const lease of leasesOf(book, holder)) {
    if (isHeldAt(lease, atMs)) continue;
    const parsed = parseOnce(lease.region, book.foldsCase);
    if (parsed.ok && hasResource(parsed.region, resource, effort)) return ["lapsed", lease];
  }
  for (const id of book.index.alone()) {
    const lease = book.leases.get(id);
    if (lease !== undefined && isHeldAt(lease, atMs) && !isOwn(lease))
      return ["held_by_other", lease];
  }
  return ["free"];
}

function ownedBy(holder: Writing["holder"]): (lease: Lease) => boolean {
  const key = holderKey(holder);
  return (lease) => holderKey(lease.holder) === key;
}
