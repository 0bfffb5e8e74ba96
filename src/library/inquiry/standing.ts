// Who may write a path now, by the state alone.

import { leasesBelow } from "../../kernel/ground/below.ts";
import { withoutWorktree } from "../../kernel/ground/worktree.ts";
import { coveringAt, resourceOf, writersOf, type FilePath } from "../../kernel/ground/writing.ts";
import { lentBy } from "../../kernel/lease/book.ts";
import { isOrphaned } from "../../kernel/lease/holding.ts";
import { isHeldAt, nameOf, type Lease, type LeaseMode } from "../../kernel/lease/lease.ts";
import { isWaitingAt } from "../../kernel/queue/place.ts";
import { groundAt } from "../../kernel/queue/queue.ts";
import { hasResource, type Resource } from "../../kernel/region/resource.ts";
import { parseOnce } from "../../kernel/region/rights.ts";
import type { State } from "../../kernel/state.ts";

/** Who may write a path. */
export type Standing =
  /** Who holds a lease that gives the right to write there. */
  | "holders"
  /** Nobody: it is leased to be read alone. */
  | "nobody_reads"
  /** Who has a lane that runs alone in the fleet, and nobody else. */
  | "alone"
  /** Nobody: no lease has it, and writing needs one. */
  | "nobody_unleased"
  /** Anybody: no lease has it. */
  | "anybody"
  /** Nobody: the fleet was killed. */
  | "nobody_killed"
  /** It is no path of the ground: no lease speaks for it. */
  | "outside";

/** A live lease that has a path, as a document. */
export interface CoveringLease {
  readonly lease_id: string;
  /** A worker's id, or the name of an outside party. */
  readonly holder: string;
  readonly is_worker: boolean;
  /** Whether it gives the right to write the path now: what is lent is the borrower's. */
  readonly may_write: boolean;
  readonly mode: LeaseMode;
  readonly lane: string | null;
  readonly region: readonly string[];
  readonly worktree: string | null;
  readonly fence: number;
  readonly granted_at_ms: number;
  readonly expires_at_ms: number;
  /** The lease that it is a lent part of, and who had it before by that lease; null: none. */
  readonly lent_of: string | null;
  /** Parts of it that are lent, and have the path. */
  readonly lent: readonly string[];
  /** Who held it before it was handed over; null: nobody. */
  readonly taken_over_from: string | null;
  /** Whether its holder is a worker that has ended. */
  readonly orphaned: boolean;
}

/** A live lease on what lies below a path, as a document. */
export interface LeaseBelow {
  readonly lease_id: string;
  /** A worker's id, or the name of an outside party. */
  readonly holder: string;
  readonly is_worker: boolean;
  readonly lane: string | null;
  readonly region: readonly string[];
}

/** How many leases below a path are told. */
const belowMax = 8;

/** Ground that a sandbox lets its worker write to, as a document. */
export interface CoveringMount {
  readonly lease_id: string;
  readonly worker: string;
  readonly region: readonly string[];
  readonly since_ms: number;
  /** Whether its lease has ended, and it is being taken from the worker. */
  readonly lapsing: boolean;
}

/** Somebody who waits for ground that has a path, as a document. */
export interface CoveringPlace {
  readonly place: string;
  readonly holder: string;
  readonly is_worker: boolean;
  readonly mode: LeaseMode;
  readonly lane: string | null;
  readonly since_ms: number;
  /** When it waits no longer, whatever happens. */
  readonly deadline_ms: number;
}

/** A lane that has a path, as a document. */
export interface CoveringLane {
  readonly name: string;
  readonly slots: number | null;
  readonly alone: boolean;
}

/** Who may write a path now, as a document. */
export interface StandingDocument {
  /** The path as regions have it; null for what is no path of the ground. */
  readonly resolved: string | null;
  readonly writable_by: Standing;
  /** The one that was granted last first. */
  readonly leases: readonly CoveringLease[];
  /** A few live leases on what lies below it, should it be a folder; a check has the same ones. */
  readonly below: readonly LeaseBelow[];
  /** Live leases of lanes that run alone: they are in the way of every other lease. */
  readonly alone: readonly { readonly lease_id: string; readonly holder: string }[];
  readonly mounts: readonly CoveringMount[];
  readonly lanes: readonly CoveringLane[];
  /** Who came first stands first. */
  readonly waiting: readonly CoveringPlace[];
}

/** A path that is looked at. */
export interface Looked {
  /** Null for what is no path of the ground. */
  readonly file: FilePath | null;
  /** The journal time that it is judged at. */
  readonly atMs: number;
}

/** What is said of what is no path of the ground. */
const OUTSIDE: StandingDocument = {
  resolved: null,
  writable_by: "outside",
  leases: [],
  below: [],
  alone: [],
  mounts: [],
  lanes: [],
  waiting: [],
};

