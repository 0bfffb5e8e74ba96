import type { Lease, LeaseMode } from "../lease/lease.ts";

/**
 * Ground that a worker's sandbox lets it write to, for a lease: an occupation. It outlives the
 * lease, for a sandbox does not let go by time alone: it ends by `lease.fenced`, when nothing of
 * the worker can write there any more, or with the worker.
 */
export interface Mount {
  /** The lease that it is mounted for; it may have ended since. */
  readonly lease: string;
  readonly worker: string;
  /** Canonical patterns of whole folders, of what the lease had when it was mounted. */
  readonly region: readonly string[];
  readonly mode: LeaseMode;
  readonly lane: string | null;
  readonly since_ms: number;
}

/** What is told of a mount when it is taken from a sandbox. */
export interface MountEvidence {
  /** How long it took from the first try until nothing could write there, ms. */
  readonly waited_ms: number;
  /** Whether the worker had to be kept from running for it. */
  readonly was_frozen: boolean;
}

/** A mount as the index of ground knows it. */
export function groundOf(mount: Mount): Pick<Lease, "id" | "mode" | "region" | "alone"> {
  return { id: mount.lease, mode: mount.mode, region: mount.region, alone: false };
}
