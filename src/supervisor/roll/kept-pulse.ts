import { errorText } from "../../library/error-text.ts";
import type { Seat } from "../../library/seat.ts";
import type { Heard } from "./heard.ts";

/** How often at most it is told that beats cannot be kept, ms. */
const TOLD_EVERY_MS = 60_000;

/**
 * Keeps what was heard in the pulse store, all together and only what is new. The store is for
 * who looks without a supervisor, and for the next one: it judges nobody, so losing it costs
 * nothing but what is shown.
 */
export class KeptPulse {
  readonly #seat: Pick<Seat, "store" | "log" | "clock">;
  #unkept: Heard[] = [];
  #toldMs = -Infinity;

  constructor(seat: Pick<Seat, "store" | "log" | "clock">) {
    this.#seat = seat;
  }

  /** Notes that an instance has a beat that the store does not have. */
  note(heard: Heard): void {
    if (heard.isUnkept) return;
    heard.isUnkept = true;
    this.#unkept.push(heard);
  }

  /** Writes all that is new in one step. Never rejects: what was not written is so next time. */
  async flush(): Promise<void> {
    if (this.#unkept.length === 0) return;
    const writing = this.#unkept;
    this.#unkept = [];
    for (const heard of writing) heard.isUnkept = false;
    const rows = writing.flatMap((heard) => heard.pulse() ?? []);
    try {
      await this.#seat.store.pulse.keepInstances(rows);
    } catch (error) {
      for (const heard of writing) this.note(heard);
      this.#tell(error);
    }
  }

  /** Drops instances. Never rejects: a row too many does no harm. */
  async forget(instances: Parameters<Seat["store"]["pulse"]["forgetInstances"]>[0]): Promise<void> {
    try {
      await this.#seat.store.pulse.forgetInstances(instances);
    } catch (error) {
      this.#tell(error);
    }
  }

  #tell(error: unknown): void {
    const nowMs = this.#seat.clock.monotonicMs();
    if (nowMs - this.#toldMs < TOLD_EVERY_MS) return;
    this.#toldMs = nowMs;
    this.#seat.log.warn("beats of services could not be kept", { error: errorText(error) });
  }
}
