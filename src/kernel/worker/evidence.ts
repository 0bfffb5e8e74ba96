import type { JsonObject } from "../json.ts";

/** Grades of evidence for an end, best first (LF5). */
export const GRADES = ["observed", "settled", "tethered", "swept", "declared"] as const;

/** How well an end is proven. */
export type Grade = (typeof GRADES)[number];

/** Whether a grade proves the end: only the first three do. */
export function isProof(grade: Grade): boolean {
  return grade === "observed" || grade === "settled" || grade === "tethered";
}

/** What ended a worker, as its sandbox or an operator saw it. */
export interface Evidence {
  readonly grade: Grade;
  /** What was looked at and what was seen, e.g. two empty listings. */
  readonly facts: JsonObject;
}

/** How a sandbox ended, as flat data; absent fields were not measured. */
export interface Outcome {
  readonly exit_code?: number;
  readonly signal?: string;
  readonly timed_out?: boolean;
  readonly oom_killed?: boolean;
  /** Who ended it when it did not end by itself. */
  readonly killed_by?: string;
  readonly peak_memory_bytes?: number;
  readonly cpu_ms?: number;
  /** The error text of a cooperative task that failed. */
  readonly error?: string;
}

/** Why a worker was told to stop. */
export type StopReason =
  | "requested"
  | "completed"
  | "failed"
  | "expired"
  | "reaped"
  | "silent"
  | "orphaned"
  | "killed"
  | "budget_spent"
  | "tripped"
  | "quarantine_expired"
  | "quarantine_stopped";

/** How grave a quarantine is. */
export type Severity = "low" | "medium" | "high" | "critical";
