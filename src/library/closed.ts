import { Fault } from "../ports/fault.ts";
import type { Seat } from "./seat.ts";

/** Throws `Fault` `closed` once a handle is closed: what it last saw is no answer any more. */
export function demandOpen({ closing }: Pick<Seat, "closing">): void {
  if (closing.aborted) throw closedFault();
}

/** The fault of whoever uses a handle that is closed, or is being closed. */
export function closedFault(): Fault {
  return new Fault("closed", "the fleet's handle must be open, it was closed");
}
