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

/** Whether a lease is shown to a worker's token; without a worker every one is. */
export function isSeen({ holder }: Lease, own: string | undefined): boolean {
  return own === undefined || ("worker" in holder && holder.worker === own);
}

/** The lanes in force with who holds them, as far as a worker's token may see it. */
export function laneDocuments({ book }: State, own?: string): readonly LaneDocument[] {
  const seen = [...book.leases.values()].filter((lease) => isSeen(lease, own));
  const held = Map.groupBy(seen, ({ lane }) => lane);
  return book.rules.lanes.map((lane) => ({
    ...lane,
    leases: (held.get(lane.name) ?? []).map(({ id }) => id),
  }));
}
