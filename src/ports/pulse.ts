import type { JsonObject } from "../kernel/json.ts";
import type { SaidByBeat } from "../kernel/roster/sighting.ts";

/** The signs of life of one worker, as the store counted them. */
export interface PulseRow {
  readonly worker: string;
  /** Beats received in this generation of the store; only ever grows within it. */
  readonly count: number;
  /** When the store received the last one: wall time of the receiver, for display only. */
  readonly receivedAtMs: number;
  /** The worker's own progress counter, as it said. */
  readonly progress?: number;
}

/** All rows of a pulse store. An emptied or replaced store has a new generation. */
export interface PulseReading {
  readonly generation: string;
  readonly rows: readonly PulseRow[];
}

/**
 * The store of beats. Beats are not decisions: they are counted, never journaled, and may be lost;
 * a missing row means unknown, never stale.
 */
export interface Pulse {
  /** Counts a beat of a worker. */
  beat(worker: string, progress?: number): Promise<void>;
  /** All rows and the store's generation, read together. */
  read(): Promise<PulseReading>;
  /** Drops the row of a worker that is dead. */
  forget(worker: string): Promise<void>;
  /** Releases the store; safe to call twice. */
  close(): Promise<void>;
}

/** What was heard of one instance of a service, as the one process that hears them last kept it. */
export interface InstancePulse {
  readonly name: string;
  readonly instance: string;
  /** Beats heard since the store began, by whichever supervisor. */
  readonly count: number;
  /** Wall time of receipt of the newest, ms: for display only. */
  readonly receivedAtMs: number;
  /** How often it beats, as it declared, ms. */
  readonly everyMs: number;
  readonly said: SaidByBeat;
  readonly progress?: number;
  /** What it said of itself: pid, host, version, whatever else. */
  readonly about: JsonObject;
}

/** A pulse store that keeps the beats of services, too, as the supervisor hands them over. */
export interface ServicePulse extends Pulse {
  /** Puts rows in the place of those of the same name and instance; all in one step. */
  keepInstances(rows: readonly InstancePulse[]): Promise<void>;
  /** All rows of instances. */
  readInstances(): Promise<readonly InstancePulse[]>;
  /** Drops the rows of instances. */
  forgetInstances(
    instances: readonly { readonly name: string; readonly instance: string }[],
  ): Promise<void>;
}
