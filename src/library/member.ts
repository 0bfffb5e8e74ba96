import type { Seat } from "./seat.ts";
import type { Hosting } from "./worker/hosting.ts";
import type { Sandboxes } from "./process/sandboxes.ts";

/** A process in a fleet with what it has in hand: its own tasks, and the processes it runs. */
export interface Member {
  readonly seat: Seat;
  readonly hosting: Hosting;
  /** Absent on a store that only this process can open. */
  readonly sandboxes: Sandboxes | undefined;
}
