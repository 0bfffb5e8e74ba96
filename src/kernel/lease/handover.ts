import type { CommandMap } from "../command.ts";
import { grant, type Ruling } from "../decision.ts";
import { checkOpen } from "../fleet/openness.ts";
import { onWorktree } from "../ground/worktree.ts";
import { refuse, type Refusal } from "../refusal.ts";
import type { State } from "../state.ts";
import { checkLeaseConditions } from "../condition/lease-condition.ts";
import { findClaimed, findHeld, type Claimed } from "./claim.ts";
import {
  checkNewHolder,
  checkRoom,
  checkUnmounted,
  isOrphaned,
  rightsOf,
  shown,
} from "./holding.ts";
import { nameOf, type Lease } from "./lease.ts";
import { checkWithin } from "./wanted.ts";

interface Now {
  readonly atMs: number;
  readonly ended: string | undefined;
}

type Request = CommandMap["lease.hand_over"];

/**
 * Decides `lease.hand_over`: the lease goes to another under a new fence, by its holder's word, or
 * as an orphan by nobody's when its holder has ended. It keeps its id and its region.
 */
export function decideHandOver(state: State, request: Request, now: Now): Ruling {
  const { to } = request;
  const refusal = checkOpen(state);
  if (refusal !== null) return { ok: false, refusal };
  const found = findGiven(state, request, now);
  if (!found.ok) return found;
  const { lease } = found;
  const unfit =
    checkNewHolder(state, to, now.ended) ??
    checkLent(lease) ??
    checkUnmounted(state, lease) ??
    checkRights(state, lease, to) ??
    checkRoom(state, { holder: to, region: lease.region }, now.atMs);
  if (unfit !== null) return { ok: false, refusal: unfit };
  const ttl_ms = request.ttl_ms ?? lease.ttl_ms;
  const { run_id } = request;
  const { mode, lane, region } = lease;
  const said = run_id === undefined ? {} : { run_id };
  const asked = { holder: to, ttl_ms, mode, lane, region, ...said };
  const denied = checkLeaseConditions(state, asked, now.atMs);
  if (denied !== null) return { ok: false, refusal: denied };
  return grant({
    kind: "lease.handed_over",
    data: {
      lease: lease.id,
      from: nameOf(lease.holder),
      to,
      orphan: request.orphan === true,
      ttl_ms,
      expires_at_ms: now.atMs + ttl_ms,
      ...said,
    },
  });
}

/** The lease that is given: the holder's to give, or left by a worker that has ended. */
function findGiven(state: State, request: Request, now: Now): Claimed {
  const { claim = {}, orphan, ...asked } = request;
  if (orphan !== true) return findClaimed(state, { ...asked, claim }, now);
  const found = findHeld(state, request.lease, now);
  if (!found.ok || isOrphaned(state, found.lease)) return found;
  const { id, holder } = found.lease;
  const why = "worker" in holder ? "which lives" : "and nobody can know that one dead";
  const message =
    `an orphan's holder must be a worker that has ended, ` +
    `${id} is held by ${shown(holder)}, ${why}`;
  const facts = { lease_id: id, holder: nameOf(holder) };
  return { ok: false, refusal: refuse("holder_mismatch", message, facts) };
}

/** What is lent falls back to its lender, and goes to nobody else. */
function checkLent({ id, lender }: Lease): Refusal | null {
  if (lender === null) return null;
  return refuse(
    "rights_exceeded",
    `a lease that is handed over must be the holder's own, ${id} is lent of ${lender}`,
    { field: "lender", lease_id: id, lender },
  );
}

function checkRights(state: State, lease: Lease, to: Request["to"]): Refusal | null {
  const rights = rightsOf(state, to);
  if (rights === null) return null;
  // Rights are written without a worktree and hold in all of them.
  const outer = lease.worktree === null ? rights : onWorktree(rights, lease.worktree);
  return checkWithin(state, lease.region, {
    outer,
    whose: `the rights of ${shown(to)}`,
    worktree: lease.worktree,
  });
}
