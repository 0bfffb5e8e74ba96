import type { Account } from "../../kernel/budget/allowance.ts";
import type { ProcessIdentity } from "../../kernel/command.ts";
import type { JsonObject } from "../../kernel/json.ts";
import type { Quarantine, Stopping, WorkerStatus } from "../../kernel/state.ts";
import type { LimitHit } from "../../kernel/worker/limit.ts";
import type { Network } from "../../kernel/worker/manifest.ts";

/** A worker at one moment. */
export interface WorkerDocument {
  readonly id: string;
  readonly name: string;
  readonly parent: string | null;
  readonly root: string;
  /** 0 for a root. */
  readonly depth: number;
  readonly status: WorkerStatus;
  /** Whether it has missed its beats. */
  readonly stale: boolean;
  readonly flagged: boolean;
  readonly quarantine: Quarantine | null;
  readonly stopping: Stopping | null;
  readonly process: ProcessIdentity | null;
  /** What it was admitted with or has last checkpointed: its own words. */
  readonly state: JsonObject;
  /** What it was granted, and of that reserved, spent and free; an absent key is unlimited. */
  readonly budget: Account;
  readonly regions: readonly string[];
  readonly network: Network;
  /** What its sandbox does not hold. */
  readonly degraded: readonly string[];
  /** The limits that it has hit, the newest of each. */
  readonly limits_hit: readonly (LimitHit & { readonly at_ms: number })[];
  readonly children_count: number;
  readonly admitted_at_ms: number;
  readonly expires_at_ms: number;
  /** How it ended; null while it lives. */
  readonly end: WorkerEndDocument | null;
}

/** How a worker ended. */
export interface WorkerEndDocument {
  readonly reason: string;
  /** The grade of the evidence; null for one that was admitted and never came. */
  readonly grade: string | null;
  readonly proven: boolean;
  readonly evidence: JsonObject | null;
  readonly outcome: JsonObject;
  readonly at_ms: number;
  /** The entry that says so. */
  readonly seq: number;
}

/** Who would end by a stop, and why. */
export interface DoomedDocument {
  readonly id: string;
  readonly name: string;
  readonly parent: string | null;
  readonly depth: number;
  readonly status: WorkerStatus;
  readonly because: "named" | "descendant" | "orphaned";
}
