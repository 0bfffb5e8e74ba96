import type { Clock } from "../../ports/clock.ts";
import type { Log } from "../../ports/log.ts";
import type { Random } from "../../ports/random.ts";
import type { WorkerDoor } from "../../ports/worker-door.ts";
import type { Timers } from "../../runtime/timers.ts";
import { closedFault } from "../closed.ts";
import type { Holdings } from "./holdings.ts";

/** What the handles of one joined process share. */
export interface SocketSeat {
  readonly door: WorkerDoor;
  readonly random: Random;
  readonly log: Log;
  readonly clock: Clock;
  readonly timers: Timers;
  /** The leases that are held from here. */
  readonly holdings: Holdings;
  /** Fires when the worker has left: nothing more is to be asked. */
  readonly closing: AbortSignal;
}

/** Throws `Fault` `closed` once the worker has left. */
export function mustBeOpen({ closing }: Pick<SocketSeat, "closing">): void {
  if (closing.aborted) throw closedFault();
}
