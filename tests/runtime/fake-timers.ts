import { SYSTEM_TIMERS, type Timers } from "../../src/runtime/timers.ts";
import type { FakeClock } from "../../src/testing/fake-clock.ts";

/** Turns of the event loop in which everything that a timer set off has happened. */
const turnsToSettle = 12;

interface Timer {
  readonly dueMs: number;
  readonly run: () => void;
}

/** Timers on a fake clock: they fire in order while it is advanced. */
export class FakeTimers implements Timers {
  readonly #clock: FakeClock;
  readonly #timers = new Set<Timer>();

  constructor(clock: FakeClock) {
    this.#clock = clock;
  }

  /** How many timers wait. */
  get count(): number {
    return this.#timers.size;
  }

  /** Drops all that wait, as the death of a process does. */
  clear(): void {
    this.#timers.clear();
  }

  after(delayMs: number, run: () => void): () => void {
    const timer = { dueMs: this.#clock.monotonicMs() + delayMs, run };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  }

  wait(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      this.after(delayMs, resolve);
    });
  }

  turn(): Promise<void> {
    return SYSTEM_TIMERS.turn();
  }

  /** Lets time pass, timer by timer, and everything happen that follows from them. */
  async advance(ms: number): Promise<void> {
    const untilMs = this.#clock.monotonicMs() + ms;
    await this.settle();
    for (let next = this.#nextDue(untilMs); next !== undefined; next = this.#nextDue(untilMs)) {
      this.#clock.advance(Math.max(0, next.dueMs - this.#clock.monotonicMs()));
      this.#timers.delete(next);
      next.run();
      await this.settle();
    }
    this.#clock.advance(untilMs - this.#clock.monotonicMs());
  }

  /** Lets everything happen that needs no time. */
  async settle(): Promise<void> {
    for (let count = 0; count < turnsToSettle; count += 1) await this.turn();
  }

  #nextDue(untilMs: number): Timer | undefined {
    const due = [...this.#timers].filter(({ dueMs }) => dueMs <= untilMs);
    return due.toSorted((one, other) => one.dueMs - other.dueMs)[0];
  }
}
