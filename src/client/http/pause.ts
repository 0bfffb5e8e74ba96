/** The first pause between two tries, and the longest, ms. */
const firstMs = 250;
const longestMs = 15_000;

/**
 * How long to wait before the next try: twice as long after each, and by chance up to half of that
 * less, so that many who lost the same server do not come back at once.
 */
export function pauseMs(tries: number, random: () => number = Math.random): number {
  const wholeMs = Math.min(longestMs, firstMs * 2 ** Math.min(tries, 16));
  return Math.round(wholeMs * (1 - random() / 2));
}

/** Waits; rejects with the signal's reason when it fires. */
export function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  signal?.throwIfAborted();
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", giveUp);
      resolve();
    }, ms);
    const giveUp = (): void => {
      clearTimeout(timer);
      reject(signal?.reason as Error);
    };
    signal?.addEventListener("abort", giveUp, { once: true });
  });
}