/** Says who may write a path at an instant. It looks at the leases that have it, and at lanes. */
export function standingOf(state: State, { file, atMs }: Looked): StandingDocument {
  if (file === null) return OUTSIDE;
  const { book } = state;
  const resource = resourceOf(state, file);
  const covering = coveringAt(state, resource, { atMs });
  const writers = new Set(writersOf(covering));
  const alone = [...book.index.alone()].flatMap((id) => {
    const lease = book.leases.get(id);
    return lease !== undefined && isHeldAt(lease, atMs) ? [lease] : [];
  });
  const { path, namespace } = file;
  return {
    resolved: namespace === undefined ? path : `${namespace}:${path}`,
    writable_by: standing(state, { covering, writers, alone }),
    leases: covering.map((lease) => ({
      ...leaseDocument(state, lease),
      may_write: state.status !== "killed" && writers.has(lease),
      lent: [...lentBy(book, lease.id)]
        .filter((part) => covering.includes(part))
        .map(({ id }) => id),
    })),
    below: belowOf(state, file, atMs),
    alone: alone.map(({ id, holder }) => ({ lease_id: id, holder: nameOf(holder) })),
    mounts: mountsOn(state, resource, atMs),
    lanes: lanesWith(state, file),
    waiting: waitersFor(state, resource, atMs),
  };
}

function standing(
  { status, book }: State,
  so: {
    readonly covering: readonly Lease[];
    readonly writers: ReadonlySet<Lease>;
    readonly alone: readonly Lease[];
  },
): Standing {
  if (status === "killed") return "nobody_killed";
  if (so.writers.size > 0) return "holders";
  if (so.covering.length > 0) return "nobody_reads";
  if (so.alone.length > 0) return "alone";
  return book.rules.require ? "nobody_unleased" : "anybody";
}

function leaseDocument(state: State, lease: Lease): Omit<CoveringLease, "may_write" | "lent"> {
  const { id, holder, mode, lane, region, worktree, fence, lender, taken_over } = lease;
  return {
    lease_id: id,
    holder: nameOf(holder),
    is_worker: "worker" in holder,
    mode,
    lane,
    region: worktree === null ? region : withoutWorktree(region),
    worktree,
    fence,
    granted_at_ms: lease.granted_at_ms,
    expires_at_ms: lease.expires_at_ms,
    lent_of: lender,
    taken_over_from: taken_over?.holder ?? null,
    orphaned: isOrphaned(state, lease),
  };
}

function belowOf(state: State, file: FilePath, atMs: number): readonly LeaseBelow[] {
  return leasesBelow(state, file, { atMs, countMax: belowMax }).flatMap((id) => {
    const lease = state.book.leases.get(id);
    if (lease === undefined) return [];
    const { lease_id, holder, is_worker, lane, region } = leaseDocument(state, lease);
    return [{ lease_id, holder, is_worker, lane, region }];
  });
}

function mountsOn({ book }: State, resource: Resource, atMs: number): readonly CoveringMount[] {
  return [...book.mountIndex.covering(resource)].flatMap((id) => {
    const mount = book.mounts.get(id);
    if (mount === undefined) return [];
    const lease = book.leases.get(id);
    const lapsing = lease === undefined || !isHeldAt(lease, atMs);
    const { worker, region, since_ms } = mount;
    return [{ lease_id: id, worker, region: withoutWorktree(region), since_ms, lapsing }];
  });
}

/** Lanes are written without a worktree, and hold in all of them. */
function lanesWith({ book }: State, file: FilePath): readonly CoveringLane[] {
  const { path, namespace = "file" } = file;
  const resource = { namespace, segments: path.split("/") };
  return book.rules.lanes
    .filter(({ region }) => hasPath(region, resource, book.foldsCase))
    .map(({ name, slots = null, alone = false }) => ({ name, slots, alone }));
}

function waitersFor({ book }: State, resource: Resource, atMs: number): readonly CoveringPlace[] {
  const found = [...book.queue.index.covering(resource)].flatMap((id) => {
    const placed = groundAt(book.queue, id);
    return placed === undefined || !isWaitingAt(placed.place, atMs) ? [] : [placed];
  });
  const inTurn = found.toSorted((one, other) => one.place.rank - other.place.rank);
  const seen = new Set<string>();
  return inTurn.flatMap(({ place, ground }) => {
    if (seen.has(place.id)) return [];
    seen.add(place.id);
    const { id, holder, queued_at_ms, deadline_ms } = place;
    return [
      {
        place: id,
        holder: nameOf(holder),
        is_worker: "worker" in holder,
        mode: ground.mode,
        lane: ground.lane,
        since_ms: queued_at_ms,
        deadline_ms,
      },
    ];
  });
}

/** Whether patterns have a resource; those that cannot be read any more have none. */
export function hasPath(
  patterns: readonly string[],
  resource: Resource,
  foldsCase: boolean,
): boolean {
  const parsed = parseOnce(patterns, foldsCase);
  return parsed.ok && hasResource(parsed.region, resource);
}
