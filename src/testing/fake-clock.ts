import type { Clock, ClockReading } from "../ports/clock.ts";

/** A host's clocks that stand still until they are moved, each by itself or all together. */
export class FakeClock implements Clock {
  wallMs: number;
  bootMs: number;
  bootId: string;
  #monotonicMs: number;

  /** Begins at some wall time, some seconds after a boot. */
  constructor(start: Partial<ClockReading> = {}) {
    this.wallMs = start.wallMs ?? 1_700_000_000_000;
    this.bootMs = start.bootMs ?? 10_000;
    this.bootId = start.bootId ?? "boot-1";
    this.#monotonicMs = this.bootMs;
  }

  read(): ClockReading {
    return { wallMs: this.wallMs, bootMs: this.bootMs, bootId: this.bootId };
  }

  monotonicMs(): number {
    return this.#monotonicMs;
  }

  /** Time passes: all clocks go on by `ms`. */
  advance(ms: number): void {
    this.wallMs += ms;
    this.bootMs += ms;
    this.#monotonicMs += ms;
  }

  /** The machine sleeps for `ms`: the monotonic clock of processes stands still meanwhile. */
  suspend(ms: number): void {
    this.wallMs += ms;
    this.bootMs += ms;
  }

  /** Somebody sets the wall clock, by `ms` either way. */
  stepWall(ms: number): void {
    this.wallMs += ms;
  }

  /** The machine boots again, and is up after `downMs`. */
  reboot(bootId: string, downMs = 0): void {
    this.wallMs += downMs;
    this.bootMs = 0;
    this.bootId = bootId;
  }
}
