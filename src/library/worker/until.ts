import type { Entry } from "../../kernel/entry.ts";
import { isLive, type Worker } from "../../kernel/state.ts";
import { subjectOf } from "../../kernel/subject.ts";
import { Fault } from "../../ports/fault.ts";
import type { Seat } from "../seat.ts";
import { holding } from "../waiting.ts";

/**
 * Waits until what the state says of a worker is as wanted; undefined means that the state has
 * dropped it, as it does with the dead. Keeps the process running meanwhile.
 *
 * Rejects with `Fault` `closed` when the handle is closed before that.
 */
export function untilWorker(
  seat: Seat,
  id: string,
  isWanted: (worker: Worker | undefined) => boolean,
): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const look = (): void => {
    if (isWanted(seat.loop.state().workers.get(id))) resolve();
  };
  const hear = (entry: Entry): void => {
    if (subjectOf(entry) === id || entry.kind === "fleet.killed") look();
  };
  const close = (): void => {
    reject(new Fault("closed", `the fleet must be open to wait for ${id}, it was closed`));
  };
  const unsubscribe = seat.loop.onEntry(hear);
  seat.closing.addEventListener("abort", close);
  if (seat.closing.aborted) close();
  look();
  return holding(promise).finally(() => {
    unsubscribe();
    seat.closing.removeEventListener("abort", close);
  });
}

/** Whether a worker no longer lives, by what the state says of it. */
export function hasEnded(worker: Worker | undefined): boolean {
  return worker === undefined || !isLive(worker);
}
