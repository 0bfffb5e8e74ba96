import type { Entry } from "../../kernel/entry.ts";
import { isOrphaned } from "../../kernel/lease/holding.ts";
import {
  isHeldAt,
  nameOf,
  type Lease,
  type LeaseMode,
  type TakenOver,
} from "../../kernel/lease/lease.ts";
import type { Refusal } from "../../kernel/refusal.ts";
import type { State } from "../../kernel/state.ts";
import { writeInstant } from "../../kernel/time/instant.ts";
import type { JsonObject } from "../../kernel/json.ts";
import type { WorkerDoor } from "../../ports/worker-door.ts";
import { toEdge, toWire, type Camel } from "../names.ts";

/** How a lease ended. */
export interface LeaseEnd {
  /** `completed`: its worker ended as it should, and gave back what it held. */
  readonly how: "released" | "revoked" | "lapsed" | "completed";
  readonly atMs: number;
  /** The place of the entry that says so. */
  readonly seq: number;
  /** Who ended it, such as `operator ada`; null where its time alone did. */
  readonly by: string | null;
  /** Why it was revoked; null for other ends. */
  readonly reason: string | null;
}

/** A lease at one moment: a deep-frozen copy. */
export interface LeaseView {
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
  readonly holderKind: "worker" | "outside";
  readonly ttlMs: number;
  readonly grantedAtMs: number;
  /** Journal time; from this instant on it gives no right, recorded or not. */
  readonly expiresAtMs: number;
  readonly key: string | null;
  readonly runId: string | null;
  /** The lease that it is a lent part of; that one may have ended since. */
  readonly lender: string | null;
  /** The worktree whose ground it is; null where worktrees share theirs. */
  readonly worktree: string | null;
  /** Whose it was before, where it was handed over. */
  readonly takenOver: Camel<TakenOver> | null;
  /** The place in the queue that it was waited for in; null where it was had at once. */
  readonly place: string | null;
  /**
   * What of it its holder's sandbox lets it write to, as patterns of whole folders; empty where
   * leases are not enforced, and what is not in it nobody but the holder's own care keeps. Of a
   * lease that gives no right any more: what is being taken from its worker, and is free for nobody
   * until then.
   */
  readonly mounted: readonly string[];
  /** Whether its holder can write to nothing of it but what is mounted. */
  readonly enforced: boolean;
  /** Whether it is left of a worker that has ended. */
  readonly orphaned: boolean;
  /** Whether it gave a right at that moment, as far as was known. */
  readonly isLive: boolean;
  /** How it ended, where that is recorded. */
  readonly ended?: LeaseEnd;
}

/** Shows a lease of the state; `atMs` is the journal time by which it may be over. */
export function viewOfLease(state: State, lease: Lease, atMs: number): LeaseView {
  const mounted = state.book.mounts.get(lease.id)?.region ?? [];
  const isEnforced = state.contract.sandbox.leases === "enforced";
  const enforced = isEnforced && "worker" in lease.holder && lease.mode !== "shared";
  const [orphaned, is_live] = [isOrphaned(state, lease), isHeldAt(lease, atMs)];
  return makeView(lease, { mounted, enforced, orphaned, is_live });
}

/** Shows a lease that has ended. */
export function viewOfEnded(lease: Lease, ended: LeaseEnd): LeaseView {
  const over = { mounted: [], enforced: false, orphaned: false, is_live: false };
  return Object.freeze({ ...makeView(lease, over), ended });
}

/** Shows of a lease that has ended what a sandbox has mounted for it still. */
export function stillMounted({ book }: Pick<State, "book">, ended: LeaseView): LeaseView {
  const mounted = book.mounts.get(ended.id)?.region;
  return mounted === undefined ? ended : Object.freeze({ ...ended, mounted });
}

function makeView(
  lease: Lease,
  so: {
    readonly mounted: readonly string[];
    readonly enforced: boolean;
    readonly orphaned: boolean;
    readonly is_live: boolean;
  },
): LeaseView {
  const { id, fence, mode, lane, region, alone, holder, ttl_ms, granted_at_ms } = lease;
  const { expires_at_ms, key, run_id, lender, worktree, taken_over, place } = lease;
  return toEdge({
    id,
    fence,
    mode,
    lane,
    region,
    alone,
    holder: nameOf(holder),
    holder_kind: "worker" in holder ? ("worker" as const) : ("outside" as const),
    ttl_ms,
    granted_at_ms,
    expires_at_ms,
    key,
    run_id,
    lender,
    worktree,
    taken_over,
    place,
    ...so,
  });
}

/** What an entry says of how a lease ended; undefined when it does not. */
export function endIn(entry: Entry): LeaseEnd | undefined {
  const { seq, at_ms: atMs, actor } = entry;
  const at = { atMs, seq, by: nameOfActor(actor), reason: null };
  if (entry.kind === "lease.lapsed") return Object.freeze({ ...at, how: "lapsed", by: null });
  if (entry.kind === "lease.revoked")
    return Object.freeze({ ...at, how: "revoked", reason: entry.data.reason });
  if (entry.kind !== "lease.released") return undefined;
  const how = entry.data.cause === "completed" ? "completed" : "released";
  return Object.freeze({ ...at, how });
}

function nameOfActor({ kind, id, user }: Entry["actor"]): string {
  const name = id ?? user;
  return name === undefined ? kind : `${kind} ${name}`;
}

const END_WORDS: Readonly<Record<LeaseEnd["how"], string>> = {
  released: "it was released",
  revoked: "it was revoked",
  lapsed: "it lapsed",
  completed: "its worker completed, which gave it back",
};

/**
 * A refusal that says how the lease that it is about has ended, where it is refused for that; any
 * other stays as it is. The record has the end in an entry of its own.
 */
export function tellEnd(refusal: Refusal, ended: LeaseEnd | undefined): Refusal {
  if (refusal.code !== "lease_ended" || ended === undefined) return refusal;
  const { how, atMs, seq, by, reason } = ended;
  const whose = by === null || how === "completed" ? "" : ` by ${by}`;
  const why = reason === null ? "" : `: ${reason}`;
  const id = refusal.facts["lease_id"];
  const message =
    `lease ${typeof id === "string" ? id : ""} must be live, ${END_WORDS[how]}${whose} ` +
    `at ${writeInstant(atMs)}${why}`;
  const end = { how, at_ms: atMs, seq, by, reason };
  return { ...refusal, message, facts: { ...refusal.facts, ended: end } };
}

/**
 * A refusal for the end of a lease, with how that came, of those that a worker may look at. Where
 * it cannot be looked at now, the refusal stays as it is: that is what is to be told.
 */
export async function tellOwnEnd(
  door: Pick<WorkerDoor, "lease">,
  refusal: Refusal,
): Promise<Refusal> {
  const { lease_id: id } = refusal.facts;
  if (refusal.code !== "lease_ended" || typeof id !== "string") return refusal;
  try {
    const seen = await door.lease(id);
    return seen.ok ? tellEnd(refusal, leaseIn(seen.lease).ended) : refusal;
  } catch {
    return refusal;
  }
}

/** A view as it crosses a wire: names in snake_case. */
export function wireLease(view: LeaseView): JsonObject {
  return toWire(view, "view") as JsonObject;
}

/** A view that has crossed a wire; the other side is this very program. */
export function leaseIn(document: JsonObject): LeaseView {
  return toEdge(document) as unknown as LeaseView;
}
