import type { Entry } from "../../kernel/entry.ts";
import { resolveLanes } from "../../kernel/lane/resolve.ts";
import type { Lane } from "../../kernel/lane/lane.ts";
import type { State } from "../../kernel/state.ts";
import { instantOf, judgeNow } from "../liveness/liveness.ts";
import { Refused, refusedAnswer } from "../refused.ts";
import { findRun } from "../relay/run-id.ts";
import type { Seat } from "../seat.ts";
import { Proposals } from "./halts.ts";
import type { ParsedSupervision } from "./options.ts";
import type { Look } from "./plan.ts";
import { serialOf, type KnownStart } from "./serial.ts";

/** How many announcements of a lane are looked at: the newest. */
const announcementsMax = 256;

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

/** The starts that were announced for a lane, each with the worker that it came to. */
async function startsOf(
  seat: Seat,
  lane: string,
  { state, atMs }: { readonly state: State; readonly atMs: number },
): Promise<readonly KnownStart[]> {
  const entries = await seat.store.journal.about(`lane:${lane}`, announcementsMax);
  const announced = new Map<string, Entry<"lane.announced">>();
  for (const entry of entries) {
    if (entry.kind !== "lane.announced") continue;
    const { run_id: runId } = entry.data;
    // The newest comes first.
    if (runId !== undefined && !announced.has(runId)) announced.set(runId, entry);
  }
  const found: KnownStart[] = [];
  for (const [runId, { at_ms }] of announced) {
    const serial = serialOf(lane, runId);
    if (serial === undefined) continue;
    const worker = await findRun(seat, runId);
    const isUnderWay = atMs - at_ms < state.contract.register_within_ms;
    found.push({ lane, runId, serial, worker, isUnderWay });
  }
  return found;
}
