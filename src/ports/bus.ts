// What crosses the bus, and what the roll says: the words of whoever publishes, beats or looks.
// All of it is in wire form; how it is carried is in src/bus and src/supervisor/bus.

import type { JsonObject } from "../kernel/json.ts";
import type { RollStatus, SaidByBeat } from "../kernel/roster/sighting.ts";

/** Who publishes or subscribes, as the door that it came through knows it. */
export type BusIdentity =
  | { readonly kind: "supervisor" }
  | { readonly kind: "operator" }
  | { readonly kind: "worker"; readonly id: string }
  | { readonly kind: "service"; readonly id: string };

/**
 * A message as it is delivered. The hub makes all of it but `body`: of what a publisher says of
 * itself, of the time or of an id nothing is left.
 */
export interface Envelope {
  readonly v: 1;
  /** Unlike any other of this supervisor and of those before it. */
  readonly id: string;
  /** Tokens of letters, digits, `_` and `-`, joined by dots. */
  readonly subject: string;
  /** Wall time of receipt by the supervisor, ms since 1970: for display, never for judging. */
  readonly at_ms: number;
  readonly from: BusIdentity;
  readonly body: JsonObject;
  /** How long after receipt it is still delivered, ms; absent: as long as it is queued. */
  readonly expires_in_ms?: number;
}

/** What is published. */
export interface BusMessage {
  readonly subject: string;
  /** At most 32 KiB as JSON. */
  readonly body: JsonObject;
  /** After so long it is not delivered any more, ms. */
  readonly ttl_ms?: number;
}

/**
 * What a subscriber is told. `lost`: so many messages were dropped here, at this place, because it
 * read too slowly. `down`: the supervisor cannot be reached now, what is published meanwhile is
 * missed. `open`: from here on everything comes.
 */
export type BusDelivery =
  | { readonly kind: "open" }
  | { readonly kind: "message"; readonly envelope: Envelope }
  | { readonly kind: "lost"; readonly count: number }
  | { readonly kind: "down" };

/** In whose name the operator asks: the rights are that service's, and no more. */
export interface ActingService {
  readonly service: string;
}

/** What somebody hears in a service's name. */
export interface Hearing {
  readonly patterns: readonly string[];
  readonly as: ActingService;
}

/** A sign of life of one instance of a service. */
export interface Beat {
  /** Letters, digits, `_` and `-`, 1 to 64; not `stint`. */
  readonly name: string;
  /** The same form; what looks like the id of a worker is refused. */
  readonly instance: string;
  /** How soon the next beat comes, 1 s to 1 h; 10 s by default. The roster's interval wins. */
  readonly interval_ms?: number;
  /** What the sender counts its work by; only whether it changes is looked at. */
  readonly progress?: number;
  /** `up` by default. */
  readonly said?: SaidByBeat;
  /** The sender's wall clock, ms: for the skew that is shown, for nothing else. */
  readonly sent_at_ms?: number;
  readonly pid?: number;
  /** At most 128 characters. */
  readonly host?: string;
  /** At most 128 characters. */
  readonly version?: string;
  /** At most 4 KiB as JSON. */
  readonly extra?: JsonObject;
}

/** What became of a list of beats: each is taken or refused by itself. */
export interface BeatsAnswer {
  readonly accepted: number;
  readonly refused: readonly RefusedBeat[];
}

/** A beat that was not understood, by its place in the list. */
export interface RefusedBeat {
  readonly index: number;
  readonly problem: {
    readonly path: string;
    readonly expected: string;
    readonly got: string;
  };
}

/** One change of an instance's status. */
export interface RollChange {
  /** Journal time, ms. */
  readonly at_ms: number;
  readonly from: RollStatus;
  readonly to: RollStatus;
  readonly why: string;
}

/** One instance of a name. */
export interface InstanceRow {
  readonly instance: string;
  readonly kind: "service" | "worker" | "supervisor";
  readonly status: RollStatus;
  /** In words. */
  readonly why: string;
  /** Since when it has this status, ms; null where that is not known. */
  readonly since_ms: number | null;
  /** Wall time of receipt of its newest beat, ms: for display. */
  readonly last_heard_at_ms: number | null;
  /** How long ago that was, by the supervisor's monotonic clock where it heard it itself, ms. */
  readonly age_ms: number | null;
  /** Beats heard. */
  readonly count: number;
  readonly every_ms: number;
  readonly progress?: number;
  /** For how long its progress has not changed though it beats, ms; only where it says any. */
  readonly progress_age_ms?: number;
  /** Its progress has not changed for long, though it beats. A note; the status stays. */
  readonly stuck?: true;
  /** Receipt less sending of the newest beat that said when it was sent, ms. */
  readonly skew_ms?: number;
  readonly pid?: number;
  readonly host?: string;
  readonly version?: string;
  readonly extra?: JsonObject;
  /** The newest changes within a day, newest first, 32 at most. */
  readonly history: readonly RollChange[];
}

/** Everything of one name. */
export interface NameRow {
  readonly name: string;
  readonly status: RollStatus;
  readonly why: string;
  /** Whether the roster in force names it. */
  readonly expected: boolean;
  /** How often each instance is to beat, ms. */
  readonly every_ms: number;
  /** How many are to be ok. */
  readonly wanted: number;
  readonly instances: readonly InstanceRow[];
}

/** Who is alive, by name. */
export interface RollDocument {
  /** Wall time of the look, ms. */
  readonly at_ms: number;
  readonly bus: BusHealth;
  /** Since when the watcher has listened, ms; null: nobody does. */
  readonly watching_since_ms: number | null;
  readonly sections: {
    /** `stint` itself first, then the names of the roster in its order. */
    readonly expected: readonly NameRow[];
    /** Names that beat and that the roster does not have. */
    readonly unexpected: readonly NameRow[];
    /** Live workers of other names; 1 000 instances at most. */
    readonly workers: readonly NameRow[];
  };
  /** How many names of the first two sections stand how; and workers that are not listed. */
  readonly counts: Readonly<Record<RollStatus, number>> & { readonly truncated: number };
}

/** How the bus is. */
export type BusHealth =
  | {
      readonly up: true;
      /** Wall time, ms. */
      readonly since_ms: number;
      /** Messages published since. */
      readonly messages: number;
      /** Messages that subscribers lost by reading too slowly. */
      readonly lost: number;
      /** Beats and messages that were not understood. */
      readonly malformed: number;
      readonly subscriptions: number;
    }
  | { readonly up: false; readonly why: string };

/**
 * The bus and the roll, as other processes of the host reach them through the supervisor. What
 * cannot be delivered throws `Fault` `supervisor_unreachable` (retryable), what is not understood
 * an InputError.
 */
export interface BusLine {
  /** Who is alive; with a name, the supervisor and whoever has that name alone. */
  roll(name?: string): Promise<RollDocument>;
  /** Gives up to 1 000 beats, each a {@link Beat}; one that is none comes back as refused. */
  beats(list: readonly unknown[], as?: ActingService): Promise<BeatsAnswer>;
  /** Publishes a message; answers its id. */
  publish(message: BusMessage, as?: ActingService): Promise<{ readonly id: string }>;
  /**
   * Tells what is published on subjects that match one of the patterns, until the signal fires;
   * with `as`, what that service may hear.
   * Connects anew by itself, with growing pauses, and says when it is down and open again. Rejects
   * only with an InputError, for patterns that are none.
   */
  follow(
    patterns: readonly string[] | Hearing,
    onDelivery: (delivery: BusDelivery) => void,
    signal: AbortSignal,
  ): Promise<void>;
}
