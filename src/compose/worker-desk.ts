// One of the files that know adapters: what a worker's command line needs of its leases, a single
// command, or leases that are held while a program runs.

import { connectAsWorker } from "../client/worker-connection.ts";
import type { Desk } from "../library/desk/desk.ts";
import { workerDesk } from "../library/desk/worker-desk.ts";
import { holdForWorker, type WorkerHolding } from "../library/desk/worker-holding.ts";
import { SILENT } from "../ports/log.ts";
import type { WorkerDoor } from "../ports/worker-door.ts";
import { SYSTEM_TIMERS } from "../runtime/timers.ts";
import { systemClock } from "../system/clock.ts";
import { systemRandom } from "../system/random.ts";

/**
 * Opens the desk of the worker whose token lies in a file; the caller closes it. Throws `Fault`
 * `supervisor_unreachable`.
 */
export function openWorkerDesk(tokenFile: string): Promise<Desk> {
  const [clock, random] = [systemClock(), systemRandom()];
  return atDoor(tokenFile, (door) => workerDesk({ door, clock, random, timers: SYSTEM_TIMERS }));
}

/** Holds leases for the worker whose token lies in a file, as {@link openWorkerDesk}. */
export function openWorkerHolding(tokenFile: string): Promise<WorkerHolding> {
  const [clock, random] = [systemClock(), systemRandom()];
  return atDoor(tokenFile, (door) =>
    holdForWorker({ door, clock, random, log: SILENT, timers: SYSTEM_TIMERS }),
  );
}

async function atDoor<T>(tokenFile: string, open: (door: WorkerDoor) => Promise<T>): Promise<T> {
  const door = await connectAsWorker(tokenFile);
  try {
    return await open(door);
  } catch (error) {
    await door.close();
    throw error;
  }
}
