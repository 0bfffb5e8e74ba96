import { LIMITS } from "../limits.ts";
import { isHeldAt } from "../lease/lease.ts";
import { COST_OF_LEASE, EffortSpent, newEffort, spend, type Effort } from "../region/effort.ts";
import { DEFAULT_NAMESPACE } from "../region/pattern.ts";
import type { Region } from "../region/region.ts";
import { overlapOf } from "../region/relation.ts";
import { parseOnce } from "../region/rights.ts";
import type { State } from "../state.ts";
import { escapeName, onWorktree } from "./worktree.ts";
import { resourceOf, type FilePath } from "./writing.ts";

/**
 * Ids of live leases on files below a path, should that be a folder: whoever may write the path may
 * not write all that lies in it. Those that have the path itself are not among them. At most so
 * many, in the order in which the index has them. What the effort does not suffice to decide is not
 * named; it never throws for it.
 */
export function leasesBelow(
  state: State,
  file: FilePath,
  so: { readonly atMs: number; readonly countMax: number; readonly effort?: Effort },
): readonly string[] {
  const { book } = state;
  const { path, worktree, namespace = DEFAULT_NAMESPACE } = file;
  const inside = [`${namespace}:${escapeName(path)}/*/**`];
  const isOwn = book.rules.worktrees === "own_ground";
  const parsed = parseOnce(isOwn ? onWorktree(inside, worktree) : inside, book.foldsCase);
  // Only a path of very many names is too large to ask about.
  if (!parsed.ok) return [];
  const { effort = newEffort(LIMITS.leaseSearchWorkMax) } = so;
  const found: string[] = [];
  try {
    const having = new Set(book.index.covering(resourceOf(state, file), effort));
    for (const id of book.index.candidates(parsed.region, "exclusive", effort)) {
      if (found.length >= so.countMax) break;
      spend(effort, COST_OF_LEASE);
      const lease = book.leases.get(id);
      if (lease === undefined || !isHeldAt(lease, so.atMs) || having.has(id)) continue;
      const held = parseOnce(lease.region, book.foldsCase);
      if (held.ok && isShared(parsed.region, held.region, effort)) found.push(id);
    }
  } catch (error) {
    if (!(error instanceof EffortSpent)) throw error;
  }
  return found;
}

/** Whether a candidate shares something: where nothing is left out the index has said so. */
function isShared(asked: Region, held: Region, effort: Effort): boolean {
  return held.excludes.length === 0 || overlapOf(asked, held, effort).kind === "overlap";
}
