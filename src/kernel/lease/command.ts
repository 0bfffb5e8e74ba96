import type { GroundRules } from "../lane/lane.ts";
import type { MountEvidence } from "../mount/mount.ts";
import type { Claim, Holder, LeaseMode } from "./lease.ts";

/** What every command about a lease that exists says: which one, and who asks. */
interface OfHolder {
  readonly lease: string;
  readonly claim: Claim;
  /** The fence that the asker knows; another than the lease's is refused `fence_stale`. */
  readonly fence?: number;
  /** For the record: the run that this is part of. */
  readonly run_id?: string;
}

/** The bodies of the commands about leases and lanes, by their kind. */
export interface LeaseCommandMap {
  /** Replaces all lanes, and what else is enacted about ground. */
  readonly "lanes.enact": GroundRules;
  /** Says that somebody is about to work on a lane; shown, never held. */
  readonly "lane.announce": {
    readonly lane: string;
    /** Who: a worker's id, or a name. */
    readonly holder: string;
    readonly note?: string;
    readonly run_id?: string;
  };
  /** Exactly one of `region` and `lanes` is given. */
  readonly "lease.acquire": {
    readonly region?: readonly string[];
    /** Lanes by name or alias: the first that is free, in this order. */
    readonly lanes?: readonly string[];
    /** Absent: `slot` on a lane with slots, else `exclusive`. */
    readonly mode?: LeaseMode;
    readonly holder: Holder;
    readonly ttl_ms: number;
    /** Makes asking again safe: while the lease that it made lives, that lease is the answer. */
    readonly key?: string;
    readonly run_id?: string;
    /** Regions that count as held by somebody else in this one decision. */
    readonly also_held?: readonly (readonly string[])[];
    /** The worktree that it is asked for in; it matters under `own_ground` alone. */
    readonly worktree?: string;
    /** Whoever finds it held takes a place in the queue, and waits so long at the most, ms. */
    readonly wait_ms?: number;
  };
  readonly "lease.renew": OfHolder & {
    /** Absent: as long as before. */
    readonly ttl_ms?: number;
  };
  readonly "lease.release": OfHolder;
  readonly "lease.narrow": OfHolder & { readonly region: readonly string[] };
  /** Lends a part to a descendant of the holder, until the lent lease ends. */
  readonly "lease.split": OfHolder & {
    readonly region: readonly string[];
    /** The worker that it is lent to. */
    readonly to: string;
    readonly ttl_ms: number;
    readonly key?: string;
  };
  /** Gives a lease to another, under a new fence. */
  readonly "lease.hand_over": Omit<OfHolder, "claim"> & {
    /** Absent only with `orphan`. */
    readonly claim?: Claim;
    /** Takes over from a worker that has ended, without its word. */
    readonly orphan?: true;
    readonly to: Holder;
    /** Absent: as long as before. */
    readonly ttl_ms?: number;
  };
  /** A sandbox is about to let a worker write to whole folders of its lease. */
  readonly "lease.mount": { readonly lease: string; readonly worker: string };
  /** Nothing of a worker can write to what its sandbox had mounted for a lease. */
  readonly "lease.fence": { readonly lease: string; readonly worker: string } & MountEvidence;
  /** Ends a lease, and what is lent of it, on an operator's word. */
  readonly "lease.revoke": {
    readonly lease: string;
    readonly reason: string;
    readonly run_id?: string;
  };
}
