import type { State } from "../kernel/state.ts";
import type { InstancePulse } from "../ports/pulse.ts";

/** A fleet as it was at one moment: nothing can be done with it. */
export interface Reading {
  readonly state: State;
  /** The newest entry that is in it. */
  readonly seq: number;
  /** When the store last received a beat, by worker, wall time in ms; who is missing is unknown. */
  readonly beats: ReadonlyMap<string, { readonly receivedAtMs: number }>;
  /** What the last supervisor kept of instances of services; who is missing is unknown. */
  readonly instances: readonly InstancePulse[];
  /** The wall time of the reading, ms since 1970; for display only. */
  readonly nowMs: number;
}
