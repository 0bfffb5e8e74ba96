import type { Relay } from "./relay/relay-loop.ts";
import type { Seat } from "./seat.ts";
import type { Hosting } from "./worker/hosting.ts";
import type { Sandboxes } from "./process/sandboxes.ts";

/** A process in a fleet with what it has in hand: its own tasks, and the processes it runs. */
export interface Member {
  readonly seat: Seat;
  readonly hosting: Hosting;
  /** Absent where no processes can be run. */
  readonly sandboxes: Sandboxes | undefined;
  /** Why there are none, where there are none; for messages. */
  readonly whyNoSandboxes: string;
  /** The way to the supervisor, for whoever is not the supervisor and may use one. */
  readonly relay?: Relay | undefined;
}
