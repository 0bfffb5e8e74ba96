import { LIMITS } from "../../kernel/limits.ts";
import { TokenBucket, type Rate } from "../../library/token-bucket.ts";

/**
 * How many changes of one name are written down: each of its instances may come and go at once,
 * after that few. One that says otherwise every second fills no journal, and keeps nobody waiting.
 */
const PACE: Rate = { perSecond: 2, burst: 2 * LIMITS.rollInstancesMax };

/** The pace of each name; a change that is beyond it is written down later, as it then stands. */
export class Paces {
  readonly #nowMs: () => number;
  readonly #buckets = new Map<string, TokenBucket>();

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** Whether a change of this name is written down now. */
  take(name: string): boolean {
    let bucket = this.#buckets.get(name);
    if (bucket === undefined) {
      bucket = new TokenBucket(PACE, this.#nowMs);
      this.#buckets.set(name, bucket);
    }
    return bucket.take() === 0;
  }

  /** Forgets a name that has no instance any more. */
  drop(name: string): void {
    this.#buckets.delete(name);
  }
}
