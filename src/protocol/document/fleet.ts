import type { Contract } from "../../kernel/fleet/contract.ts";
import type { JsonObject } from "../../kernel/json.ts";
import type { Worktrees } from "../../kernel/lane/lane.ts";
import type { SupervisorStatus } from "../../ports/supervision.ts";
import type { LaneDocument } from "./ground.ts";

/** A fleet at one moment. */
export interface FleetDocument {
  readonly fleet: string;
  readonly name: string;
  readonly status: "open" | "paused" | "killed";
  /** The newest entry of the journal, and its journal time. */
  readonly seq: number;
  readonly at_ms: number;
  /** Workers admitted, running or stopping. */
  readonly live_count: number;
  /** Admissions over the fleet's life. */
  readonly total_count: number;
  readonly contract_hash: string;
  /** The version of Stint that answers. */
  readonly version: string;
}

/** The supervisor as it describes itself; null: none answers. */
export interface SupervisorDocument {
  readonly supervisor: SupervisorStatus | null;
}

/** What is in force. */
export interface ContractDocument {
  readonly contract: Contract;
  readonly contract_hash: string;
  readonly worktrees: Worktrees;
  /** Whether writing needs a lease. */
  readonly require_lease: boolean;
  readonly seq: number;
}

/** The lanes in force, in the order in which they were enacted. */
export interface LanesDocument {
  readonly lanes: readonly LaneDocument[];
  readonly seq: number;
}

/** The signed proof of a stop or a kill; its fields are those of `stint receipt --json`. */
export interface ReceiptDocument extends JsonObject {
  readonly type: string;
  readonly order: "kill" | "stop";
  readonly fleet: string;
  readonly seq: number | null;
  readonly stopped_count: number;
  readonly survivor_count: number;
  /** Whether all are stopped and every end is proven. */
  readonly proven: boolean;
  readonly signature: string;
}
