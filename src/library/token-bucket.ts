/** How many requests a socket takes. */
export interface Rate {
  /** For as long as anybody likes, requests a second. */
  readonly perSecond: number;
  /** At once, after a pause. */
  readonly burst: number;
}

/** Counts requests against a rate: a bucket that fills evenly and is emptied by one for each. */
export class TokenBucket {
  readonly #rate: Rate;
  readonly #nowMs: () => number;
  #tokens: number;
  #sinceMs: number;

  constructor(rate: Rate, nowMs: () => number = () => performance.now()) {
    this.#rate = rate;
    this.#nowMs = nowMs;
    this.#tokens = rate.burst;
    this.#sinceMs = nowMs();
  }

  /** Takes one request: answers 0, or how long until the next one is taken, ms. */
  take(): number {
    const { perSecond, burst } = this.#rate;
    const atMs = this.#nowMs();
    const filled = this.#tokens + ((atMs - this.#sinceMs) * perSecond) / 1_000;
    this.#tokens = Math.min(burst, filled);
    this.#sinceMs = atMs;
    if (this.#tokens < 1) return Math.ceil(((1 - this.#tokens) * 1_000) / perSecond);
    this.#tokens -= 1;
    return 0;
  }
}
