import { LIMITS } from "../../kernel/limits.ts";
import type { Ending, SandboxRecord } from "../../ports/sandbox.ts";
import { errorText } from "../error-text.ts";
import type { Sandboxes } from "../process/sandboxes.ts";
import type { Seat } from "../seat.ts";

/** Listings in a row that must find nothing alive: one start may be on its way at the first. */
const emptyListings = 2;

/** How often one sandbox is tried; a driver that cannot end it will not learn to. */
const attemptsMax = 2;

/** The pause before an empty listing is repeated, ms. */
const pauseMs = 10;

/** Who ends them, as their outcomes name it. */
export const KILLED = "killed";

/** What of the sandboxes is used. */
type Swept = Pick<Sandboxes, "list" | "end" | "strike">;

/** What sweeps: sandboxes that are listed and ended, and time to do it in. */
export interface Sweeper extends Pick<Seat, "clock" | "timers"> {
  readonly sandboxes: Swept | undefined;
  /** Whether another has journaled meanwhile how a sandbox ended, and is about to forget it. */
  readonly isOnRecord?: (id: string) => boolean;
}

/** Ends every sandbox of a fleet on this host. One that fails holds up no other. */
export class Sweep {
  /** How those ended that did. */
  readonly endings = new Map<string, Ending>();
  /** Those in which something was alive at a listing. */
  readonly foundAlive = new Set<string>();
  readonly #sweeper: Sweeper;
  readonly #failures = new Map<string, { count: number; why: string }>();
  #listingFailure: string | undefined;

  constructor(sweeper: Sweeper) {
    this.#sweeper = sweeper;
  }

  /** The sandboxes that could not be ended: of those nothing else may say that they have. */
  get survivors(): ReadonlySet<string> {
    return new Set([...this.#failures.keys()].filter((id) => !this.endings.has(id)));
  }

  /** What went wrong, in sentences. */
  get troubles(): readonly string[] {
    const listing = this.#listingFailure;
    return [
      ...(listing === undefined ? [] : [`the sandboxes could not be listed: ${listing}`]),
      ...[...this.survivors].map((id) => {
        return `the sandbox of ${id} could not be ended: ${this.#failures.get(id)?.why}`;
      }),
    ];
  }

  /**
   * Ends all that is there, all at once, until two listings in a row find nothing alive that has
   * not been given up, and answers whether it came to that. Never throws. Called again it looks
   * for what was started meanwhile.
   */
  async run(): Promise<boolean> {
    const { clock, timers, sandboxes } = this.#sweeper;
    if (sandboxes === undefined) return true;
    const deadlineMs = clock.monotonicMs() + 2 * LIMITS.killSweepMs;
    // Not waited for: whoever ends one waits for as much of it as concerns him.
    void sandboxes.strike(KILLED);
    let emptyCount = 0;
    while (emptyCount < emptyListings && clock.monotonicMs() < deadlineMs) {
      const left = await this.#listLeft(sandboxes);
      if (left === undefined) return false;
      emptyCount = left.length === 0 ? emptyCount + 1 : 0;
      await Promise.all(left.map((id) => this.#endOne(sandboxes, id)));
      if (emptyCount === 1) await timers.wait(pauseMs);
    }
    return emptyCount === emptyListings;
  }

  async #listLeft(sandboxes: Swept): Promise<readonly string[] | undefined> {
    let listed: readonly SandboxRecord[];
    try {
      listed = await sandboxes.list();
    } catch (error) {
      // What cannot be listed cannot be swept; the receipt says so.
      this.#listingFailure = errorText(error);
      return undefined;
    }
    // Whoever runs it has ended and forgotten it while it was tried here: then it is not left.
    const present = new Set(listed.map(({ instance }) => instance));
    for (const id of this.#failures.keys()) if (!present.has(id)) this.#failures.delete(id);
    for (const { instance, seen } of listed) if (seen === "alive") this.foundAlive.add(instance);
    const left = listed.filter(({ instance, seen }) => {
      const isGivenUp = (this.#failures.get(instance)?.count ?? 0) >= attemptsMax;
      const isKnown = this.endings.has(instance) || this.#sweeper.isOnRecord?.(instance) === true;
      return !isGivenUp && (seen === "alive" || !isKnown);
    });
    return left.map(({ instance }) => instance);
  }

  async #endOne(sandboxes: Swept, id: string): Promise<void> {
    let why = "something of it was alive at the deadline";
    try {
      const ending = await sandboxes.end(id, { graceMs: 0, by: KILLED });
      if (ending !== undefined) {
        this.endings.set(id, ending);
        return;
      }
    } catch (error) {
      why = errorText(error);
    }
    this.#failures.set(id, { count: (this.#failures.get(id)?.count ?? 0) + 1, why });
  }
}
