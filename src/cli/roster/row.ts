import { accountOf } from "../../kernel/budget/allowance.ts";
import type { JsonObject } from "../../kernel/json.ts";
import type { Worker, WorkerStatus } from "../../kernel/state.ts";
import { listHits, type HitLimit } from "../../kernel/worker/limit.ts";
import { toWire } from "../../library/names.ts";
import type { WorkerView } from "../../library/worker/view.ts";

/** One worker as `stint workers --json` lists it; the fields are public and only added to. */
export interface WorkerRow {
  readonly id: string;
  readonly name: string;
  readonly parent_id: string | null;
  readonly root_id: string;
  readonly depth: number;
  readonly status: WorkerStatus;
  readonly stale: boolean;
  readonly quarantined: boolean;
  readonly degraded: readonly string[];
  /** The limits that it has hit, as they were last told. */
  readonly limits_hit: readonly RowHit[];
  readonly pid: number | null;
  readonly admitted_at_ms: number;
  readonly last_beat_at_ms: number | null;
  readonly expires_at_ms: number;
  /** Granted, reserved by children, spent and free, by key; an absent key is unlimited. */
  readonly budget: JsonObject;
  /** How it ended; null while it lives. */
  readonly end: RowEnd | null;
}

/** That a worker has hit a limit, in the words of the journal. */
export type RowHit = {
  readonly limit: HitLimit;
  readonly value: number;
  readonly use: number;
  readonly count: number;
  readonly at_ms: number;
};

/** How a worker ended, in the words of the journal. */
export type RowEnd = {
  readonly reason: string;
  /** The grade of the evidence; null for one that never came. */
  readonly grade: string | null;
  readonly proven: boolean;
  readonly exit_code?: number;
  readonly signal?: string;
  readonly oom_killed?: true;
  readonly timed_out?: true;
};

/** How a worker ended, in words: why, and how its program did where that was seen. */
export function endWords(end: RowEnd): readonly string[] {
  const { reason, exit_code: code, signal, oom_killed: isOom, timed_out: isLate } = end;
  const cause = [...(isOom ? ["out of memory"] : []), ...(isLate ? ["out of time"] : [])];
  // What ended it is said by its name, and not by the signal that was sent for it.
  const sent = signal === undefined || cause.length > 0 ? [] : [`signal ${signal}`];
  return [reason, ...(code === undefined ? [] : [`exit code ${code}`]), ...sent, ...cause];
}

/** When the store last received a beat, by worker. */
export type Beats = ReadonlyMap<string, { readonly receivedAtMs: number }>;

/** The row of a worker in the state. */
export function rowOf(worker: Worker, beats: Beats): WorkerRow {
  return {
    id: worker.id,
    name: worker.name,
    parent_id: worker.parent,
    root_id: worker.root,
    depth: worker.depth,
    status: worker.status,
    stale: worker.stale,
    quarantined: worker.quarantine !== null,
    degraded: worker.degraded,
    limits_hit: listHits(worker.limits_hit),
    pid: worker.process?.pid ?? null,
    admitted_at_ms: worker.admitted_at_ms,
    last_beat_at_ms: beats.get(worker.id)?.receivedAtMs ?? null,
    expires_at_ms: worker.expires_at_ms,
    // An account is plain JSON: its type has no index, and that is all that is in the way.
    budget: { ...accountOf(worker) } as unknown as JsonObject,
    end: null,
  };
}

/** The row of a worker as the library shows it, the dead included. */
export function rowOfView(view: WorkerView, beats: Beats): WorkerRow {
  return {
    id: view.id,
    name: view.name,
    parent_id: view.parent,
    root_id: view.root,
    depth: view.depth,
    status: view.status,
    stale: view.stale,
    quarantined: view.quarantine !== null,
    degraded: view.degraded,
    limits_hit: view.limitsHit.map(({ atMs: at_ms, ...hit }) => ({ ...hit, at_ms })),
    pid: view.process?.pid ?? null,
    admitted_at_ms: view.admittedAtMs,
    last_beat_at_ms: beats.get(view.id)?.receivedAtMs ?? null,
    expires_at_ms: view.expiresAtMs,
    budget: toWire(view.budget, "budget") as JsonObject,
    end: view.end === null ? null : rowEndOf(view.end),
  };
}

/** How a worker ended, as its row says it. */
export function rowEndOf({
  reason,
  grade,
  proven,
  outcome,
}: NonNullable<WorkerView["end"]>): RowEnd {
  const { exitCode, signal, oomKilled, timedOut } = outcome;
  return {
    reason,
    grade,
    proven,
    ...(exitCode === undefined ? {} : { exit_code: exitCode }),
    ...(signal === undefined ? {} : { signal }),
    ...(oomKilled === true ? { oom_killed: true } : {}),
    ...(timedOut === true ? { timed_out: true } : {}),
  };
}
