import { LIMITS } from "../../kernel/limits.ts";
import { errorText } from "../../library/error-text.ts";
import type { Sandboxes } from "../../library/process/sandboxes.ts";
import type { Seat } from "../../library/seat.ts";
import { settledWithin } from "../../library/waiting.ts";

/** How long ends may take to be journaled after everything was killed, ms. */
const JOURNAL_MS = 2_000;

/**
 * Stops all workers of a supervisor, each with the same grace, and waits until their ends are
 * journaled or the time is up. Answers those that are not proven to have ended. Never rejects.
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
  await Promise.all(live.map((worker) => stopOne(seat, sandboxes, { worker, graceMs })));
  look();
  await settledWithin(allEnded, graceMs + LIMITS.killSweepMs + JOURNAL_MS, seat.timers);
  unlisten();
  return [...sandboxes.own];
}

async function stopOne(
  seat: Seat,
  sandboxes: Sandboxes,
  { worker, graceMs }: { readonly worker: string; readonly graceMs: number },
): Promise<void> {
  const detail = "its supervisor leaves";
  const data = { worker, reason: "requested", tree: false, detail, grace_ms: graceMs } as const;
  try {
    await seat.loop.submit({ kind: "worker.stop", data }, seat.owner);
  } catch (error) {
    // A full disk, say: what cannot be ordered on record is done all the same.
    const facts = { worker, error: errorText(error) };
    seat.log.warn("a stop could not be journaled", facts);
    sandboxes.finishLater(worker, { graceMs, by: "requested" });
  }
}
