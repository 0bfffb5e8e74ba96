import type { Timers } from "../../runtime/timers.ts";
import type { Starts } from "../starts.ts";

/** How workers are stopped when their supervisor leaves. */
export interface DrainOptions {
  /** How long each is given to end by itself, ms. */
  readonly stopGraceMs: number;
}

/** What a departure is made with. */
export interface DepartureOptions {
  readonly starts: Starts;
  readonly timers: Timers;
  /** The ids of those that live. */
  readonly live: () => readonly string[];
  /** Stops all workers; answers the ids of those that could not be ended. */
  readonly stopAll: (graceMs: number) => Promise<readonly string[]>;
  /** Lets go of everything; called once. */
  readonly goAway: () => Promise<void>;
}

/**
 * How a supervisor leaves: it takes no more starts, stops its workers if it is to, and goes. Told
 * only to leave it stays where somebody lives.
 */
export class Departure {
  readonly #so: DepartureOptions;
  readonly #left = Promise.withResolvers<void>();
  #turns: Promise<unknown> = Promise.resolve();
  #isDraining = false;
  #isGone = false;

  constructor(options: DepartureOptions) {
    this.#so = options;
  }

  /** Whether starts are refused because it is about to go. */
  get isDraining(): boolean {
    return this.#isDraining;
  }

  /** Resolves when everything has been let go of. */
  get left(): Promise<void> {
    return this.#left.promise;
  }

  /** Goes if nobody lives, or can be stopped with a grace; answers the ids of those that live. */
  leave({ stopGraceMs }: Partial<DrainOptions>): Promise<readonly string[]> {
    return this.#inTurn(async () => {
      // Those that start just now are workers too: their starts are answered first.
      const left = await this.#refuseStarts(async () =>
        stopGraceMs === undefined ? this.#so.live() : this.#so.stopAll(stopGraceMs),
      );
      if (left.length === 0) this.#goLater();
      else this.#stay();
      return left;
    });
  }

  /** Stops all and goes, whoever is left; answers their ids when it has begun to go. */
  drain({ stopGraceMs }: DrainOptions): Promise<readonly string[]> {
    return this.#inTurn(async () => {
      const left = await this.#refuseStarts(() => this.#so.stopAll(stopGraceMs));
      this.#goLater();
      return left;
    });
  }

  /** One departure at a time: none takes back what another has refused. */
  #inTurn<T>(depart: () => Promise<T>): Promise<T> {
    const turn = this.#turns.then(depart);
    this.#turns = turn.catch(() => undefined);
    return turn;
  }

  async #refuseStarts<T>(then: () => Promise<T>): Promise<T> {
    this.#isDraining = true;
    await this.#so.starts.close();
    return then();
  }

  /** Somebody lives: there is more to do here than to leave. */
  #stay(): void {
    if (this.#isGone) return;
    this.#isDraining = false;
    this.#so.starts.reopen();
  }

  #goLater(): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.#isDraining = true;
    // After this turn: the answer to whoever asked is on its way by then.
    void this.#so.timers
      .turn()
      .then(() => this.#so.goAway())
      .then(this.#left.resolve, this.#left.reject);
  }
}
