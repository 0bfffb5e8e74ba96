import type { Clock } from "../../ports/clock.ts";
import type { Timers } from "../../runtime/timers.ts";

/** Of its time a lease is not relied on for a tenth, within these bounds, ms. */
const marginMsMin = 100;
const marginMsMax = 5_000;
const marginPart = 10;

/** How often it is looked whether the machine slept meanwhile, ms. */
const lookEveryMs = 1_000;

/**
 * Until when whoever holds a lease may rely on it: counted on the holder's own clock, from the
 * instant at which it *sent* what moved the lease's end, never from that of the reply, and less a
 * margin. Time in which the machine slept counts, too.
 */
export class Trust {
  readonly #clock: Clock;
  readonly #timers: Timers;
  readonly #marginMs: number;
  readonly #onOver: () => void;
  #untilBootMs = Number.NEGATIVE_INFINITY;
  #cancel: () => void = () => undefined;
  #isStopped = false;

  /** `onOver` is called once, when the time is over, and not after `stop`. */
  constructor(
    so: { readonly clock: Clock; readonly timers: Timers; readonly ttlMs: number },
    onOver: () => void,
  ) {
    this.#clock = so.clock;
    this.#timers = so.timers;
    this.#marginMs = Math.min(marginMsMax, Math.max(marginMsMin, so.ttlMs / marginPart));
    this.#onOver = onOver;
  }

  /** An instant that a later `extend` may count from. */
  static now(clock: Clock): number {
    return clock.read().bootMs;
  }

  /** Until when, as `performance.now()` counts; long past when there is no trust. */
  get until(): number {
    return performance.now() + this.#leftMs();
  }

  /** Takes over that the lease gives its right for so long after an instant; never shortens. */
  extend(sentAtMs: number, remainingMs: number): void {
    const untilMs = sentAtMs + remainingMs - this.#marginMs;
    this.#untilBootMs = Math.max(this.#untilBootMs, untilMs);
    this.#look();
  }

  /** Stops the clock: nothing is said any more. */
  stop(): void {
    this.#isStopped = true;
    this.#cancel();
  }

  #leftMs(): number {
    return this.#untilBootMs - this.#clock.read().bootMs;
  }

  #look(): void {
    this.#cancel();
    if (this.#isStopped) return;
    const leftMs = this.#leftMs();
    if (leftMs <= 0) {
      this.stop();
      this.#onOver();
      return;
    }
    this.#cancel = this.#timers.after(Math.min(leftMs, lookEveryMs), () => this.#look());
  }
}
