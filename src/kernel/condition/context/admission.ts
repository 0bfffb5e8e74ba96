import type { Budget } from "../../budget/budget.ts";
import type { Contract } from "../../fleet/contract.ts";
import type { JsonObject } from "../../json.ts";
import type { CelFields, CelType, Vocabulary } from "../vocabulary.ts";

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

const freeForm = "map<string, dyn>";

/** The CEL types of a budget. */
export const BUDGET_TYPES = {
  cpu_milli: "int",
  memory_bytes: "int",
  processes: "int",
  spawns: "int",
  cpu_ms: "int",
  lifetime_ms: "int",
  wall_ms: "int",
  units: "map<string, int>",
} as const satisfies Record<keyof Budget, CelType>;

/** The CEL types of what a condition sees of a worker. */
export const RELATIVE_TYPES = {
  id: "string",
  name: "string",
  depth: "int",
  state: freeForm,
  children_count: "int",
  budget: BUDGET_TYPES,
} as const satisfies Record<keyof AdmissionRelative, CelType>;

/** The CEL types of a contract. */
export const CONTRACT_TYPES = {
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
  budget: BUDGET_TYPES,
  default_child: BUDGET_TYPES,
  stop: "list",
  lease_deny_when: "list",
  kill_when: "list",
  armed_every_ms: "int",
  armed_action: "string",
  sandbox: {
    writable: "list<string>",
    scratch_bytes: "int",
    open_files: "int",
    output_bytes: "int",
  },
  liveness: {
    progress_within_ms: "int",
    grace_ms: "int",
    stalled_after_ms: "int",
    halt_spinning_after_ms: "int",
  },
  retention: { keep_ms: "int", keep_entries: "int" },
} as const satisfies Record<keyof Contract, CelType>;

/** Every name that a stop condition may use, with its CEL type. */
export const CONTEXT_TYPES: CelFields = {
  active_count: "int",
  total_count: "int",
  depth: "int",
  name: "string",
  reason: "string",
  state: freeForm,
  budget: BUDGET_TYPES,
  parent: RELATIVE_TYPES,
  root: RELATIVE_TYPES,
  contract: CONTRACT_TYPES,
} as const satisfies Record<keyof AdmissionContext, CelType>;

/** What stop conditions may use. */
export const ADMISSION_VOCABULARY: Vocabulary = {
  types: CONTEXT_TYPES,
  nullable: new Set(["parent", "root"]),
};
