import { setTimeout as pause } from "node:timers/promises";
import { Fault } from "../../ports/fault.ts";

/** How long SQLite itself may wait for another's lock, blocking this process, ms. */
export const BLOCK_MS = 20;

/** The longest pause between two tries, ms. */
const PAUSE_MS = 20;

/**
 * Runs `work` until no other process holds what it needs, at most `busyMs` long.
 *
 * SQLite waits only briefly, because it blocks the process; the rest of the wait lets timers and
 * sockets go on, so a writer that is frozen with the lock in its hand stops nobody else. Throws the
 * last `Fault` `storage_busy`, retryable.
 */
export async function whileBusy<T>(busyMs: number, work: () => T): Promise<T> {
  const deadlineAtMs = performance.now() + busyMs;
  for (;;) {
    try {
      return work();
    } catch (error) {
      const isBusy = error instanceof Fault && error.code === "storage_busy";
      if (!isBusy || performance.now() >= deadlineAtMs) throw error;
    }
    // Uneven pauses, so that those who wait do not wake in step.
    await pause(1 + Math.random() * (PAUSE_MS - 1));
  }
}
