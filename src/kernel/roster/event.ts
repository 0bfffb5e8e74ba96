import type { JsonObject } from "../json.ts";
import type { InstanceName, ServiceNote } from "./command.ts";
import type { Roster } from "./roster.ts";
import type { JudgedStatus, RollStatus } from "./sighting.ts";

/** The body of each event about the roster and the roll, by its kind. */
export interface RosterEventMap {
  readonly "roster.enacted": Roster;
  /** An instance stands otherwise than before. */
  readonly "roll.changed": InstanceName & {
    /** `unknown` where the roll had no row of it. */
    readonly from: RollStatus;
    readonly to: JudgedStatus;
    readonly why: string;
    readonly silent_ms: number;
    /** The interval it was judged by, ms. */
    readonly every_ms: number;
    readonly beat_count?: number;
  };
  readonly "roll.forgotten": { readonly instances: readonly InstanceName[] };
  /** Whom a request reaches: instances of the roll, and workers by their ids. */
  readonly "control.requested": {
    readonly name: string;
    readonly action: string;
    readonly ttl_ms: number;
    readonly instances: readonly string[];
    readonly workers: readonly string[];
    /** How many more there were than one request reaches; absent where none were left out. */
    readonly left_out_count?: number;
    readonly data?: JsonObject;
  };
  readonly "service.acted": ServiceNote;
}
