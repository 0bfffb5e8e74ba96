import type { Sandbox } from "../../ports/sandbox.ts";
import { errorText } from "../error-text.ts";
import type { Seat } from "../seat.ts";

/** What a freezer works with. */
export interface FreezerOptions {
  readonly seat: Seat;
  readonly driver: Sandbox;
  /** Brings a sandbox in line with the state: called when what was done may be out of date. */
  readonly follow: (id: string) => void;
}

/** When a thaw that failed is tried again, ms. */
const againMs = 2_000;

/**
 * The sandboxes that this process has frozen. Freezing may run ahead of the journal; thawing never
 * does: its callers have seen that no quarantine is in force.
 */
export class Freezer {
  readonly #so: FreezerOptions;
  readonly #frozen = new Set<string>();
  /** Those that stay frozen whatever the state says: their quarantine is being journaled. */
  readonly #held = new Set<string>();

  constructor(options: FreezerOptions) {
    this.#so = options;
  }

  /** Whether this process has frozen it. */
  isFrozen(id: string): boolean {
    return this.#frozen.has(id);
  }

  /** Whether it is to be thawed where the state knows no quarantine of it. */
  isThawable(id: string): boolean {
    return this.#frozen.has(id) && !this.#held.has(id);
  }

  /** Freezes a sandbox, without waiting for the journal. */
  async freeze(id: string): Promise<void> {
    if (this.#frozen.has(id)) return;
    this.#frozen.add(id);
    const { driver, follow } = this.#so;
    try {
      await driver.freeze(id);
    } catch (error) {
      this.#frozen.delete(id);
      this.#warn("a worker could not be frozen", id, error);
      return;
    }
    // It may have been lifted while it was being frozen.
    follow(id);
  }

  /**
   * Keeps a sandbox frozen while `journal` writes its quarantine down. Freezing does not wait for
   * the journal, and what it says in the end decides: without a quarantine the sandbox is thawed.
   */
  async holdWhile<T>(id: string, journal: () => Promise<T>): Promise<T> {
    const isHere = (await this.#so.driver.list()).some(({ instance }) => instance === id);
    if (!isHere) return journal();
    this.#held.add(id);
    const freezing = this.freeze(id);
    try {
      return await journal();
    } finally {
      this.#held.delete(id);
      await freezing;
      this.#so.follow(id);
    }
  }

  /** Lets a sandbox run again, once its quarantine is lifted for good; tried until it works. */
  async thaw(id: string): Promise<void> {
    const { seat, driver, follow } = this.#so;
    try {
      await driver.thaw(id);
      this.#frozen.delete(id);
      // It may have been put in quarantine again while it was being thawed.
      follow(id);
    } catch (error) {
      this.#warn("a worker could not be thawed yet", id, error);
      this.#frozen.add(id);
      seat.timers.after(againMs, () => {
        if (!seat.closing.aborted) follow(id);
      });
    }
  }

  /** Drops what is known of a sandbox that has ended. */
  forget(id: string): void {
    this.#frozen.delete(id);
  }

  #warn(message: string, id: string, error: unknown): void {
    this.#so.seat.log.warn(message, { worker: id, error: errorText(error) });
  }
}
