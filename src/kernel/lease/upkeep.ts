import type { CommandMap } from "../command.ts";
import { grant, type Ruling } from "../decision.ts";
import { checkAlive } from "../fleet/openness.ts";
import { LIMITS } from "../limits.ts";
import type { State } from "../state.ts";
import { findClaimed } from "./claim.ts";
import { checkHolder } from "./holding.ts";
import { isHeldAt, type Lease } from "./lease.ts";
import { checkWithin, parsedOn } from "./wanted.ts";

interface Now {
  readonly atMs: number;
  readonly ended: string | undefined;
}

/**
 * How far a renewal must move a lease's end to be recorded, ms: never more than half of its ttl,
 * so a holder that renews in time is never told an end that is near.
 */
export function renewRecordEveryMs(ttlMs: number): number {
  const { renewRecordEveryMsMax, renewRecordsPerTtlMin } = LIMITS;
  return Math.min(renewRecordEveryMsMax, Math.floor(ttlMs / renewRecordsPerTtlMin));
}

/**
 * Decides `lease.renew`: only by the exact holder, also while the fleet is paused. A renewal that
 * moves the end by little writes nothing: the end that is recorded is the answer, so every end
 * that a holder is told stands in the journal.
 */
export function decideRenew(state: State, request: CommandMap["lease.renew"], now: Now): Ruling {
  const killed = checkAlive(state);
  if (killed !== null) return { ok: false, refusal: killed };
  const found = findClaimed(state, request, now);
  if (!found.ok) return found;
  const { lease } = found;
  const refusal = checkHolder(state, lease.holder, endedHolder(state, lease));
  if (refusal !== null) return { ok: false, refusal };
  const ttlMs = request.ttl_ms ?? lease.ttl_ms;
  const wantedMs = now.atMs + ttlMs;
  const expires_at_ms = Math.min(wantedMs, lenderEndMs(state, lease, now.atMs));
  const movedMs = expires_at_ms - lease.expires_at_ms;
  if (movedMs < renewRecordEveryMs(ttlMs)) return grant();
  const { run_id } = request;
  return grant({
    kind: "lease.renewed",
    data: { lease: lease.id, expires_at_ms, ...(run_id === undefined ? {} : { run_id }) },
  });
}

/** A worker that held a lease has lived: where the state has dropped it, it has ended. */
export function endedHolder(state: State, { holder }: Lease): string | undefined {
  return "worker" in holder && !state.workers.has(holder.worker) ? holder.worker : undefined;
}

/** A lent lease ends with its lender at the latest, while that one lives. */
export function lenderEndMs(state: State, { lender }: Pick<Lease, "lender">, atMs: number): number {
  const from = lender === null ? undefined : state.book.leases.get(lender);
  return from === undefined || !isHeldAt(from, atMs) ? Infinity : from.expires_at_ms;
}

/** Decides `lease.narrow`: a holder gives back a part; what stays lies in what was, exactly. */
export function decideNarrow(state: State, request: CommandMap["lease.narrow"], now: Now): Ruling {
  const found = findClaimed(state, request, now);
  if (!found.ok) return found;
  const { lease } = found;
  const placed = parsedOn(state, request.region, lease.worktree);
  if (!placed.ok) return placed;
  const { patterns } = placed.region;
  const whose = `lease ${lease.id}`;
  const { region: outer, worktree } = lease;
  const refusal = checkWithin(state, patterns, { outer, whose, worktree });
  if (refusal !== null) return { ok: false, refusal };
  if (patterns.join("\n") === lease.region.join("\n")) return grant();
  const { run_id } = request;
  return grant({
    kind: "lease.narrowed",
    data: { lease: lease.id, region: patterns, ...(run_id === undefined ? {} : { run_id }) },
  });
}
