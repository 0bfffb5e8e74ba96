import { resolveLanes } from "../../kernel/lane/resolve.ts";
import type { Lane } from "../../kernel/lane/lane.ts";
import { LIMITS } from "../../kernel/limits.ts";
import type { State } from "../../kernel/state.ts";
import { instantOf, judgeNow } from "../liveness/liveness.ts";
import { Refused, refusedAnswer } from "../refused.ts";
import { newestAbout, readable } from "../readable.ts";
import { findLiveRun, findRun } from "../relay/run-id.ts";
import type { Seat } from "../seat.ts";
import { Proposals } from "./halts.ts";
import type { ParsedSupervision } from "./options.ts";
import type { Look } from "./plan.ts";
import { serialOf, type KnownStart } from "./serial.ts";

/** Whom announcements of starts name, where no worker is there yet. */
export const ANNOUNCER = "stint supervise";

/** How many announcements of a lane are looked at, the newest: more where no start is of these. */
const announcementsMin = 256;

/**
 * Looks at a fleet as a plan is made on it: who gets anywhere, what was started for which lane, and
 * who was asked to halt. Throws `Refused` `lane_unknown` for a lane that is none.
 */
export async function lookAround(seat: Seat, options: ParsedSupervision): Promise<Look> {
  const { state, views } = await judgeNow(seat);
  const lanes = lanesOf(state, options.lanes);
  const atMs = instantOf(seat, state);
  const { windowMs } = options;
  const proposals = await Proposals.read(seat, { nowMs: atMs, windowMs });
  const asked = new Map<string, number>();
  for (const view of views) {
    const standing = proposals.standing(view);
    if (standing !== undefined) asked.set(view.holder, standing.seq);
  }
  const starts: KnownStart[] = [];
  for (const lane of lanes) starts.push(...(await startsOf(seat, lane.name, { state, atMs })));
  return { state, atMs, actor: seat.owner, views, lanes, starts, asked };
}

function lanesOf(state: State, names: readonly string[] | undefined): readonly Lane[] {
  if (names === undefined) return state.book.rules.lanes;
  const resolved = resolveLanes(state.book, names);
  if (resolved.ok) return resolved.lanes;
  throw new Refused(refusedAnswer(resolved.refusal).refusal);
}

/**
 * The starts that were announced for a lane, each with the worker that it came to. What workers
 * announce is their own word, and none of these.
 */
async function startsOf(
  seat: Seat,
  lane: string,
  { state, atMs }: { readonly state: State; readonly atMs: number },
): Promise<readonly KnownStart[]> {
  const announced = await announcedFor(seat, lane);
  const found: KnownStart[] = [];
  for (const { runId, serial, announcedAtMs } of announced) {
    const isUnderWay = atMs - announcedAtMs < state.contract.register_within_ms;
    // What became of an old one matters only while it lives.
    const known = isUnderWay ? await readable(findRun(seat, runId)) : undefined;
    const worker = known ?? findLiveRun(state, seat.fleet, runId);
    found.push({ lane, runId, serial, worker, isUnderWay });
  }
  return found;
}

interface Announced {
  readonly runId: string;
  readonly serial: number;
  readonly announcedAtMs: number;
}

/** The newest starts that were announced, each once, as far back as can be read. */
async function announcedFor(seat: Seat, lane: string): Promise<readonly Announced[]> {
  for (let limit = announcementsMin; ; limit *= 4) {
    const { entries } = await newestAbout(seat.store.journal, `lane:${lane}`, limit);
    const found = new Map<string, Announced>();
    for (const { kind, data, actor, at_ms: announcedAtMs } of entries) {
      const isStart =
        kind === "lane.announced" && data.holder === ANNOUNCER && actor.kind !== "worker";
      const runId = isStart ? data.run_id : undefined;
      const serial = serialOf(lane, runId);
      // The newest comes first.
      if (runId !== undefined && serial !== undefined && !found.has(runId))
        found.set(runId, { runId, serial, announcedAtMs });
    }
    if (found.size > 0 || entries.length < limit || limit >= LIMITS.readEntriesMax)
      return [...found.values()];
  }
}
