import { refuse, type Refusal } from "../refusal.ts";
import type { State } from "../state.ts";
import { writeInstant } from "../time/instant.ts";
import { shown } from "./holding.ts";
import { isHeldAt, nameOf, type Claim, type Holder, type Lease } from "./lease.ts";

/** A lease that somebody may act on, or the refusal that says why not. */
export type Claimed =
  { readonly ok: true; readonly lease: Lease } | { readonly ok: false; readonly refusal: Refusal };

/** Finds a lease that still gives its right; `ended` is what the store's index knows. */
export function findHeld(
  state: State,
  id: string,
  so: { readonly atMs: number; readonly ended: string | undefined },
): Claimed {
  const lease = state.book.leases.get(id);
  if (lease !== undefined && isHeldAt(lease, so.atMs)) return { ok: true, lease };
  if (lease === undefined && so.ended !== id) {
    const message = `a lease of this fleet must be named, none has the id ${id}`;
    return { ok: false, refusal: refuse("lease_unknown", message, { lease_id: id }) };
  }
  const over = lease === undefined ? "" : ` at ${writeInstant(lease.expires_at_ms)}`;
  const message = `lease ${id} must be live, it has ended${over}`;
  return { ok: false, refusal: refuse("lease_ended", message, { lease_id: id }) };
}

/** Finds a lease for who says to hold it: the credential first, then the fence. */
export function findClaimed(
  state: State,
  asked: { readonly lease: string; readonly claim: Claim; readonly fence?: number },
  so: { readonly atMs: number; readonly ended: string | undefined },
): Claimed {
  const found = findHeld(state, asked.lease, so);
  if (!found.ok) return found;
  const { lease } = found;
  if (!isClaimOf(asked.claim, lease.holder))
    return { ok: false, refusal: mismatch(lease, asked.claim) };
  if (asked.fence === undefined || asked.fence === lease.fence) return found;
  const message = `the fence must be that of ${lease.id}, ${lease.fence}, got ${asked.fence}`;
  const facts = { lease_id: lease.id, fence: lease.fence, got: asked.fence };
  return { ok: false, refusal: refuse("fence_stale", message, facts) };
}

/** Whether a claim is the holder's: the worker itself, or the holder's token under its own name. */
export function isClaimOf(claim: Claim, holder: Holder): boolean {
  if ("worker" in claim) return "worker" in holder && holder.worker === claim.worker;
  if ("worker" in holder || claim.token_hash !== holder.token_hash) return false;
  return claim.name === undefined || claim.name === holder.name;
}

/** What was shown is not told: who has guessed a name learns nothing about the token. */
function mismatch(lease: Lease, claim: Claim): Refusal {
  const { id, holder, taken_over: from } = lease;
  const got =
    "worker" in claim
      ? claim.worker
      : claim.token_hash === undefined
        ? "no token"
        : `a token that is not this lease's${claim.name === undefined ? "" : `, or another name`}`;
  const since = from === null ? "" : `; it was taken over from ${JSON.stringify(from.holder)}`;
  return refuse(
    "holder_mismatch",
    `lease ${id} must be acted on by its holder ${shown(holder)}, got ${got}${since}`,
    {
      lease_id: id,
      holder: nameOf(holder),
      got,
      ...(from === null ? {} : { taken_over: { ...from } }),
    },
  );
}
