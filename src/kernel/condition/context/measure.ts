import type { Budget } from "../../budget/budget.ts";
import { BUDGET_TYPES } from "./admission.ts";
import type { CelFields, CelType, Vocabulary } from "../vocabulary.ts";

/** What is measured of sandboxes; an absent field cannot be measured on this host, or not yet. */
export interface UseMeasures {
  /** Over the last sample interval, thousandths of a core. */
  readonly cpu_milli?: number;
  readonly memory_bytes?: number;
  readonly processes?: number;
}

/** What a kill condition sees of one running worker. */
export interface WorkerMeasures extends UseMeasures {
  readonly id: string;
  readonly name: string;
  readonly depth: number;
  readonly stale: boolean;
  /** Since it took its manifest up. */
  readonly age_ms: number;
  /** How long the same count of beats was seen; absent before its first beat. */
  readonly silent_ms?: number;
  /** Since its start. */
  readonly cpu_ms?: number;
  /** Its refusals within the last minute, the unjournaled ones included. */
  readonly refusals_per_minute: number;
  /** What it and its dead descendants were charged, by unit: whatever its operator counts. */
  readonly units: Readonly<Record<string, number>>;
  /** What it was granted. */
  readonly budget: Budget;
}

/** What a kill condition sees of the fleet; its use is that of all sandboxes of this host. */
export interface FleetMeasures extends UseMeasures {
  readonly status: "open" | "paused";
  /** Workers that live or are reserved. */
  readonly active_count: number;
  /** Admissions over the fleet's life. */
  readonly total_count: number;
  readonly quarantined_count: number;
  /** Refusals of anybody within the last minute. */
  readonly refusals_per_minute: number;
  /** Workers whose end was journaled within the last minute. */
  readonly ended_per_minute: number;
  /** Those of them that failed, ran out of memory or time, or overdrew their budget. */
  readonly failures_per_minute: number;
  /** Failures in a hundred ends of the last minute, rounded down; 0 where nobody ended. */
  readonly error_rate_percent: number;
  /** What all live workers were charged, by unit. */
  readonly units: Readonly<Record<string, number>>;
}

/** What a kill condition is decided on, as a supervisor measured it. */
export interface Measures {
  readonly fleet: FleetMeasures;
  /** The worker that it is asked about; absent where it is asked about the fleet. */
  readonly worker?: WorkerMeasures;
}

const useTypes = {
  cpu_milli: "int",
  memory_bytes: "int",
  processes: "int",
} as const satisfies Record<keyof UseMeasures, CelType>;

const fleetTypes = {
  status: "string",
  active_count: "int",
  total_count: "int",
  quarantined_count: "int",
  refusals_per_minute: "int",
  ended_per_minute: "int",
  failures_per_minute: "int",
  error_rate_percent: "int",
  ...useTypes,
  units: "map<string, int>",
} as const satisfies Record<keyof FleetMeasures, CelType>;

const workerTypes = {
  id: "string",
  name: "string",
  depth: "int",
  stale: "bool",
  age_ms: "int",
  silent_ms: "int",
  ...useTypes,
  cpu_ms: "int",
  refusals_per_minute: "int",
  units: "map<string, int>",
  budget: BUDGET_TYPES,
} as const satisfies Record<keyof WorkerMeasures, CelType>;

/** Every name that a kill condition may use, with its CEL type. */
export const MEASURE_TYPES: CelFields = {
  fleet: fleetTypes,
  worker: workerTypes,
} as const satisfies Record<keyof Measures, CelType>;

/** What kill conditions may use. */
export const MEASURE_VOCABULARY: Vocabulary = { types: MEASURE_TYPES, nullable: new Set() };
