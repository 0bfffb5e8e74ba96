import type { JsonObject } from "./json.ts";

/**
 * Every code by which the rules say no, those of later commands included.
 * Public and permanent; meaning, HTTP status and exit code stand in `protocol/problem.ts`.
 */
export const REFUSAL_CODES = [
  "not_authorised",
  "fleet_unknown",
  "fleet_exists",
  "fleet_killed",
  "fleet_paused",
  "parent_unknown",
  "parent_not_running",
  "parent_quarantined",
  "parent_stale",
  "max_replicas",
  "max_total",
  "cooldown",
  "depth_mismatch",
  "max_depth",
  "rights_exceeded",
  "budget_exceeded",
  "stop_condition",
  "containment_too_weak",
  "manifest_invalid",
  "manifest_foreign",
  "manifest_expired",
  "manifest_used",
  "contract_invalid",
  "instance_taken",
  "worker_unknown",
  "worker_ended",
  "worker_not_running",
  "worker_quarantined",
  "worker_not_quarantined",
  "worker_expired",
  "workers_live",
  "limit_exceeded",
  "rate_limited",
  "command_mismatch",
  "command_expired",
  "holder_ended",
  "holder_quarantined",
  "holder_stale",
  "holder_mismatch",
  "region_invalid",
  "region_too_large",
  "lane_unknown",
  "lease_condition",
  "condition_unmet",
  "lease_unknown",
  "lease_ended",
  "conflict",
  "slots_full",
  "fence_stale",
  "not_writable",
  "lanes_invalid",
  "wait_deadlock",
  "wait_timeout",
  "place_ended",
  "queue_full",
  "roster_invalid",
  "instance_unknown",
  "service_unknown",
  "token_unknown",
  "token_ended",
  "token_taken",
  "tokens_full",
  // No command of this version gives it yet.
  "thaw_unsafe",
] as const;

/** A code by which the rules say no. */
export type RefusalCode = (typeof REFUSAL_CODES)[number];

/** A decision that says no: a value, never thrown inside Stint. */
export interface Refusal {
  readonly code: RefusalCode;
  /** A sentence with expectation and actual value, for people. */
  readonly message: string;
  /** The same for programs: what was asked, what is allowed, what is in use. */
  readonly facts: JsonObject;
}

/** Makes a refusal. */
export function refuse(code: RefusalCode, message: string, facts: JsonObject = {}): Refusal {
  return { code, message, facts };
}
