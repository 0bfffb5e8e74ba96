import { slotsOf } from "../../kernel/lease/book.ts";
import { isHeldAt, type Lease } from "../../kernel/lease/lease.ts";
import type { Mark } from "../../kernel/progress/evidence.ts";
import { EffortSpent, newEffort } from "../../kernel/region/effort.ts";
import { ANY_NAMESPACE, DEFAULT_NAMESPACE } from "../../kernel/region/pattern.ts";
import type { Region } from "../../kernel/region/region.ts";
import { hasResource, readResource } from "../../kernel/region/resource.ts";
import { parseOnce } from "../../kernel/region/rights.ts";
import type { State } from "../../kernel/state.ts";
import type { CommitsRead, SeenCommit } from "../../ports/ground/commits.ts";
import { heldSinceMs, type Subject } from "./subject.ts";

/** What commits say of one holder. */
export interface CommitSight {
  /** Whether they can be counted: there is a repository, and ground of files to write. */
  readonly known: boolean;
  /** Why not; null where they can be, and where there is no such ground. */
  readonly problem: string | null;
  readonly marks: readonly Mark[];
  /** How many were left out because they say to be of a time that has not come. */
  readonly futureCount: number;
  /** Whether there were more than are read. */
  readonly isCut: boolean;
}

/** How much comparing paths with regions may cost for one holder. */
const workMax = 20_000_000;

/** The earliest instant from which commits can matter to any of these; undefined: to none. */
export function commitsSinceMs(state: State, subjects: readonly Subject[]): number | undefined {
  const instants = subjects.flatMap(({ leases }) =>
    leases.flatMap((lease) => (groundOf(state, lease) === undefined ? [] : [heldSinceMs(lease)])),
  );
  return instants.length === 0 ? undefined : Math.min(...instants);
}

/**
 * The commits that are a holder's progress: those that touch ground which it may write, and say to
 * be of after it was given that. Of a slot that others hold beside it, and of what is in
 * `refs/stint/`, those of its own refs alone: any other may be a neighbour's.
 */
export function readCommitMarks(
  state: State,
  subject: Subject,
  so: { readonly read: CommitsRead | undefined; readonly nowMs: number },
): CommitSight {
  const { read, nowMs } = so;
  const grounds = subject.leases.flatMap((lease) => {
    const region = groundOf(state, lease);
    const isShared = isOneOfSeveral(state, lease, nowMs);
    return region === undefined ? [] : [{ region, sinceMs: heldSinceMs(lease), isShared }];
  });
  const nothing = { known: false, problem: null, marks: [], futureCount: 0, isCut: false };
  if (grounds.length === 0 || read === undefined) return nothing;
  if (!read.ok) return { ...nothing, problem: read.why };
  const marks: Mark[] = [];
  let futureCount = 0;
  const effort = newEffort(workMax);
  try {
    for (const commit of read.commits) {
      const place = placeOf(commit, subject);
      const path = grounds.flatMap((ground) => {
        if (commit.atMs < ground.sinceMs || place === "neighbour") return [];
        if (ground.isShared && place !== "own") return [];
        return touched(ground.region, commit, effort) ?? [];
      })[0];
      if (path === undefined) continue;
      if (commit.atMs > nowMs) futureCount += 1;
      else
        marks.push({ kind: "commit", at_ms: commit.atMs, seq: null, what: `${commit.id} ${path}` });
    }
  } catch (error) {
    if (!(error instanceof EffortSpent)) throw error;
    return { known: true, problem: null, marks, futureCount, isCut: true };
  }
  return { known: true, problem: null, marks, futureCount, isCut: read.isCut };
}

/** The files that a lease lets its holder write; undefined where there are none to look for. */
function groundOf({ book }: State, { mode, worktree, region }: Lease): Region | undefined {
  // Whose branch a worktree of its own is on, and where that was at the grant, is not on record.
  if (mode === "shared" || worktree !== null) return undefined;
  const parsed = parseOnce(region, book.foldsCase);
  if (!parsed.ok) return undefined;
  const isOfFiles = parsed.region.includes.some(
    ({ namespace }) => namespace === DEFAULT_NAMESPACE || namespace === ANY_NAMESPACE,
  );
  return isOfFiles ? parsed.region : undefined;
}

/** Whether others hold slots of the same lane, so that its ground is not one holder's alone. */
function isOneOfSeveral({ book }: State, { id, mode, lane }: Lease, nowMs: number): boolean {
  if (mode !== "slot" || lane === null) return false;
  return [...slotsOf(book, lane)].some((other) => other.id !== id && isHeldAt(other, nowMs));
}

/** Whose refs have a commit: everybody's, those of the holder, or those of another worker. */
function placeOf({ ref }: SeenCommit, { worker }: Subject): "common" | "own" | "neighbour" {
  const owner = /^refs\/stint\/([^/]+)\//.exec(ref)?.[1];
  if (owner === undefined) return "common";
  return owner === worker?.id ? "own" : "neighbour";
}

/** The first of a commit's paths that a region has. Throws `EffortSpent`. */
function touched(
  region: Region,
  { paths }: SeenCommit,
  effort: ReturnType<typeof newEffort>,
): string | undefined {
  return paths.find((path) => {
    const resource = readResource(`file:${path.normalize("NFC")}`);
    return resource !== undefined && hasResource(region, resource, effort);
  });
}
