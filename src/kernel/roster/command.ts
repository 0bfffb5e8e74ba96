import type { JsonObject } from "../json.ts";
import type { Roster } from "./roster.ts";
import type { Sighting } from "./sighting.ts";

/** One instance of a name, as the roll knows it. */
export interface InstanceName {
  readonly name: string;
  readonly instance: string;
}

/** What was to become of a service. */
export type ServiceAction = "start" | "stop";

/** What became of it. */
export type ServiceOutcome =
  "started" | "already_running" | "stopped" | "not_running" | "not_installed" | "failed";

/** That a service was told to start or stop, and what became of it. */
export interface ServiceNote {
  /** A name of the roster. */
  readonly name: string;
  readonly action: ServiceAction;
  readonly outcome: ServiceOutcome;
  readonly detail?: string;
  /** How long it took to see, ms of the asker's own clock. */
  readonly took_ms: number;
}

/** The body of each command about the roster and the roll, by its kind. */
export interface RosterCommandMap {
  /** Replaces who is expected to live. */
  readonly "roster.enact": Roster;
  /** What a supervisor heard of some instances, or did not. What follows the rules say. */
  readonly "roll.observe": { readonly sightings: readonly Sighting[] };
  /** Drops rows of instances that ended long ago. */
  readonly "roll.forget": { readonly instances: readonly InstanceName[] };
  /** Asks the live instances of a name for something, in words that they know. */
  readonly "control.request": {
    readonly name: string;
    /** Only this instance, or the worker of this id; absent: all of the name. */
    readonly instance?: string;
    readonly action: string;
    /** How long the message is good for, ms. */
    readonly ttl_ms: number;
    /** ≤ 4 KiB. */
    readonly data?: JsonObject;
  };
  readonly "service.note": ServiceNote;
}
