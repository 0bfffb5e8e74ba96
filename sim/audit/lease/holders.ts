import type { Actor } from "../../../src/kernel/actor.ts";
import type { Claim, Holder } from "../../../src/kernel/lease/lease.ts";
import type { RefusalCode } from "../../../src/kernel/refusal.ts";
import type { Books } from "../books.ts";
import { isLiveAt, type LeaseRow } from "./books.ts";

/** A command about a lease, when it is decided, and on what. */
export interface Scene {
  readonly books: Books;
  readonly actor: Actor;
  readonly atMs: number;
}

/** Why a holder may be given nothing now; null when it may. */
export function obstacleOfTaker(books: Books, holder: Holder): RefusalCode | null {
  const obstacle = obstacleOfKeeper(books, holder);
  if (obstacle !== null || !("worker" in holder)) return obstacle;
  return books.rows.get(holder.worker)?.isStale === true ? "holder_stale" : null;
}

/** Why a holder may not keep what it has beyond its time; null when it may. */
export function obstacleOfKeeper(books: Books, holder: Holder): RefusalCode | null {
  if (!("worker" in holder)) return null;
  const row = books.rows.get(holder.worker);
  if (row === undefined) return "worker_unknown";
  if (row.status === "admitted") return "worker_not_running";
  if (row.status !== "running") return "holder_ended";
  return row.quarantinedUntilMs === null ? null : "holder_quarantined";
}

/** Whether an actor may speak for a holder at all: itself, or an operator for anybody. */
export function maySpeakFor(actor: Actor, holder: Holder | Claim): boolean {
  if (actor.kind === "operator") return true;
  return actor.kind === "worker" && "worker" in holder && holder.worker === actor.id;
}

/** Why nobody may act on a lease; null when it is live. */
export function obstacleOfLease(
  row: LeaseRow | undefined,
  atMs: number,
): "lease_unknown" | "lease_ended" | null {
  if (row === undefined) return "lease_unknown";
  return isLiveAt(row, atMs) ? null : "lease_ended";
}

/** Why somebody may not act on a lease as its holder; null when he may. */
export function obstacleOfClaim(
  row: LeaseRow | undefined,
  { claim, fence }: { readonly claim: Claim; readonly fence?: number },
  atMs: number,
): RefusalCode | null {
  const obstacle = obstacleOfLease(row, atMs);
  if (obstacle !== null || row === undefined) return obstacle;
  if (!isHolders(claim, row.holder)) return "holder_mismatch";
  return fence === undefined || fence === row.fence ? null : "fence_stale";
}

/** Whether a claim is the holder's own: the worker, or the token and no other name. */
export function isHolders(claim: Claim, holder: Holder): boolean {
  if ("worker" in holder) return "worker" in claim && claim.worker === holder.worker;
  if ("worker" in claim || claim.token_hash !== holder.token_hash) return false;
  return claim.name === undefined || claim.name === holder.name;
}

/** Whether a holder is a worker that has ended; of outside parties nobody can know. */
export function isDead(books: Books, holder: Holder): boolean {
  if (!("worker" in holder)) return false;
  return (books.rows.get(holder.worker)?.status ?? "stopped") === "stopped";
}

/** Why the fleet takes nothing new; null when it does. */
export function obstacleOfFleet(books: Books): "fleet_killed" | "fleet_paused" | null {
  if (books.killedSeq !== null) return "fleet_killed";
  return books.isPaused ? "fleet_paused" : null;
}
