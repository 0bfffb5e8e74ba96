import { withoutWorktree } from "../ground/worktree.ts";
import { refuse, type Refusal } from "../refusal.ts";
import type { Effort } from "../region/effort.ts";
import { containmentOf } from "../region/relation.ts";
import { parseOnce } from "../region/rights.ts";
import type { State } from "../state.ts";
import { leasesOf } from "./book.ts";
import { tooLargeMessage } from "./conflict.ts";
import { isHeldAt, type Holder, type Lease } from "./lease.ts";
import type { Wanted } from "./wanted.ts";

/** What a holder asks for, as far as it may have it already. */
export interface Repeatable {
  readonly holder: Holder;
  readonly key?: string;
  readonly wanted: Wanted;
  /** The lease that it is to be a lent part of, or null. */
  readonly lender: string | null;
  /** What deciding may still cost. */
  readonly effort: Effort;
}

/** The lease that a holder has already, a key that was used for something else, or null. */
export type Kept =
  | { readonly ok: true; readonly lease: Lease }
  | { readonly ok: false; readonly refusal: Refusal }
  | null;

/**
 * Finds what a holder asks for among what it has: the live lease that its key made, or without a
 * key the one on just this ground in this mode. So asking twice is harmless.
 */
export function findKept(state: State, asked: Repeatable, atMs: number): Kept {
  const { holder, key } = asked;
  for (const lease of leasesOf(state.book, holder)) {
    if (!isHeldAt(lease, atMs) || lease.lender !== asked.lender) continue;
    if (key === undefined) {
      if (isSame(lease, asked.wanted)) return { ok: true, lease };
      continue;
    }
    if (lease.key !== key) continue;
    const refusal = checkWithinKept(state, { ...asked, key }, lease);
    return refusal === null ? { ok: true, lease } : { ok: false, refusal };
  }
  return null;
}

function isSame(lease: Lease, { lane, mode, region }: Wanted): boolean {
  return (
    lease.mode === mode &&
    lease.lane === (lane?.name ?? null) &&
    lease.region.length === region.patterns.length &&
    lease.region.every((pattern, index) => pattern === region.patterns[index])
  );
}

/** Refuses what a lease does not give: whoever believes to hold more would overwrite others. */
function checkWithinKept(
  { book }: State,
  { key, wanted, effort }: Repeatable & { readonly key: string },
  lease: Lease,
): Refusal | null {
  const { lane, mode, region } = wanted;
  if (lease.mode !== mode || lease.lane !== (lane?.name ?? null))
    return misused(lease, key, wanted);
  const held = parseOnce(lease.region, book.foldsCase);
  const { kind } = held.ok ? containmentOf(region, held.region, effort) : { kind: "outside" };
  if (kind === "too_large")
    return refuse("region_too_large", tooLargeMessage(region), { lease_id: lease.id });
  return kind === "inside" ? null : misused(lease, key, wanted);
}

function regionOf({ worktree }: Lease, patterns: readonly string[]): string {
  return (worktree === null ? patterns : withoutWorktree(patterns)).join(" ");
}

function misused(lease: Lease, key: string, { lane, mode, region }: Wanted): Refusal {
  const has = `${lease.mode} ${lease.lane ?? regionOf(lease, lease.region)}`;
  const got = `${mode} ${lane?.name ?? regionOf(lease, region.patterns)}`;
  return refuse(
    "command_mismatch",
    `a key must be used for one lease, "${key}" made ${lease.id} on ${has}, got ${got}`,
    { key, lease_id: lease.id, expected: has, got },
  );
}
