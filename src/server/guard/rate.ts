/** How many requests are taken from one side. */
export interface Rate {
  /** For as long as it likes, requests a second. */
  readonly perSecond: number;
  /** At once, after a pause. */
  readonly burst: number;
}

/** How many sides are told apart; beyond that those who asked longest ago begin anew. */
const sidesMax = 10_000;

interface Bucket {
  left: number;
  sinceMs: number;
}

/** Counts requests by who sends them: buckets that fill evenly, each emptied by one a request. */
export class Rates {
  readonly #rate: Rate;
  readonly #nowMs: () => number;
  readonly #buckets = new Map<string, Bucket>();

  constructor(rate: Rate, nowMs: () => number = () => performance.now()) {
    this.#rate = rate;
    this.#nowMs = nowMs;
  }

  /** Takes one request of a side: answers 0, or how long until its next one is taken, ms. */
  take(side: string): number {
    const { perSecond, burst } = this.#rate;
    const atMs = this.#nowMs();
    const before = this.#buckets.get(side) ?? { left: burst, sinceMs: atMs };
    const filled = before.left + ((atMs - before.sinceMs) * perSecond) / 1_000;
    const left = Math.min(burst, filled);
    // The map keeps the order in which they last asked.
    this.#buckets.delete(side);
    this.#buckets.set(side, { left: left < 1 ? left : left - 1, sinceMs: atMs });
    const [oldest] = this.#buckets.keys();
    if (this.#buckets.size > sidesMax && oldest !== undefined) this.#buckets.delete(oldest);
    return left < 1 ? Math.ceil(((1 - left) * 1_000) / perSecond) : 0;
  }
}
