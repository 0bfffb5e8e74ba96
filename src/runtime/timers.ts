/** The turns and timers of an event loop, so that a simulator can bring its own. */
export interface Timers {
  /** Runs something once, after `delayMs`; keeps no process alive. Returns how to cancel it. */
  after(delayMs: number, run: () => void): () => void;
  /** Resolves after `delayMs`, and keeps the process alive until then. */
  wait(delayMs: number): Promise<void>;
  /** Resolves when everything that is ready to run now has run. */
  turn(): Promise<void>;
}

/** Beyond this a timer of Node would fire at once. */
const delayMsMax = 2 ** 31 - 1;

/** The timers of this process. */
export const SYSTEM_TIMERS: Timers = {
  after(delayMs, run) {
    const timer = setTimeout(run, Math.min(delayMs, delayMsMax)).unref();
    return () => clearTimeout(timer);
  },
  wait(delayMs) {
    return new Promise((resolve) => {
      setTimeout(resolve, Math.min(delayMs, delayMsMax));
    });
  },
  turn() {
    return new Promise((resolve) => {
      setImmediate(resolve);
    });
  },
};
