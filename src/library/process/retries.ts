import type { Seat } from "../seat.ts";

/** The first pause before something is tried again, ms; each next one is twice as long. */
const firstMs = 1_000;

/** The longest pause, ms. */
const longestMs = 60_000;

interface Retry {
  readonly count: number;
  /** How to give the next attempt up; absent while one is under way. */
  readonly cancel?: () => void;
}

/** Tries what has failed again, for ever, with pauses of 1 s, 2 s, 4 s, … up to a minute. */
export class Retries {
  readonly #seat: Pick<Seat, "timers" | "closing">;
  readonly #again: (id: string) => void;
  readonly #retries = new Map<string, Retry>();

  /** `again` is called for each attempt; who fails again says so by {@link add}. */
  constructor(seat: Pick<Seat, "timers" | "closing">, again: (id: string) => void) {
    this.#seat = seat;
    this.#again = again;
  }

  /** Whether the next attempt's time has not come yet. */
  isWaiting(id: string): boolean {
    return this.#retries.get(id)?.cancel !== undefined;
  }

  /** Asks for another attempt after the next pause; one that is asked for already stays. */
  add(id: string): void {
    if (this.isWaiting(id) || this.#seat.closing.aborted) return;
    const count = (this.#retries.get(id)?.count ?? 0) + 1;
    const pauseMs = Math.min(longestMs, firstMs * 2 ** (count - 1));
    const cancel = this.#seat.timers.after(pauseMs, () => {
      this.#retries.set(id, { count });
      this.#again(id);
    });
    this.#retries.set(id, { count, cancel });
  }

  /** Gives it up: it has succeeded, or begins anew. */
  forget(id: string): void {
    this.#retries.get(id)?.cancel?.();
    this.#retries.delete(id);
  }

  /** Gives all of them up; safe to call twice. */
  clear(): void {
    for (const { cancel } of this.#retries.values()) cancel?.();
    this.#retries.clear();
  }
}
