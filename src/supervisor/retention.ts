import { errorText } from "../library/error-text.ts";
import type { Sandboxes } from "../library/process/sandboxes.ts";
import type { Seat } from "../library/seat.ts";
import type { SupervisorWorld } from "./world.ts";

/** How often old output is dropped, ms. */
const RETAIN_EVERY_MS = 60_000;

/** Drops old output of workers that have ended, now and then. */
export class Retention {
  readonly #seat: Seat;
  readonly #sandboxes: Sandboxes;
  readonly #retainOutput: SupervisorWorld["retainOutput"];
  #retainedMs = -Infinity;

  constructor(seat: Seat, sandboxes: Sandboxes, retainOutput: SupervisorWorld["retainOutput"]) {
    this.#seat = seat;
    this.#sandboxes = sandboxes;
    this.#retainOutput = retainOutput;
  }

  /** Drops what is old, unless that was done a moment ago. Never throws. */
  consider(): void {
    const nowMs = this.#seat.clock.monotonicMs();
    if (nowMs - this.#retainedMs < RETAIN_EVERY_MS) return;
    this.#retainedMs = nowMs;
    const live = new Set([...this.#seat.loop.state().workers.keys(), ...this.#sandboxes.own]);
    this.#retainOutput(live).catch((error: unknown) => {
      this.#seat.log.warn("old output could not be dropped", { error: errorText(error) });
    });
  }
}
