import type { CommandMap } from "../command.ts";
import { grant, type Ruling } from "../decision.ts";
import type { Event } from "../event.ts";
import { LIMITS } from "../limits.ts";
import type { State } from "../state.ts";
import { leasesOf, leasesOverBy, lentBy } from "./book.ts";
import { findClaimed, findHeld } from "./claim.ts";
import { isHeldAt, type Lease } from "./lease.ts";

interface Now {
  readonly atMs: number;
  readonly ended: string | undefined;
}

/** Decides `lease.release`: by the holder, whatever the fleet is like. */
export function decideRelease(
  state: State,
  request: CommandMap["lease.release"],
  now: Now,
): Ruling {
  const found = findClaimed(state, request, now);
  if (!found.ok) return found;
  const { run_id } = request;
  const said = run_id === undefined ? {} : { run_id };
  const data = { lease: found.lease.id, cause: "holder", ...said } as const;
  return grant({ kind: "lease.released", data });
}

/** Decides `lease.revoke`: an operator ends a lease, and what is lent of it. */
export function decideRevoke(state: State, request: CommandMap["lease.revoke"], now: Now): Ruling {
  const found = findHeld(state, request.lease, now);
  if (!found.ok) return found;
  const { reason, run_id } = request;
  const said = { reason, ...(run_id === undefined ? {} : { run_id }) };
  const lent = lentOf(state, found.lease, now.atMs);
  return grant(
    { kind: "lease.revoked", data: { lease: found.lease.id, ...said } },
    ...lent.map((lease): Event => {
      const data = { lease: lease.id, ...said, with: found.lease.id };
      return { kind: "lease.revoked", data };
    }),
  );
}

/** What is lent of a lease, and of what is lent of it. */
function lentOf(state: State, lease: Lease, atMs: number): readonly Lease[] {
  const found: Lease[] = [];
  const lenders = [lease.id];
  for (let id = lenders.shift(); id !== undefined; id = lenders.shift())
    for (const part of lentBy(state.book, id)) {
      lenders.push(part.id);
      if (isHeldAt(part, atMs)) found.push(part);
    }
  return found;
}

/**
 * Leases whose end is past by `atMs`, as the entries that say so; not all at once when they are
 * many: none of them gives a right from its end on, recorded or not (I8).
 */
export function leaseLapses({ book }: State, atMs: number): readonly Event[] {
  const events: Event[] = [];
  for (const { id } of leasesOverBy(book, atMs)) {
    events.push({ kind: "lease.lapsed", data: { lease: id } });
    if (events.length === LIMITS.leaseLapsesPerDecisionMax) break;
  }
  return events;
}

/** What a worker gives back by ending as it should. */
export function releasesOf(state: State, worker: string): readonly Event[] {
  return [...leasesOf(state.book, { worker })].map(({ id }) => {
    return { kind: "lease.released", data: { lease: id, cause: "completed" } };
  });
}
