import type { Supervision, SupervisorStatus } from "../../ports/supervision.ts";
import type { Camel } from "../names.ts";

/** A supervisor as the library shows it. */
export type SupervisorView = Camel<SupervisorStatus>;

/** The ways to the supervisor of a store on this host. */
export interface SupervisorDoor {
  /** Connects to the one that runs; undefined when none does. Never rejects. */
  connect(): Promise<Supervision | undefined>;
  /**
   * Starts one and connects to it, or to the one that somebody else started meanwhile. Throws
   * `Fault` `supervisor_unreachable` and what it could not serve for.
   */
  start(): Promise<Supervision>;
}

/**
 * Whether a handle speaks to a supervisor: `use` one that runs, `start` one when a process is to be
 * started and none runs, `none`: never.
 */
export type SupervisorUse = "use" | "start" | "none";
