/** Resolves when a signal fires; keeps the process running until then. */
export function untilAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  const idle = setInterval(() => undefined, 60_000);
  return new Promise((resolve) => {
    signal.addEventListener("abort", () => {
      clearInterval(idle);
      resolve();
    });
  });
}
