import { LIMITS } from "../../kernel/limits.ts";
import { errorText } from "../../library/error-text.ts";
import { Fault } from "../../ports/fault.ts";
import type { Sandboxes } from "../../library/process/sandboxes.ts";
import type { Seat } from "../../library/seat.ts";
import { settledWithin } from "../../library/waiting.ts";

/** How long ends may take to be journaled after everything was killed, ms. */
const JOURNAL_MS = 2_000;

/** How often it is looked whether all have exited whose ends cannot be journaled, ms. */
const LOOK_EVERY_MS = 50;

/**
 * Stops all workers of a supervisor, each with the same grace, and waits until their ends are
 * journaled or the time is up. Where the journal is lost it waits for their exits alone. Answers
 * those that are not proven to have ended. Never rejects.
 */
export async function stopOwn(
  seat: Seat,
  sandboxes: Sandboxes,
  graceMs: number,
): Promise<readonly string[]> {
  const live = [...sandboxes.own];
  if (live.length === 0) return live;
  const { promise: allEnded, resolve } = Promise.withResolvers<void>();
  const look = (): void => {
    if (sandboxes.own.size === 0) resolve();
  };
  const unlisten = sandboxes.onForgotten(look);
  const stops = live.map((worker) => stopOne(seat, sandboxes, { worker, graceMs }));
  const isJournaled = !(await Promise.all(stops)).includes(false);
  look();
  const withinMs = graceMs + LIMITS.killSweepMs + JOURNAL_MS;
  const cancel = isJournaled ? undefined : whenNoneRuns(seat, sandboxes, resolve);
  await settledWithin(allEnded, withinMs, seat.timers);
  cancel?.();
  unlisten();
  return [...sandboxes.own];
}

/** Calls back when no sandbox of a supervisor runs; returns how to stop looking. */
function whenNoneRuns({ timers }: Seat, sandboxes: Sandboxes, then: () => void): () => void {
  let cancel: () => void = () => undefined;
  const look = (): void => {
    if ([...sandboxes.own].some((id) => sandboxes.isRunning(id)))
      cancel = timers.after(LOOK_EVERY_MS, look);
    else then();
  };
  look();
  return () => cancel();
}

/** Begins to stop one; false when no end can be journaled any more. */
async function stopOne(
  seat: Seat,
  sandboxes: Sandboxes,
  { worker, graceMs }: { readonly worker: string; readonly graceMs: number },
): Promise<boolean> {
  const detail = "its supervisor leaves";
  const data = { worker, reason: "requested", tree: false, detail, grace_ms: graceMs } as const;
  try {
    await seat.loop.submit({ kind: "worker.stop", data }, seat.owner);
    return true;
  } catch (error) {
    // A full disk, say: what cannot be ordered on record is done all the same.
    const facts = { worker, error: errorText(error) };
    seat.log.warn("a stop could not be journaled", facts);
    sandboxes.finishLater(worker, { graceMs, by: "requested" });
    return !(error instanceof Fault && error.code.startsWith("journal_"));
  }
}
