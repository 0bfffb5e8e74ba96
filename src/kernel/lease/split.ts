import type { CommandMap } from "../command.ts";
import { grant, type Ruling } from "../decision.ts";
import { checkOpen } from "../fleet/openness.ts";
import { refuse, type Refusal } from "../refusal.ts";
import { LAST } from "../queue/line.ts";
import type { State } from "../state.ts";
import { findClaimed } from "./claim.ts";
import { checkLeaseConditions } from "../condition/lease-condition.ts";
import { checkConflicts } from "./conflict.ts";
import { checkHolder, checkNewHolder, checkRoom, checkUnmounted, shown } from "./holding.ts";
import { findKept } from "./kept.ts";
import type { Holder, Lease } from "./lease.ts";
import { endedHolder, lenderEndMs } from "./upkeep.ts";
import { checkWithin, decisionEffort, understand } from "./wanted.ts";

interface Now {
  readonly atMs: number;
  readonly ended: string | undefined;
}

type Request = CommandMap["lease.split"];

/**
 * Decides `lease.split`: a holder lends a part of its ground to a descendant, under a new fence.
 * Until the lent lease ends the lender has no right there; then it falls back.
 */
export function decideSplit(state: State, request: Request, now: Now): Ruling {
  const closed = checkOpen(state);
  if (closed !== null) return { ok: false, refusal: closed };
  const found = findClaimed(state, request, now);
  if (!found.ok) return found;
  const { lease } = found;
  const holder: Holder = { worker: request.to };
  const refusal =
    checkHolder(state, lease.holder, endedHolder(state, lease)) ??
    checkNewHolder(state, holder, now.ended) ??
    checkBelow(state, lease, request.to) ??
    checkMode(lease) ??
    checkUnmounted(state, lease);
  if (refusal !== null) return { ok: false, refusal };
  const { region: patterns } = request;
  const { worktree } = lease;
  const effort = decisionEffort();
  const understood = understand(state, {
    lane: null,
    patterns,
    mode: lease.mode,
    holder,
    worktree,
    effort,
  });
  if (!understood.ok) return understood;
  const { wanted } = understood;
  const within = { outer: lease.region, whose: `lease ${lease.id}`, worktree, effort };
  const outside = checkWithin(state, wanted.region.patterns, within);
  if (outside !== null) return { ok: false, refusal: outside };
  const kept = findKept(state, { ...request, holder, wanted, lender: lease.id, effort }, now.atMs);
  if (kept !== null) return kept.ok ? grant() : kept;
  const { mode, region } = wanted;
  const wish = {
    holder,
    mode,
    region,
    lane: null,
    alone: false,
    lenders: lendersOf(state, lease),
    alsoHeld: [],
    effort,
    rank: LAST,
  };
  const asked = { ...request, holder, mode, lane: null, region: region.patterns };
  const taken =
    checkRoom(state, { holder, region: wanted.region.patterns }, now.atMs) ??
    checkLeaseConditions(state, asked, now.atMs) ??
    checkConflicts(state.book, wish, now.atMs);
  if (taken !== null) return { ok: false, refusal: taken };
  const { ttl_ms, key, run_id } = request;
  const lenderMs = lenderEndMs(state, lease, now.atMs);
  const endMs = Math.min(now.atMs + ttl_ms, lease.expires_at_ms, lenderMs);
  return grant({
    kind: "lease.granted",
    data: {
      mode: wanted.mode,
      region: wanted.region.patterns,
      holder,
      ttl_ms,
      expires_at_ms: endMs,
      ...(key === undefined ? {} : { key }),
      ...(run_id === undefined ? {} : { run_id }),
      lender: lease.id,
      ...(lease.worktree === null ? {} : { worktree: lease.worktree }),
    },
  });
}

/** The lent lease that a split left as it is; undefined when there is none, or none any more. */
export function findLent(state: State, request: Request, atMs: number): Lease | undefined {
  const lender = state.book.leases.get(request.lease);
  if (lender === undefined) return undefined;
  const holder: Holder = { worker: request.to };
  const { mode, worktree } = lender;
  const effort = decisionEffort();
  const asked = { lane: null, patterns: request.region, mode, holder, worktree, effort };
  const understood = understand(state, asked);
  if (!understood.ok) return undefined;
  const { wanted } = understood;
  const repeatable = { ...request, holder, wanted, lender: lender.id, effort };
  const kept = findKept(state, repeatable, atMs);
  return kept?.ok === true ? kept.lease : undefined;
}

/** A lease and all that it is a lent part of. */
function lendersOf(state: State, lease: Lease): ReadonlySet<string> {
  const chain = new Set<string>();
  for (let at: Lease | undefined = lease; at !== undefined && !chain.has(at.id);) {
    chain.add(at.id);
    at = at.lender === null ? undefined : state.book.leases.get(at.lender);
  }
  return chain;
}

function checkBelow(state: State, { id, holder }: Lease, to: string): Refusal | null {
  const lender = "worker" in holder ? holder.worker : null;
  for (let at = state.workers.get(to)?.parent; at !== null && at !== undefined;) {
    if (at === lender) return null;
    at = state.workers.get(at)?.parent;
  }
  return refuse(
    "rights_exceeded",
    `part of ${id} must be lent to a worker below its holder ${shown(holder)}, ${to} is not`,
    { field: "to", lease_id: id, to },
  );
}

function checkMode({ id, mode }: Lease): Refusal | null {
  if (mode !== "slot") return null;
  return refuse("rights_exceeded", `what is lent must not be a slot, ${id} is one`, {
    field: "mode",
    lease_id: id,
  });
}
