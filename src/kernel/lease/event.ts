import type { GroundRules } from "../lane/lane.ts";
import type { JsonObject } from "../json.ts";
import type { MountEvidence } from "../mount/mount.ts";
import type { Holder, LeaseMode } from "./lease.ts";

/** The bodies of the events about leases and lanes, by their kind. */
export interface LeaseEventMap {
  readonly "lanes.enacted": GroundRules;
  readonly "lane.announced": {
    readonly lane: string;
    readonly holder: string;
    readonly note?: string;
    readonly run_id?: string;
  };
  /** Its id and fence follow from the place of this very entry (`leaseIdAt`, `fenceAt`). */
  readonly "lease.granted": {
    readonly mode: LeaseMode;
    /** Canonical patterns. */
    readonly region: readonly string[];
    readonly lane?: string;
    readonly alone?: true;
    readonly holder: Holder;
    readonly ttl_ms: number;
    readonly expires_at_ms: number;
    readonly key?: string;
    readonly run_id?: string;
    /** The lease that it is a lent part of. */
    readonly lender?: string;
    /** The worktree whose ground it is, where worktrees have ground of their own. */
    readonly worktree?: string;
    /** The place in the queue that it was waited for in; that one is over. */
    readonly place?: string;
    /** What was asked for, where the contract has widened it to whole folders. */
    readonly widened_from?: readonly string[];
    /** Lanes that were asked for before this one, with code and facts of what was in the way. */
    readonly passed_over?: readonly JsonObject[];
  };
  readonly "lease.renewed": {
    readonly lease: string;
    readonly expires_at_ms: number;
    readonly run_id?: string;
  };
  readonly "lease.narrowed": {
    readonly lease: string;
    readonly region: readonly string[];
    readonly run_id?: string;
  };
  /** Its new fence follows from the place of this very entry. */
  readonly "lease.handed_over": {
    readonly lease: string;
    readonly from: string;
    readonly to: Holder;
    readonly orphan: boolean;
    readonly ttl_ms: number;
    readonly expires_at_ms: number;
    readonly run_id?: string;
  };
  readonly "lease.released": {
    readonly lease: string;
    /** `completed`: its worker ended as it should, and what it held is free. */
    readonly cause: "holder" | "completed";
    readonly run_id?: string;
  };
  readonly "lease.revoked": {
    readonly lease: string;
    readonly reason: string;
    /** The lease that this one was a lent part of, where it ends with that one. */
    readonly with?: string;
    readonly run_id?: string;
  };
  /** Its time was over. */
  readonly "lease.lapsed": { readonly lease: string };
  /** Its holder's sandbox may let it write to these whole folders of it from now on. */
  readonly "lease.mounted": {
    readonly lease: string;
    readonly worker: string;
    readonly region: readonly string[];
  };
  /** Nothing of the worker can write there any more: others may have it. */
  readonly "lease.fenced": {
    readonly lease: string;
    readonly worker: string;
    readonly region: readonly string[];
  } & MountEvidence;
}
