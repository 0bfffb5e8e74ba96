import type { Seat } from "../../library/seat.ts";

/** When a supervisor has had nothing to do for long enough. */
export interface IdlenessOptions {
  readonly idleMs: number;
  /** Whether there is something that it must stay for. */
  readonly isBusy: () => boolean;
  /** Called when it has been idle for `idleMs`, and again after as long. */
  readonly onIdle: () => void;
}

/** Counts the time since the last sign that anybody needs a supervisor. */
export class Idleness {
  readonly #seat: Seat;
  readonly #so: IdlenessOptions;
  #activeMs: number;
  #cancel: () => void = () => undefined;

  constructor(seat: Seat, options: IdlenessOptions) {
    this.#seat = seat;
    this.#so = options;
    this.#activeMs = seat.clock.monotonicMs();
    this.#later(options.idleMs);
  }

  /** Somebody needs it: the time begins anew. */
  touch(): void {
    this.#activeMs = this.#seat.clock.monotonicMs();
  }

  /** Counts no longer; safe to call twice. */
  close(): void {
    this.#cancel();
  }

  #later(delayMs: number): void {
    const { idleMs, isBusy, onIdle } = this.#so;
    this.#cancel = this.#seat.timers.after(delayMs, () => {
      if (isBusy()) this.touch();
      const leftMs = this.#activeMs + idleMs - this.#seat.clock.monotonicMs();
      this.#later(leftMs > 0 ? leftMs : idleMs);
      if (leftMs <= 0) onIdle();
    });
  }
}
