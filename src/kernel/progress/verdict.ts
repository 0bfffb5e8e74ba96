/*
 * Whether a holder gets anywhere. The first rule that holds decides:
 *
 *     quarantined, not begun, stopping ─▶ unknown: nothing is to be expected of it
 *     seen gone                        ─▶ stalled, whatever it did before
 *     progress within the window       ─▶ advancing
 *     silent for too long              ─▶ stalled
 *     younger than the grace           ─▶ advancing
 *     a sign of life, and no progress  ─▶ spinning
 *     none of all this is known        ─▶ unknown
 *
 * A beat is a sign of life and never progress. Being seen alive lets nobody off: it tells who spins
 * from who cannot be judged. What lies in the future has not happened.
 */

import { staleAfterMs } from "../worker/liveness.ts";
import type { Contract } from "../fleet/contract.ts";
import type { Evidence, Mark } from "./evidence.ts";

/** Whether a holder gets anywhere. */
export type Verdict = "advancing" | "spinning" | "stalled" | "unknown";

/** Every verdict. */
export const VERDICTS = ["advancing", "spinning", "stalled", "unknown"] as const;

/** Which rule decided. */
export type VerdictRule =
  | "quarantined"
  | "not_begun"
  | "stopping"
  | "gone"
  | "progress"
  | "silent"
  | "young"
  | "no_progress"
  | "no_evidence";

/** What of a contract a judgement needs. */
export type VerdictTerms = Pick<Contract, "liveness" | "reap_after_ms" | "beat_every_ms">;

/** A verdict with what it rests on; ages are never negative, null is not known. */
export interface Judgement {
  readonly verdict: Verdict;
  readonly rule: VerdictRule;
  /** Its newest own progress, however old. */
  readonly progress: Mark | null;
  readonly progress_age_ms: number | null;
  /** Since it could get anywhere. */
  readonly age_ms: number | null;
  readonly beat_age_ms: number | null;
  /** How long it has got nowhere: since its newest progress, else since it began. */
  readonly idle_ms: number | null;
  /** Whether it has spun for so long that its contract has a halt proposed. */
  readonly halt_due: boolean;
  /**
   * Whether it is stalled on evidence that no step of a wall clock can make: it is seen gone, or a
   * watcher found it silent by its own clock.
   */
  readonly sure: boolean;
}

/** Judges one holder. Total: every evidence has one verdict, and equal evidence the same one. */
export function judge(evidence: Evidence, terms: VerdictTerms): Judgement {
  const { now_ms, since_ms, beat_at_ms } = evidence;
  const progress = newestOf(evidence);
  const ages = {
    progress,
    progress_age_ms: ageOf(progress?.at_ms ?? null, now_ms),
    age_ms: ageOf(since_ms, now_ms),
    beat_age_ms: ageOf(beat_at_ms, now_ms),
    idle_ms: ageOf(progress?.at_ms ?? since_ms, now_ms),
  };
  const [verdict, rule] = decide(evidence, ages, terms);
  const { halt_spinning_after_ms: haltMs } = terms.liveness;
  const isLong = haltMs > 0 && ages.idle_ms !== null && ages.idle_ms >= haltMs;
  return {
    verdict,
    rule,
    ...ages,
    halt_due: verdict === "spinning" && isLong,
    sure: rule === "gone" || (rule === "silent" && evidence.stale),
  };
}

type Ages = Pick<Judgement, "progress_age_ms" | "age_ms" | "beat_age_ms">;

function decide(
  evidence: Evidence,
  { progress_age_ms: progressMs, age_ms: ageMs, beat_age_ms: beatMs }: Ages,
  terms: VerdictTerms,
): readonly [Verdict, VerdictRule] {
  const { standing, seen, since_ms } = evidence;
  const { progress_within_ms, grace_ms } = terms.liveness;
  if (standing === "quarantined") return ["unknown", "quarantined"];
  if (standing === "stopping") return ["unknown", "stopping"];
  if (standing === "admitted" || since_ms === null) return ["unknown", "not_begun"];
  if (seen === "gone") return ["stalled", "gone"];
  if (progressMs !== null && progressMs < progress_within_ms) return ["advancing", "progress"];
  const isSilent = beatMs !== null && beatMs >= silentAfterMs(terms);
  if (isSilent) return ["stalled", "silent"];
  if (ageMs !== null && ageMs < grace_ms) return ["advancing", "young"];
  const isAlive = beatMs !== null || seen === "alive";
  // Of an outside party there is no sign of life but that it holds on to its lease.
  const isHeld = standing === "outside" && evidence.commits_known;
  return isAlive || isHeld ? ["spinning", "no_progress"] : ["unknown", "no_evidence"];
}

/** Silent for how long a worker is stalled, ms; never before it is stale. */
export function silentAfterMs({ liveness, ...terms }: VerdictTerms): number {
  const { stalled_after_ms: givenMs } = liveness;
  return givenMs === 0 ? terms.reap_after_ms : Math.max(givenMs, staleAfterMs(terms));
}

/** The newest mark of this very holder's since it began; what is in the future has not been. */
function newestOf({ marks, since_ms, now_ms }: Evidence): Mark | null {
  let newest: Mark | null = null;
  for (const mark of marks) {
    if (since_ms === null || mark.at_ms < since_ms || mark.at_ms > now_ms) continue;
    if (newest === null || mark.at_ms > newest.at_ms) newest = mark;
  }
  return newest;
}

/** Null for what is not known, and for an instant in the future: that is no age. */
function ageOf(atMs: number | null, nowMs: number): number | null {
  return atMs === null || atMs > nowMs ? null : nowMs - atMs;
}
