import type { Sandbox } from "../../ports/sandbox.ts";
import type { Timers } from "../../runtime/timers.ts";
import { settledWithin } from "../waiting.ts";

/** How long the killing waits at most until all stand still, ms. */
const frozenMs = 1_000;

/**
 * Has those that one order stops without grace stand still before any of them is killed: nobody of
 * a tree runs on who could see the others die. What cannot be frozen is killed all the same.
 */
export class FrozenSweep {
  readonly #driver: Pick<Sandbox, "freeze">;
  readonly #timers: Timers;
  readonly #frozen = new Map<string, Promise<void>>();
  #gathering: string[] | undefined;
  #next: Promise<void> = Promise.resolve();

  constructor(driver: Pick<Sandbox, "freeze">, timers: Timers) {
    this.#driver = driver;
    this.#timers = timers;
  }

  /** Takes in one that was told to stop; those of one turn were told by one order. */
  add(id: string): void {
    if (this.#gathering === undefined) {
      const ids: string[] = [];
      this.#gathering = ids;
      this.#next = this.#timers.turn().then(() => this.#freeze(ids));
    }
    this.#gathering.push(id);
    this.#frozen.set(id, this.#next);
  }

  /** Resolves when all that are stopped with it stand still, or that takes too long. */
  until(id: string): Promise<void> {
    return this.#frozen.get(id) ?? Promise.resolve();
  }

  /** Forgets one that has ended. */
  forget(id: string): void {
    this.#frozen.delete(id);
  }

  async #freeze(ids: readonly string[]): Promise<void> {
    this.#gathering = undefined;
    // Alone there is nobody to see it.
    if (ids.length < 2) return;
    const frozen = Promise.allSettled(ids.map((id) => this.#driver.freeze(id)));
    await settledWithin(frozen, frozenMs, this.#timers);
  }
}
