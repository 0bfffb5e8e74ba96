import type { Budget } from "../budget/budget.ts";
import type { Contract } from "../fleet/contract.ts";
import type { JsonObject } from "../json.ts";

/** What a stop condition sees of the candidate's parent and root. */
export interface AdmissionRelative {
  readonly id: string;
  readonly name: string;
  readonly depth: number;
  readonly state: JsonObject;
  readonly children_count: number;
  readonly budget: Budget;
}

/**
 * What a stop condition is decided on: the fleet before the candidate counts.
 * Whole numbers bind as int, other numbers as double. `parent` and `root` are null for a root.
 */
export interface AdmissionContext {
  readonly active_count: number;
  readonly total_count: number;
  readonly depth: number;
  readonly name: string;
  readonly reason: string;
  readonly state: JsonObject;
  readonly budget: Budget;
  readonly parent: AdmissionRelative | null;
  readonly root: AdmissionRelative | null;
  readonly contract: Contract;
}

/** The CEL type of a name, or the types of its fields where they are known. */
export type CelType = string | CelFields;

/** The CEL types of an object whose fields are all known. */
export interface CelFields {
  readonly [field: string]: CelType;
}

const freeForm = "map<string, dyn>";

const budgetTypes = {
  cpu_milli: "int",
  memory_bytes: "int",
  processes: "int",
  spawns: "int",
  cpu_ms: "int",
  lifetime_ms: "int",
  wall_ms: "int",
  units: "map<string, int>",
} as const satisfies Record<keyof Budget, CelType>;

const relativeTypes = {
  id: "string",
  name: "string",
  depth: "int",
  state: freeForm,
  children_count: "int",
  budget: budgetTypes,
} as const satisfies Record<keyof AdmissionRelative, CelType>;

const contractTypes = {
  max_depth: "int",
  max_replicas: "int",
  max_total: "int",
  cooldown_ms: "int",
  lifetime_ms: "int",
  register_within_ms: "int",
  beat_every_ms: "int",
  reap_after_ms: "int",
  silent_alive: "string",
  on_orphan: "string",
  tether_ms: "int",
  quarantine_max_ms: "int",
  revoke_grace_ms: "int",
  revoke_margin_ms: "int",
  clock_tolerance_ms: "int",
  refusals_per_minute: "int",
  allow_degraded: "list<string>",
  budget: budgetTypes,
  default_child: budgetTypes,
  stop: "list",
} as const satisfies Record<keyof Contract, CelType>;

/** Every name that a condition may use, with its CEL type. */
export const CONTEXT_TYPES: CelFields = {
  active_count: "int",
  total_count: "int",
  depth: "int",
  name: "string",
  reason: "string",
  state: freeForm,
  budget: budgetTypes,
  parent: relativeTypes,
  root: relativeTypes,
  contract: contractTypes,
} as const satisfies Record<keyof AdmissionContext, CelType>;

/** The names that may be null, and so cannot be given a record type in CEL. */
export const NULLABLE_NAMES: ReadonlySet<string> = new Set(["parent", "root"]);
