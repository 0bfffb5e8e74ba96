/**
 * What a lease lets its holder do with its ground: `exclusive` may write, alone; `shared` relies
 * on nobody writing and may not write; `slot` is one of the slots of a lane and may write.
 */
export type LeaseMode = "exclusive" | "shared" | "slot";

/** Every mode. */
export const LEASE_MODES = ["exclusive", "shared", "slot"] as const satisfies readonly LeaseMode[];

/** A worker as a holder: its own token is its credential. */
export interface WorkerHolder {
  readonly worker: string;
}

/**
 * An outside party as a holder: a person, a CI job. Its credential is the lease's token, of which
 * only the hash is journaled; whoever has the fleet's secret can work the token out of the nonce.
 */
export interface OutsideHolder {
  readonly name: string;
  /** What the token is derived from: 26 base32 letters, fresh for each grant. */
  readonly nonce: string;
  /** SHA-256 over the token's text, lowercase hex. */
  readonly token_hash: string;
}

/** Who holds a lease. */
export type Holder = WorkerHolder | OutsideHolder;

/**
 * Who somebody says to be that acts on a lease: a worker, or an outside party that shows a token.
 * What is missing or wrong in it is refused `holder_mismatch`.
 */
export type Claim =
  | WorkerHolder
  | {
      readonly name?: string;
      /** SHA-256 over the text of the token that was shown, lowercase hex. */
      readonly token_hash?: string;
    };

/** How a lease came to its holder, when that was not by asking for it. */
export interface TakenOver {
  /** The holder before, as text: a worker's id or a name. */
  readonly holder: string;
  /** The fence that the lease had then. */
  readonly fence: number;
  /** Whether the holder before was dead. */
  readonly orphan: boolean;
  readonly at_ms: number;
}

/** A holder's right to a region until it lapses. A value: renewals and the like make another. */
export interface Lease {
  /** `l-` and the seq of the entry that first granted it: never used twice. */
  readonly id: string;
  /** `epoch × 2^40 + seq` of the newest grant: of itself, or of a handing over (I2). */
  readonly fence: number;
  readonly mode: LeaseMode;
  /** Canonical patterns. */
  readonly region: readonly string[];
  /** The lane that it was granted on; null where a region was asked for. */
  readonly lane: string | null;
  /** Whether its lane runs alone in the fleet, as it was when it was granted. */
  readonly alone: boolean;
  readonly holder: Holder;
  readonly ttl_ms: number;
  readonly granted_at_ms: number;
  /** From this instant on it gives no right, recorded or not (I8). */
  readonly expires_at_ms: number;
  readonly key: string | null;
  readonly run_id: string | null;
  /** The lease that this one is a lent part of; that one may have ended since. */
  readonly lender: string | null;
  /** The worktree whose ground it is; null where worktrees share theirs. */
  readonly worktree: string | null;
  readonly taken_over: TakenOver | null;
  /** The place in the queue that it was waited for in; null where it was had at once. */
  readonly place: string | null;
}

/** The id of a lease by the seq of the entry that grants it. */
export function leaseIdAt(seq: number): string {
  return `l-${seq}`;
}

/** The fence of an entry: grants of a later epoch are above all of an earlier one. */
export function fenceAt(epoch: number, seq: number): number {
  return epoch * 2 ** 40 + seq;
}

/** A holder as text, for messages and facts: a worker's id, or a name. */
export function nameOf(holder: Holder): string {
  return "worker" in holder ? holder.worker : holder.name;
}

/** The same for the same holder, whatever its credential: holders are compared by it. */
export function holderKey(holder: WorkerHolder | Pick<OutsideHolder, "name">): string {
  // JSON has no raw control characters, so nothing that follows a key can be part of it.
  return "worker" in holder ? `worker:${holder.worker}` : `name:${JSON.stringify(holder.name)}`;
}

/** Whether a lease still gives its right at an instant; its end itself is too late (I8). */
export function isHeldAt(lease: Lease, atMs: number): boolean {
  return atMs < lease.expires_at_ms;
}
