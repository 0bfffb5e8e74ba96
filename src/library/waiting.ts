import type { Timers } from "../runtime/timers.ts";

/** Far away, and still within what a timer takes, ms. */
const farMs = 2 ** 30;

/**
 * Keeps this process running while a promise is pending. The library's own timers keep no process
 * alive, so whoever waits for something of the fleet has to.
 */
export async function holding<T>(promise: Promise<T>): Promise<T> {
  const hold = setInterval(() => undefined, farMs);
  try {
    return await promise;
  } finally {
    clearInterval(hold);
  }
}

/**
 * Keeps this process running while a promise is pending and a signal has not fired: what waits for
 * the signal alone gets to see it, and what ignores it holds nothing up.
 */
export async function holdingUntil<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const hold = signal.aborted ? undefined : setInterval(() => undefined, farMs);
  const release = (): void => clearInterval(hold);
  signal.addEventListener("abort", release, { once: true });
  try {
    return await promise;
  } finally {
    release();
    signal.removeEventListener("abort", release);
  }
}

/** What became of a promise by a deadline. */
export type Settlement<T> =
  | { readonly kind: "done"; readonly value: T }
  | { readonly kind: "failed"; readonly error: unknown }
  | { readonly kind: "late" };

/**
 * Waits for a promise until a deadline; never rejects. What comes later is dropped. Keeps this
 * process running meanwhile.
 */
export function settledWithin<T>(
  promise: Promise<T>,
  deadlineMs: number,
  timers: Timers,
): Promise<Settlement<T>> {
  const waiting = new Promise<Settlement<T>>((resolve) => {
    const cancel = timers.after(deadlineMs, () => resolve({ kind: "late" }));
    const finish = (settlement: Settlement<T>): void => {
      cancel();
      resolve(settlement);
    };
    promise.then(
      (value) => finish({ kind: "done", value }),
      (error: unknown) => finish({ kind: "failed", error }),
    );
  });
  return holding(waiting);
}

/** Waits, and throws the signal's reason as soon as it fires. */
export async function unlessAborted<T>(awaited: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const giveUp = (): void => reject(signal.reason as Error);
  if (signal.aborted) giveUp();
  signal.addEventListener("abort", giveUp);
  try {
    return await Promise.race([awaited, promise]);
  } finally {
    signal.removeEventListener("abort", giveUp);
  }
}
