import type { LeaseMode } from "../../kernel/lease/lease.ts";
import type { Evidence, Mark, Standing } from "../../kernel/progress/evidence.ts";
import type { Judgement, Verdict, VerdictRule } from "../../kernel/progress/verdict.ts";
import { toEdge, type Camel } from "../names.ts";
import type { CommitSight } from "./commit-marks.ts";
import { heldSinceMs, type Subject } from "./subject.ts";

/** A lease of a holder that is judged. */
export interface JudgedLease {
  readonly id: string;
  readonly fence: number;
  /** The lane that it was granted on; null where a region was asked for. */
  readonly lane: string | null;
  readonly mode: LeaseMode;
  /** Since when this very holder has it. */
  readonly heldSinceMs: number;
  readonly expiresAtMs: number;
}

/** What commits say of a holder. */
export interface CommitsView {
  /** Whether they can be counted for it. */
  readonly known: boolean;
  /** How many touch its ground since it has that. */
  readonly count: number;
  /** How many of them say to be of a time that has not come; they are not counted. */
  readonly futureCount: number;
  /** Whether there are more than were looked at. */
  readonly isCut: boolean;
  /** Why they could not be read; null where they could, and where there is nothing to read for. */
  readonly problem: string | null;
}

/** Whether somebody gets anywhere, the rule that decided, and what it rests on. */
export interface LivenessView {
  /** A worker's id, or the name of an outside party that holds a lease. */
  readonly holder: string;
  readonly holderKind: "worker" | "outside";
  /** A worker's label; null for an outside party. */
  readonly name: string | null;
  readonly verdict: Verdict;
  /** The rule that decided. */
  readonly rule: VerdictRule;
  /** The rule in words, with the age that it rests on. */
  readonly because: string;
  /** The instant of the judgement. */
  readonly atMs: number;
  readonly standing: Standing;
  /** Since when it could get anywhere; null for one that has not begun. */
  readonly sinceMs: number | null;
  readonly ageMs: number | null;
  /** Its newest own progress, however old; null where there is none since it began. */
  readonly progress: Camel<Mark> | null;
  readonly progressAgeMs: number | null;
  /** How long it has got nowhere. */
  readonly idleMs: number | null;
  readonly commits: CommitsView;
  /** How long ago it last beat; null where nothing is known of that. */
  readonly beatAgeMs: number | null;
  readonly seen: Evidence["seen"];
  /** Whether a watcher has it on record as silent. */
  readonly stale: boolean;
  /** Whether its contract has a halt proposed for it by now. */
  readonly haltDue: boolean;
  /** Whether it is stalled beyond doubt: seen gone, or silent by a watcher's own clock. */
  readonly sure: boolean;
  readonly leases: readonly JudgedLease[];
}

/** Shows a judgement: a deep-frozen copy. */
export function viewOfJudgement(
  subject: Subject,
  so: {
    readonly evidence: Evidence;
    readonly judgement: Judgement;
    readonly commits: CommitSight;
  },
): LivenessView {
  const { evidence, judgement, commits } = so;
  const { known, marks, futureCount, isCut, problem } = commits;
  return toEdge({
    holder: subject.holder,
    holder_kind: subject.worker === null ? ("outside" as const) : ("worker" as const),
    name: subject.worker?.name ?? null,
    verdict: judgement.verdict,
    rule: judgement.rule,
    because: wordsOf(judgement),
    at_ms: evidence.now_ms,
    standing: evidence.standing,
    since_ms: evidence.since_ms,
    age_ms: judgement.age_ms,
    progress: judgement.progress,
    progress_age_ms: judgement.progress_age_ms,
    idle_ms: judgement.idle_ms,
    commits: {
      known,
      count: marks.length,
      future_count: futureCount,
      is_cut: isCut,
      problem,
    },
    beat_age_ms: judgement.beat_age_ms,
    seen: evidence.seen,
    stale: evidence.stale,
    halt_due: judgement.halt_due,
    sure: judgement.sure,
    leases: subject.leases.map((lease) => ({
      id: lease.id,
      fence: lease.fence,
      lane: lease.lane,
      mode: lease.mode,
      held_since_ms: heldSinceMs(lease),
      expires_at_ms: lease.expires_at_ms,
    })),
  });
}

/** The rule that decided, in words. */
function wordsOf(judgement: Judgement): string {
  const { rule, age_ms, progress, progress_age_ms, beat_age_ms, idle_ms } = judgement;
  switch (rule) {
    case "quarantined":
      return "it is in quarantine, where nothing is expected of it";
    case "not_begun":
      return "it has not begun: nobody has taken its manifest up";
    case "stopping":
      return "it was told to stop";
    case "gone":
      return "its process is seen to be gone";
    case "progress":
      return `${KIND_WORDS[progress?.kind ?? "units"]} ${ago(progress_age_ms)}`;
    case "silent":
      return `it last beat ${ago(beat_age_ms)}`;
    case "young":
      return `it began ${ago(age_ms)}, which is within its grace`;
    case "no_progress":
      return `it is alive, and has had no progress of its own for ${spanOf(idle_ms)}`;
    case "no_evidence":
      return "nothing is known of it either way: no progress, no beat, no process that can be seen";
  }
}

/** What a holder did, in words. */
export const KIND_WORDS: Readonly<Record<Mark["kind"], string>> = {
  units: "it reported units",
  checkpoint: "it recorded another state",
  lease_granted: "it was granted a lease",
  lease_released: "it released a lease",
  lease_narrowed: "it narrowed a lease",
  lease_lent: "it lent a part of a lease",
  lease_handed_over: "it handed over a lease, or was given one",
  commit: "its ground was committed to",
};

function ago(ageMs: number | null): string {
  return `${spanOf(ageMs)} ago`;
}

/** A span of time in its largest unit of which there are two or more, rounded down. */
function spanOf(ms: number | null): string {
  if (ms === null) return "an unknown time";
  const unit = UNITS.find((one) => ms >= 2 * one.ms) ?? { name: "s", ms: 1_000 };
  return `${Math.floor(ms / unit.ms)} ${unit.name}`;
}

const UNITS = [
  { name: "days", ms: 86_400_000 },
  { name: "h", ms: 3_600_000 },
  { name: "min", ms: 60_000 },
] as const;
