import type { Timers } from "../../src/runtime/timers.ts";
import { SYSTEM_TIMERS } from "../../src/runtime/timers.ts";
import type { FakeClock } from "../../src/testing/fake-clock.ts";
import type { SeededRandom } from "../../src/testing/seeded-random.ts";

/** Something that a process waits for, and that goes on only when it is let. */
interface Gate {
  readonly owner: string;
  readonly label: string;
  readonly open: () => void;
}

/** A gate that cannot open before some time on the monotonic clock. */
interface Timer extends Gate {
  readonly dueMs: number;
}

/**
 * Decides who goes on next. Whatever the processes of a simulated world wait for, replies of the
 * journal and timers, are gates; one is opened at a time, so a seed fixes every interleaving.
 */
export class Scheduler {
  readonly #clock: FakeClock;
  #gates: readonly Gate[] = [];
  #timers: readonly Timer[] = [];

  constructor(clock: FakeClock) {
    this.#clock = clock;
  }

  /** How many gates can be opened now. */
  get readyCount(): number {
    return this.#gates.length;
  }

  /** Resolves when the gate is opened; never, if its owner dies first. */
  pass(owner: string, label: string): Promise<void> {
    return new Promise((resolve) => {
      this.#gates = [...this.#gates, { owner, label, open: resolve }];
    });
  }

  /** The timers of a process: they fire as gates, once the simulated time has come. */
  timersOf(owner: string): Timers {
    return {
      after: (delayMs, run) => this.#addTimer(owner, delayMs, run),
      wait: (delayMs) =>
        new Promise<void>((resolve) => {
          this.#addTimer(owner, delayMs, resolve);
        }),
      turn: () => this.pass(owner, "turn"),
    };
  }

  /** Opens one gate and lets everything that follows from it run. Answers whose and which. */
  async openOne(random: SeededRandom): Promise<string> {
    this.#wakeDue();
    const gate = random.pick(this.#gates);
    this.#gates = this.#gates.filter((other) => other !== gate);
    gate.open();
    await this.settle();
    return `${gate.owner} ${gate.label}`;
  }

  /** Makes the timers that are due ready; answers whether any gate is ready now. */
  wake(): boolean {
    this.#wakeDue();
    return this.#gates.length > 0;
  }

  /** How long until the next timer is due, ms; undefined without one. */
  nextTimerMs(): number | undefined {
    if (this.#timers.length === 0) return undefined;
    const dueMs = Math.min(...this.#timers.map((timer) => timer.dueMs));
    return Math.max(0, Math.ceil(dueMs - this.#clock.monotonicMs()));
  }

  /** Forgets whatever a process waits for: it is dead, nothing of it goes on. */
  drop(owner: string): void {
    this.#gates = this.#gates.filter((gate) => gate.owner !== owner);
    this.#timers = this.#timers.filter((timer) => timer.owner !== owner);
  }

  /** Resolves when nothing more can run without a gate. No time passes in the simulated world. */
  settle(): Promise<void> {
    return SYSTEM_TIMERS.turn();
  }

  #addTimer(owner: string, delayMs: number, open: () => void): () => void {
    const dueMs = this.#clock.monotonicMs() + delayMs;
    const timer = { owner, label: "timer", open, dueMs };
    this.#timers = [...this.#timers, timer];
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  #wakeDue(): void {
    const nowMs = this.#clock.monotonicMs();
    const due = this.#timers.filter((timer) => timer.dueMs <= nowMs);
    if (due.length === 0) return;
    this.#timers = this.#timers.filter((timer) => timer.dueMs > nowMs);
    this.#gates = [...this.#gates, ...due];
  }
}
