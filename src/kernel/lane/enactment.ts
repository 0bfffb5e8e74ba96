import canonicalize from "canonicalize";
import type { CommandMap } from "../command.ts";
import { deny, grant, type Ruling } from "../decision.ts";
import { checkAlive } from "../fleet/openness.ts";
import { heldAt } from "../lease/book.ts";
import { LIMITS } from "../limits.ts";
import { newEffort } from "../region/effort.ts";
import { narrowTo } from "../region/rights.ts";
import type { State } from "../state.ts";
import { writeInstant } from "../time/instant.ts";
import type { GroundRules, Lane } from "./lane.ts";
import { resolveLanes } from "./resolve.ts";

/**
 * Decides `lanes.enact`: all lanes, and what else holds for ground, are replaced. Leases stay as
 * they were granted; a lane with fewer slots than are held grants none until they have ended.
 */
export function decideEnactLanes(
  state: State,
  request: CommandMap["lanes.enact"],
  { atMs }: { readonly atMs: number },
): Ruling {
  const killed = checkAlive(state);
  if (killed !== null) return { ok: false, refusal: killed };
  const taken = doubleName(request);
  if (taken !== null)
    return deny("lanes_invalid", `names of lanes must each be of one lane, "${taken}" is of two`, {
      lane: taken,
    });
  const moved = checkWorktrees(state, request, atMs);
  if (moved !== null) return moved;
  const lanes: Lane[] = [];
  const how = { isCaseless: state.book.foldsCase, effort: newEffort(LIMITS.leaseSearchWorkMax) };
  for (const lane of request.lanes) {
    const narrowed = narrowTo(lane.region, null, how);
    if (narrowed.kind === "inside") {
      lanes.push({ ...lane, region: narrowed.patterns });
      continue;
    }
    const { expected, got } = { expected: "a region", got: "another", ...narrowed };
    const message = `lane "${lane.name}" must have ${expected}, got ${got}`;
    return deny("lanes_invalid", message, { lane: lane.name, expected, got });
  }
  const data: GroundRules = { ...request, lanes };
  if (canonicalize(data) === canonicalize(state.book.rules)) return grant();
  return grant({ kind: "lanes.enacted", data });
}

/** What is held was held under the old meaning of paths: under another it would be elsewhere. */
function checkWorktrees({ book }: State, { worktrees }: GroundRules, atMs: number): Ruling | null {
  const { worktrees: inForce } = book.rules;
  const [held] = worktrees === inForce ? [] : heldAt(book, atMs);
  if (held === undefined) return null;
  const message =
    `worktrees must stay "${inForce}" while leases live, got "${worktrees}" ` +
    `and ${held.id} until ${writeInstant(held.expires_at_ms)}`;
  const facts = { field: "worktrees", expected: inForce, got: worktrees, lease_id: held.id };
  return deny("lanes_invalid", message, facts);
}

/** Decides `lane.announce`: shown, never held; of a lane that is enacted. */
export function decideAnnounce(state: State, request: CommandMap["lane.announce"]): Ruling {
  const resolved = resolveLanes(state.book, [request.lane]);
  if (!resolved.ok) return resolved;
  const lane = resolved.lanes[0]?.name ?? request.lane;
  return grant({ kind: "lane.announced", data: { ...request, lane } });
}

/** A name or alias that two lanes have, or one has twice. */
function doubleName({ lanes }: GroundRules): string | null {
  const seen = new Set<string>();
  for (const { name, aliases = [] } of lanes)
    for (const one of [name, ...aliases]) {
      if (seen.has(one)) return one;
      seen.add(one);
    }
  return null;
}
