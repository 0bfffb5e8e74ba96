import { isOrphaned } from "../../kernel/lease/holding.ts";
import { nameOf, type Lease } from "../../kernel/lease/lease.ts";
import type { State } from "../../kernel/state.ts";
import type { LaneDocument, LeaseDocument } from "../../protocol/document/ground.ts";

/** A live lease in wire form. */
export function leaseDocument(state: State, lease: Lease): LeaseDocument {
  const { id, fence, mode, lane, region, alone, holder, ttl_ms, granted_at_ms } = lease;
  const { expires_at_ms, key, run_id, lender, worktree, taken_over } = lease;
  return {
    id,
    fence,
    mode,
    lane,
    region,
    alone,
    holder: nameOf(holder),
    holder_kind: "worker" in holder ? "worker" : "outside",
    ttl_ms,
    granted_at_ms,
    expires_at_ms,
    key,
    run_id,
    lender,
    worktree,
    taken_over,
    orphaned: isOrphaned(state, lease),
  };
}

/** The lanes in force with who holds them. */
export function laneDocuments({ book }: State): readonly LaneDocument[] {
  const held = Map.groupBy(book.leases.values(), ({ lane }) => lane);
  return book.rules.lanes.map((lane) => ({
    ...lane,
    leases: (held.get(lane.name) ?? []).map(({ id }) => id),
  }));
}
