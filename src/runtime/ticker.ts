import type { Actor } from "../kernel/actor.ts";
import { nextDeadlineAtMs } from "../kernel/state.ts";
import type { Clock } from "../ports/clock.ts";
import { Fault } from "../ports/fault.ts";
import { SILENT, type Log } from "../ports/log.ts";
import type { Loop } from "./loop.ts";
import { SYSTEM_TIMERS, type Timers } from "./timers.ts";

/** The longest sleep, ms: while a machine is suspended, its monotonic clock may stand still. */
const sleepMsMax = 30_000;

/** How long to wait after a fault, ms. */
const faultPauseMs = 1_000;

const TICKER: Actor = { kind: "system", via: "runtime" };

/** What a ticker works with. */
export interface TickerOptions {
  readonly loop: Loop;
  readonly clock: Clock;
  readonly timers?: Timers;
  readonly log?: Log;
}

/**
 * Submits `clock.tick` when time alone has ended something: a reservation, a lifetime, a
 * quarantine. It only makes ends show in time; every decision takes them into account anyhow.
 *
 * It sleeps by the monotonic clock, on what is known of journal time: that is never ahead, so it
 * never ticks in vain, and late by no more than an entry took to get here.
 */
export class Ticker {
  readonly #loop: Loop;
  readonly #clock: Clock;
  readonly #timers: Timers;
  readonly #log: Log;
  #unlisten: (() => void) | undefined;
  #cancel: (() => void) | undefined;
  #ticking: Promise<void> | undefined;
  /** The deadline it sleeps for, or null. */
  #armedForMs: number | null = null;
  /** Journal time less monotonic time, ms; undefined until anything is known. */
  #offsetMs: number | undefined;

  constructor({ loop, clock, timers = SYSTEM_TIMERS, log = SILENT }: TickerOptions) {
    this.#loop = loop;
    this.#clock = clock;
    this.#timers = timers;
    this.#log = log;
  }

  /** Begins; safe to call twice. */
  start(): void {
    if (this.#unlisten !== undefined) return;
    this.#unlisten = this.#loop.onEntry((entry) => {
      const offsetMs = entry.at_ms - this.#clock.monotonicMs();
      this.#offsetMs = Math.max(this.#offsetMs ?? offsetMs, offsetMs);
      if (nextDeadlineAtMs(this.#loop.state()) !== this.#armedForMs) this.#arm();
    });
    this.#arm();
  }

  /** Stops, and waits for a tick that is under way; safe to call twice. */
  async stop(): Promise<void> {
    this.#unlisten?.();
    this.#unlisten = undefined;
    this.#cancel?.();
    await this.#ticking;
  }

  #arm(leastMs = 0): void {
    this.#cancel?.();
    this.#armedForMs = nextDeadlineAtMs(this.#loop.state());
    if (this.#armedForMs === null || this.#unlisten === undefined) return;
    const nowMs = (this.#offsetMs ?? Infinity) + this.#clock.monotonicMs();
    const delayMs = Math.min(sleepMsMax, Math.max(leastMs, this.#armedForMs - nowMs));
    this.#cancel = this.#timers.after(delayMs, () => this.#wake());
  }

  #wake(): void {
    this.#ticking ??= this.#tick().finally(() => {
      this.#ticking = undefined;
    });
  }

  async #tick(): Promise<void> {
    try {
      await this.#loop.submit({ kind: "clock.tick", data: {} }, TICKER);
    } catch (error) {
      this.#pause(error);
      return;
    }
    // Also a tick that wrote nothing tells the time.
    const atMs = this.#loop.timeMs();
    if (atMs !== undefined) this.#offsetMs = atMs - this.#clock.monotonicMs();
    this.#arm();
  }

  /** The world failed; unless the loop is done for good, it is tried again. */
  #pause(error: unknown): void {
    const isOver =
      error instanceof Fault && (error.code === "closed" || error.code.startsWith("journal_"));
    if (!isOver) this.#arm(faultPauseMs);
    if (this.#unlisten !== undefined) this.#log.warn("a tick failed", { error });
  }
}
