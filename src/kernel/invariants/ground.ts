import type { Happening } from "../evolve.ts";
import type { Lease } from "../lease/lease.ts";
import { parseRegion, type Region } from "../region/region.ts";
import { overlapOf } from "../region/relation.ts";
import type { State } from "../state.ts";

/** Every lease of a state, by its id. */
type Leases = State["book"]["leases"];

/** Regions by the patterns of leases: states share those arrays. */
const REGIONS = {
  exact: new WeakMap<readonly string[], Region>(),
  caseless: new WeakMap<readonly string[], Region>(),
} as const;

/** The region of patterns that somebody holds; undefined where they make none. */
export function regionOf(patterns: readonly string[], foldsCase: boolean): Region | undefined {
  const known = REGIONS[foldsCase ? "caseless" : "exact"];
  const region = known.get(patterns);
  if (region !== undefined) return region;
  const parsed = parseRegion(patterns, foldsCase);
  if (!parsed.ok) return undefined;
  known.set(patterns, parsed.region);
  return parsed.region;
}

/**
 * Live leases that are in each other's way after an entry (I1). It is enough to look at those that
 * the entry gave or changed, or that lost the lease that they were lent of: all other pairs stand
 * as they stood before.
 */
export function* groundViolations(
  before: State,
  happening: Happening,
  after: State,
): Generator<string, void, undefined> {
  const { leases, foldsCase } = after.book;
  const live = [...leases.values()].filter((lease) => happening.at_ms < lease.expires_at_ms);
  const moved = live.filter((lease) => isMoved(lease, before.book.leases, leases));
  const seen = new Set<Lease>();
  for (const lease of moved) {
    seen.add(lease);
    for (const other of live) {
      if (seen.has(other)) continue;
      const witness = conflictOf(lease, other, { leases, foldsCase });
      if (witness !== null)
        yield `I1: ${lease.id} and ${other.id} must not both be live, both have ${witness}`;
    }
  }
}

function isMoved(lease: Lease, before: Leases, after: Leases): boolean {
  const { lender } = lease;
  if (before.get(lease.id) !== lease) return true;
  return lender !== null && before.has(lender) && !after.has(lender);
}

/** What two live leases have both, and may not: a resource, or the fleet; null where nothing. */
function conflictOf(
  one: Lease,
  other: Lease,
  { leases, foldsCase }: { readonly leases: Leases; readonly foldsCase: boolean },
): string | null {
  if (isLentOf(one, other, leases) || isLentOf(other, one, leases)) return null;
  if (one.alone || other.alone) return "the fleet, of which one must be alone in it";
  const modes = new Set([one.mode, other.mode]);
  if (modes.size === 1 && modes.has("shared")) return null;
  const isSlotOfOne = modes.size === 1 && modes.has("slot") && one.lane === other.lane;
  if (isSlotOfOne && one.lane !== null) return null;
  const [left, right] = [regionOf(one.region, foldsCase), regionOf(other.region, foldsCase)];
  if (left === undefined || right === undefined) return "what cannot be read";
  const found = overlapOf(left, right);
  if (found.kind === "overlap") return JSON.stringify(found.witness);
  return found.kind === "apart" ? null : "what cannot be decided";
}

/** Whether a lease is a part of another, or a part of a part of it. */
function isLentOf(lease: Lease, from: Lease, leases: Leases): boolean {
  const passed = new Set<string>();
  let at: Lease | undefined = lease;
  while (at !== undefined && at.lender !== null && !passed.has(at.id)) {
    if (at.lender === from.id) return true;
    passed.add(at.id);
    at = leases.get(at.lender);
  }
  return false;
}
