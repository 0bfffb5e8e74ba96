import type { Entry } from "../../kernel/entry.ts";
import { errorText } from "../../library/error-text.ts";
import { freshCanaryId } from "../../library/process/canary.ts";
import { supervisorOf, type Seat } from "../../library/seat.ts";
import { flyCanary, type CanaryDriver } from "./canary.ts";

/** How long after a supervisor begins, or checks are turned on, the first one is made, ms. */
const FIRST_MS = 1_000;

/** What armed checks are made with. */
export interface ArmedChecksOptions {
  readonly seat: Pick<Seat, "clock" | "timers" | "log" | "random" | "host"> & {
    readonly loop: Pick<Seat["loop"], "onEntry" | "state" | "submit">;
  };
  readonly driver: CanaryDriver;
  /** Takes over a canary of which something may be left: it is ended again until it has. */
  readonly onLeft: (instance: string) => void;
}

/**
 * Proves now and then that this supervisor can kill: a canary is started and killed, and what was
 * seen is journaled. Only while the contract in force asks for it; one at a time.
 */
export class ArmedChecks {
  readonly #so: ArmedChecksOptions;
  readonly #unsubscribe: () => void;
  readonly #hurry = new AbortController();
  #lastMs: number | undefined;
  #cancel: (() => void) | undefined;
  #check: Promise<void> | undefined;

  constructor(options: ArmedChecksOptions) {
    this.#so = options;
    this.#unsubscribe = options.seat.loop.onEntry((entry) => this.#hear(entry));
    this.#plan();
  }

  /** Makes no more, and ends the canary of one that is under way. Safe to call twice. */
  async close(): Promise<void> {
    this.#unsubscribe();
    this.#cancel?.();
    this.#hurry.abort();
    await this.#check;
  }

  #hear({ kind }: Entry): void {
    if (kind === "contract.enacted") this.#plan();
    // For good: a killed fleet starts nothing, and there is nothing left to prove.
    if (kind === "fleet.killed") this.#hurry.abort();
  }

  #plan(): void {
    this.#cancel?.();
    const { clock, timers, loop } = this.#so.seat;
    const { contract, status } = loop.state();
    const { armed_every_ms: everyMs } = contract;
    const isOver = this.#hurry.signal.aborted || status === "killed";
    if (isOver || everyMs === 0 || this.#check !== undefined) return;
    const nowMs = clock.monotonicMs();
    const dueMs = this.#lastMs === undefined ? nowMs + FIRST_MS : this.#lastMs + everyMs;
    this.#cancel = timers.after(Math.max(FIRST_MS, dueMs - nowMs), () => {
      // A timer goes no further than some weeks.
      if (clock.monotonicMs() < dueMs - FIRST_MS) return this.#plan();
      this.#lastMs = clock.monotonicMs();
      this.#check = this.#make().finally(() => {
        this.#check = undefined;
        this.#plan();
      });
    });
  }

  /** Never throws: what could not be journaled is told, and the next check is made in its time. */
  async #make(): Promise<void> {
    const { seat, driver, onLeft } = this.#so;
    const instance = freshCanaryId(seat.random);
    const hurry = this.#hurry.signal;
    try {
      const { sight, isGone } = await flyCanary({ seat, driver, instance, hurry });
      if (!isGone) onLeft(instance);
      // One that was cut short has proven nothing, either way.
      if (hurry.aborted) return;
      const by = supervisorOf(seat);
      await seat.loop.submit({ kind: "armed.check", data: sight }, by);
      const { armed } = seat.loop.state();
      if (armed?.ok === false) seat.log.warn("the armed check has failed", { ...armed });
    } catch (error) {
      seat.log.warn("an armed check could not be journaled", { error: errorText(error) });
    }
  }
}
