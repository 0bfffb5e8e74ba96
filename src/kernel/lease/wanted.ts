import type { Lane } from "../lane/lane.ts";
import { onWorktree, withoutWorktree } from "../ground/worktree.ts";
import { LIMITS } from "../limits.ts";
import { refuse, type Refusal } from "../refusal.ts";
import { newEffort, type Effort } from "../region/effort.ts";
import type { Region } from "../region/region.ts";
import { narrowTo, parseOnce } from "../region/rights.ts";
import type { State } from "../state.ts";
import { rightsOf, shown } from "./holding.ts";
import type { Holder, LeaseMode } from "./lease.ts";

/** One ground that is wanted, understood. */
export interface Wanted {
  readonly lane: Lane | null;
  readonly mode: LeaseMode;
  readonly region: Region;
}

/** A ground that may be wanted by this holder, or why not. */
export type Understood =
  | { readonly ok: true; readonly wanted: Wanted }
  | { readonly ok: false; readonly refusal: Refusal };

/** What is asked for, one ground of it. */
export interface Ask {
  /** Null where a region is asked for. */
  readonly lane: Lane | null;
  readonly patterns: readonly string[];
  readonly mode: LeaseMode | undefined;
  readonly holder: Holder;
  /** The worktree on whose ground it is; null where they share theirs. */
  readonly worktree: string | null;
  /** What deciding may still cost. */
  readonly effort: Effort;
}

/** What one decision about leases may cost in all, however much it looks at. */
export function decisionEffort(): Effort {
  return newEffort(LIMITS.leaseSearchWorkMax);
}

/** Understands what is asked for: its region, the holder's right to it, its mode. */
export function understand(state: State, ask: Ask): Understood {
  const { lane, patterns, holder } = ask;
  const whose = `the rights of ${shown(holder)}`;
  const within = { outer: rightsOf(state, holder), whose, effort: ask.effort };
  // A lane was looked at when it was enacted; an outside party has no rights to exceed.
  const refusal =
    lane !== null && within.outer === null ? null : checkWithin(state, patterns, within);
  if (refusal !== null) return { ok: false, refusal };
  const mode = ask.mode ?? (lane?.slots === undefined ? "exclusive" : "slot");
  if (mode === "slot" && lane?.slots === undefined) {
    const got = lane === null ? "a region" : `lane "${lane.name}"`;
    const message = `the mode slot must be of a lane with slots, got ${got}`;
    const facts = { field: "mode", expected: "a lane with slots", got };
    return { ok: false, refusal: refuse("region_invalid", message, facts) };
  }
  const region = parsedOn(state, patterns, ask.worktree);
  return region.ok ? { ok: true, wanted: { lane, mode, region: region.region } } : region;
}

/** Refuses a region that is malformed, empty, or not inside of another. */
export function checkWithin(
  state: State,
  patterns: readonly string[],
  so: {
    readonly outer: readonly string[] | null;
    readonly whose: string;
    /** The worktree on whose ground both are, where they are on one's own. */
    readonly worktree?: string | null;
    /** What deciding may still cost; absent: as much as a whole decision. */
    readonly effort?: Effort;
  },
): Refusal | null {
  const { outer, effort = decisionEffort() } = so;
  const narrowed = narrowTo(patterns, outer, { isCaseless: state.book.foldsCase, effort });
  if (narrowed.kind === "inside") return null;
  if (narrowed.kind === "outside") return outside(patterns, narrowed.witness, so);
  const { expected, got } = narrowed;
  const code = narrowed.kind === "invalid" ? "region_invalid" : "region_too_large";
  const message = `the region must have ${expected}, got ${got}`;
  return refuse(code, message, { field: "region", expected, got });
}

/** Of the ground of one worktree what is said are the patterns and the path on it. */
function outside(
  patterns: readonly string[],
  found: string,
  { outer, whose, worktree = null }: Parameters<typeof checkWithin>[2],
): Refusal {
  const isPlaced = worktree !== null;
  const within = isPlaced ? withoutWorktree(outer ?? []) : outer;
  const got = isPlaced ? withoutWorktree(patterns) : patterns;
  const [witness = found] = isPlaced ? withoutWorktree([found]) : [found];
  const where = isPlaced ? ` of worktree "${worktree}"` : "";
  return refuse(
    "rights_exceeded",
    `the region must lie in ${whose}, ${JSON.stringify(within)}, ` +
      `got ${JSON.stringify(got)} with "${witness}"${where}`,
    { field: "region", within, got, witness, ...(isPlaced ? { worktree } : {}) },
  );
}

/** Patterns as they are held: where a worktree has ground of its own, on that. */
export function parsedOn(
  { book }: State,
  patterns: readonly string[],
  worktree: string | null,
): { readonly ok: true; readonly region: Region } | Extract<Understood, { readonly ok: false }> {
  const placed = worktree === null ? patterns : onWorktree(patterns, worktree);
  const parsed = parseOnce(placed, book.foldsCase);
  if (parsed.ok) return parsed;
  const { code, expected, got } = parsed.problem;
  const message = `the region must have ${expected}, got ${got}`;
  return { ok: false, refusal: refuse(code, message, { field: "region", expected, got }) };
}
