import type { UnderLease } from "../lease/acquire.ts";
import type { LeaseHandle } from "../lease/hold.ts";
import type { AcquireOptions } from "../lease/options.ts";
import type { KnownLease } from "../lease/own.ts";
import type { CheckOptions, PathVerdict } from "../lease/path-verdict.ts";
import type { LeaseView } from "../lease/view.ts";
import type { PlaceView } from "../queue/view.ts";
import type { Refusable } from "../refused.ts";
import type { AnnounceOptions, GroundOptions, LaneView } from "./lanes.ts";

/** What is shown for a lease that somebody else has acquired: a token, or which worker it is. */
export interface LeaseCredential {
  /** The token that an outside holder was given. */
  readonly token?: string;
  /** The worker that holds it, by its id. */
  readonly worker?: string;
  /** The name that an outside holder has; where it is given it must be the lease's. */
  readonly holder?: string;
  /** The fence that is believed to be the lease's; another is refused `fence_stale`. */
  readonly fence?: number;
}

/** Whose lease goes to whom. */
export interface AdoptOptions {
  readonly lease: string;
  /** Who is to have it: a worker or an outside party, as for a new lease. */
  readonly holder: string;
  /** Takes it over from a worker that has ended, without a credential. */
  readonly orphan?: boolean;
  /** The token of who holds it now, unless that is a worker. */
  readonly token?: string;
  /** Who holds it now. */
  readonly from?: string;
  /** Default: as long as before. */
  readonly ttlMs?: number;
  readonly runId?: string;
}

/** Why a lease is revoked. */
export interface RevokeOptions {
  readonly reason: string;
  readonly runId?: string;
}

/** Why somebody's waiting is ended. */
export interface CancelWaitOptions {
  readonly reason: string;
}

/** What an operator may do with leases and lanes: for workers and for outside parties. */
export interface LeaseKeeper {
  /** Acquires a lease for a holder, or answers the one that it has already. Throws `Refused`. */
  acquire(options: AcquireOptions): Promise<LeaseHandle>;
  /** Acquires a lease, and answers a refusal instead of throwing it. */
  tryAcquire(options: AcquireOptions): Promise<Refusable<{ readonly lease: LeaseHandle }>>;
  /**
   * Does something under a lease: acquires it, renews it meanwhile, waits for the work to settle,
   * and releases it. Throws `Refused`, what the work throws, and `LeaseLost`.
   */
  withLease<T>(options: AcquireOptions, run: UnderLease<T>): Promise<T>;
  /** A lease by its id, for who shows its token or names the worker that holds it. */
  lease(id: string, credential?: LeaseCredential): KnownLease;
  /** The live leases at the last look, in the order of their grants; nothing is written. */
  leases(): readonly LeaseView[];
  /** All leases that ever were, in the order of their grants: reads the whole journal. */
  leases(options: { readonly all: true }): Promise<readonly LeaseView[]>;
  /** One lease, also after its end; undefined when there is none. */
  findLease(id: string): Promise<LeaseView | undefined>;
  /**
   * Whether somebody may write paths now, each as links and `..` lead: one verdict for each, in
   * their order. Nothing is written, and at the next instant it may be otherwise.
   */
  check(paths: string | readonly string[], options: CheckOptions): Promise<readonly PathVerdict[]>;
  /** Gives a lease to another, and holds it for that one from here. Throws `Refused`. */
  adopt(options: AdoptOptions): Promise<LeaseHandle>;
  /** Ends a lease, and what is lent of it, on an operator's word. Throws `Refused`. */
  revoke(id: string, options: RevokeOptions): Promise<void>;
  /** Who waits for ground that others have, at the last look; whoever came first stands first. */
  waiting(): readonly PlaceView[];
  /** Ends somebody's waiting on an operator's word. Throws `Refused`. */
  cancelWait(place: string, options: CancelWaitOptions): Promise<void>;
  /** The lanes in force, and who holds them, at the last look. */
  lanes(): readonly LaneView[];
  /** Puts lanes, and what else holds for ground, in force; live leases stay. Throws `Refused`. */
  enactGround(options: GroundOptions): Promise<void>;
  /** Says that somebody is about to work on a lane: shown, never held. Throws `Refused`. */
  announce(options: AnnounceOptions): Promise<void>;
}
