import type { Event } from "../event.ts";
import { stopping } from "./life.ts";
import { deadlineOf, isReservation, type State } from "../state.ts";
import { workerOf } from "./registry.ts";

/**
 * What time alone has ended by `atMs`: reservations not taken up, lifetimes, quarantines.
 * Every decision begins with it, so an expired right ends at its instant, tick or none (I8).
 */
export function lapsed(state: State, atMs: number): readonly Event[] {
  const events: Event[] = [];
  for (const [key] of state.deadlines) {
    const worker = workerOf(state, key.slice(key.indexOf("/") + 1));
    const deadlineMs = deadlineOf(worker);
    if (deadlineMs === null || deadlineMs > atMs) break;
    if (isReservation(worker)) events.push({ kind: "worker.lapsed", data: { worker: worker.id } });
    else
      events.push(
        ...stopping([worker], worker.quarantine === null ? "expired" : "quarantine_expired"),
      );
  }
  return events;
}
