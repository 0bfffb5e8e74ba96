import type { Entry } from "../../kernel/entry.ts";
import type { EventMap } from "../../kernel/event.ts";
import type { JsonObject } from "../../kernel/json.ts";
import { LIMITS } from "../../kernel/limits.ts";
import type { Severity } from "../../kernel/worker/evidence.ts";
import { GENESIS, type Head } from "../../ports/journal.ts";
import { snapshotOf } from "../names.ts";
import type { Seat } from "../seat.ts";

/** One quarantine, past or present. */
export interface QuarantineRecord {
  readonly worker: string;
  readonly reason: string;
  readonly source: string;
  readonly severity: Severity;
  readonly atMs: number;
  /** `lifted` runs again; `stopped` was told to stop, by an operator, its time or a kill. */
  readonly status: "quarantined" | "lifted" | "stopped";
  readonly resolvedAtMs: number | null;
  readonly resolution: string | null;
  /** From the beginning to its resolution, or to the newest entry. */
  readonly durationMs: number;
  /** What was captured by whoever gave the order. */
  readonly evidence: JsonObject | null;
  /** The worker's recorded state at that moment. */
  readonly state: JsonObject;
  readonly notes: readonly string[];
}

/** All quarantines of a fleet, from its journal. */
export interface QuarantineReport {
  readonly totalCount: number;
  readonly currentCount: number;
  readonly liftedCount: number;
  readonly stoppedCount: number;
  /** Of all time. */
  readonly bySeverity: Readonly<Record<string, number>>;
  readonly bySource: Readonly<Record<string, number>>;
  /** Of those that are resolved; 0 when none is. */
  readonly averageDurationMs: number;
  readonly records: readonly QuarantineRecord[];
}

type Draft = {
  -readonly [K in keyof QuarantineRecord]: K extends "notes" ? string[] : QuarantineRecord[K];
};

/** Reads the journal for all quarantines; its cost is the journal's. */
export async function reportQuarantines(seat: Seat): Promise<QuarantineReport> {
  const reader = new Reader();
  let after: Head = GENESIS;
  for (;;) {
    const entries = await seat.store.journal.read(after, LIMITS.readEntriesMax);
    const last = entries.at(-1);
    if (last === undefined) break;
    for (const entry of entries) reader.read(entry);
    after = { seq: last.seq, hash: last.hash };
  }
  return snapshotOf(summarise(reader.finish()));
}

class Reader {
  readonly #records: Draft[] = [];
  readonly #open = new Map<string, Draft>();
  readonly #states = new Map<string, JsonObject>();
  #atMs = 0;

  read(entry: Entry): void {
    this.#atMs = entry.at_ms;
    const { kind, data } = entry;
    if (kind === "worker.admitted") this.#states.set(data.manifest.instance, data.manifest.state);
    else if (kind === "worker.checkpointed") this.#states.set(data.worker, data.state);
    else if (kind === "worker.quarantined") this.#begin(data);
    else if (kind === "worker.noted") this.#open.get(data.worker)?.notes.push(data.text);
    else this.#readEnd(entry);
  }

  /** What ends a quarantine; whoever is written off was never told to stop. */
  #readEnd({ kind, data }: Entry): void {
    if (kind === "worker.unquarantined") this.#resolve(data.worker, "lifted", data.resolution);
    else if (kind === "worker.stopping")
      this.#resolve(data.worker, "stopped", data.detail ?? data.reason);
    else if (kind === "worker.stopped") {
      this.#resolve(data.worker, "stopped", data.reason);
      this.#states.delete(data.worker);
    } else if (kind === "fleet.killed")
      for (const worker of this.#open.keys()) this.#resolve(worker, "stopped", "killed");
  }

  finish(): readonly QuarantineRecord[] {
    for (const record of this.#open.values()) record.durationMs = this.#atMs - record.atMs;
    return this.#records;
  }

  #begin(data: EventMap["worker.quarantined"]): void {
    const { worker, reason, source, severity, evidence = null } = data;
    const atMs = this.#atMs;
    const record: Draft = {
      worker,
      reason,
      source,
      severity,
      atMs,
      evidence,
      status: "quarantined",
      resolvedAtMs: null,
      resolution: null,
      durationMs: 0,
      state: this.#states.get(worker) ?? {},
      notes: [],
    };
    this.#records.push(record);
    this.#open.set(worker, record);
  }

  #resolve(worker: string, status: "lifted" | "stopped", resolution: string): void {
    const record = this.#open.get(worker);
    if (record === undefined) return;
    this.#open.delete(worker);
    const resolved = { status, resolution, resolvedAtMs: this.#atMs };
    Object.assign(record, resolved, { durationMs: this.#atMs - record.atMs });
  }
}

function summarise(records: readonly QuarantineRecord[]): QuarantineReport {
  const count = (status: QuarantineRecord["status"]): number =>
    records.filter((record) => record.status === status).length;
  const resolved = records.filter(({ resolvedAtMs }) => resolvedAtMs !== null);
  const totalMs = resolved.reduce((sum, { durationMs }) => sum + durationMs, 0);
  return {
    totalCount: records.length,
    currentCount: count("quarantined"),
    liftedCount: count("lifted"),
    stoppedCount: count("stopped"),
    bySeverity: countBy(records, ({ severity }) => severity),
    bySource: countBy(records, ({ source }) => source),
    averageDurationMs: resolved.length === 0 ? 0 : Math.round(totalMs / resolved.length),
    records,
  };
}

function countBy<T>(items: readonly T[], keyOf: (item: T) => string): Record<string, number> {
  const groups = Map.groupBy(items, keyOf);
  return Object.fromEntries([...groups].map(([key, members]) => [key, members.length]));
}
