import { isReservation } from "../../kernel/state.ts";
import type { Seat } from "../seat.ts";
import { settledWithin } from "../waiting.ts";
import { hasEnded } from "../worker/until.ts";

/** How often the journal is looked at besides its hints, ms: other processes journal their ends. */
const lookEveryMs = 50;

/**
 * Waits until nobody of the fleet lives who ever registered, or the time is up. A reservation is
 * not waited for: in a killed fleet it cannot be taken up, and lapses. Never throws.
 */
export async function untilAllEnded(seat: Seat, withinMs: number): Promise<void> {
  const living = listLiving(seat);
  if (living.size === 0) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  const unsubscribe = seat.loop.onEntry((entry) => {
    if (entry.kind === "worker.stopped") living.delete(entry.data.worker);
    if (living.size === 0) resolve();
  });
  let cancel: () => void = () => undefined;
  const lookLater = (): void => {
    cancel = seat.timers.after(lookEveryMs, () => {
      // A fault is met again by whoever asks for an answer; here only an end is waited for.
      seat.loop.look().catch(() => undefined);
      lookLater();
    });
  };
  lookLater();
  await settledWithin(promise, withinMs, seat.timers);
  cancel();
  unsubscribe();
}

/**
 * Waits until nobody of the fleet lives who ever registered, or no end has been journaled for
 * `quietMs`, or the time is up. Never throws.
 */
export async function whileEnding(
  seat: Seat,
  { quietMs, withinMs }: { readonly quietMs: number; readonly withinMs: number },
): Promise<void> {
  const deadlineMs = seat.clock.monotonicMs() + withinMs;
  let livingCount = Number.POSITIVE_INFINITY;
  for (;;) {
    const { size } = listLiving(seat);
    const leftMs = deadlineMs - seat.clock.monotonicMs();
    if (size === 0 || size >= livingCount || leftMs <= 0) return;
    livingCount = size;
    await untilAllEnded(seat, Math.min(quietMs, leftMs));
  }
}

function listLiving(seat: Seat): Set<string> {
  const workers = [...seat.loop.state().workers.values()];
  return new Set(
    workers.filter((one) => !hasEnded(one) && !isReservation(one)).map(({ id }) => id),
  );
}
