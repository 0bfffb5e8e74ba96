import type { Sandbox } from "../../ports/sandbox.ts";
import { errorText } from "../error-text.ts";
import type { Seat } from "../seat.ts";
import { hasEnded } from "../worker/until.ts";

/** What a freezer works with. */
export interface FreezerOptions {
  readonly seat: Seat;
  readonly driver: Sandbox;
  /** Brings a sandbox in line with the state: called when what was done may be out of date. */
  readonly follow: (id: string) => void;
  /** Whether a sandbox is this process's own. */
  readonly isOwn: (id: string) => boolean;
}

/** When a freeze or thaw that failed, or never came to rest, is tried again, ms. */
const againMs = 2_000;

/** How often one turn follows a journal that changes under it. */
const changesMax = 8;

/**
 * Holds the sandboxes of workers in quarantine, as the journal says. Freezing may run ahead of the
 * journal; thawing never does. What a driver was told once proves nothing: somebody else may have
 * let a sandbox run, so it is told again each time that somebody asks.
 *
 * Several processes may freeze and thaw one sandbox at once, each by what it last saw:
 *
 *     1. A lifts a quarantine, looks, and is about to thaw
 *     2. B journals another one and freezes
 *     3. A thaws, looks again, sees the quarantine of B and freezes
 *
 * Whoever acts last has looked after it: so all end at what the journal says, and none goes on
 * while the journal stands still.
 */
export class Freezer {
  readonly #so: FreezerOptions;
  readonly #frozen = new Set<string>();
  /** Those that stay frozen whatever the state says, and by how many that is asked for. */
  readonly #held = new Map<string, number>();
  /** The turn that runs for a sandbox, and the one that waits for its end. */
  readonly #turns = new Map<string, Promise<void>>();
  readonly #waiting = new Map<string, Promise<void>>();

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

  /**
   * Freezes or thaws a sandbox as the journal says, though it may be so already. Never rejects:
   * what fails is told to the operator and tried again. Callers at the same time share a turn.
   */
  align(id: string): Promise<void> {
    const waiting = this.#waiting.get(id);
    if (waiting !== undefined) return waiting;
    const running = this.#turns.get(id);
    if (running === undefined) return this.#begin(id);
    const next = running.then(() => {
      this.#waiting.delete(id);
      return this.#begin(id);
    });
    this.#waiting.set(id, next);
    return next;
  }

  /**
   * Keeps a sandbox frozen while something is done: its quarantine is written down, say. What is
   * done is told whether it stands still, and need not wait for that. What the journal says in the
   * end decides: without a quarantine the sandbox is thawed.
   */
  async holdWhile<T>(id: string, act: (isFrozen: Promise<boolean>) => Promise<T>): Promise<T> {
    const isHere = (await this.#so.driver.list()).some(({ instance }) => instance === id);
    if (!isHere) return act(Promise.resolve(false));
    this.#held.set(id, (this.#held.get(id) ?? 0) + 1);
    const freezing = this.#freeze(id).then(
      () => true,
      (error: unknown) => {
        this.#warn("a worker could not be frozen yet", id, error);
        return false;
      },
    );
    try {
      return await act(freezing);
    } finally {
      const others = (this.#held.get(id) ?? 1) - 1;
      if (others > 0) this.#held.set(id, others);
      else this.#held.delete(id);
      await freezing;
      await this.align(id);
    }
  }

  #begin(id: string): Promise<void> {
    const turn = this.#align(id).finally(() => {
      this.#turns.delete(id);
    });
    this.#turns.set(id, turn);
    return turn;
  }

  async #align(id: string): Promise<void> {
    const { seat, follow } = this.#so;
    try {
      for (let change = 0; change < changesMax; change += 1) {
        const wanted = this.#wantedOf(id);
        if (wanted === "ended") return this.#endFrozen(id);
        if (wanted === "other") return;
        if (wanted === "frozen") await this.#freeze(id);
        else if (!(await this.#thaw(id))) continue;
        await seat.loop.look();
        if (this.#wantedOf(id) === wanted) return;
      }
    } catch (error) {
      if (seat.closing.aborted) return;
      this.#warn("a worker could not be frozen or thawed yet", id, error);
    }
    seat.timers.after(againMs, () => {
      if (!seat.closing.aborted) follow(id);
    });
  }

  /** Only what cannot hear that it is to end needs more than whoever tells it so. */
  #endFrozen(id: string): void {
    if (this.#frozen.has(id)) this.#so.follow(id);
  }

  /** What a sandbox is to be; `other` is whatever the supervisor that has it says. */
  #wantedOf(id: string): "frozen" | "free" | "ended" | "other" {
    if (this.#held.has(id)) return "frozen";
    const { workers, book } = this.#so.seat.loop.state();
    const worker = workers.get(id);
    if (worker === undefined || hasEnded(worker) || worker.stopping !== null) return "ended";
    if (worker.quarantine !== null) return "frozen";
    // Its supervisor alone knows whether it was frozen for a lease that was revoked.
    const isFencing = [...book.mounts.values()].some(
      ({ lease, worker: of }) => of === id && !book.leases.has(lease),
    );
    return isFencing && !this.#so.isOwn(id) ? "other" : "free";
  }

  async #freeze(id: string): Promise<void> {
    this.#frozen.add(id);
    try {
      await this.#so.driver.freeze(id);
    } catch (error) {
      this.#frozen.delete(id);
      throw error;
    }
  }

  /** Lets a sandbox run, unless the journal says by now that it is not to. */
  async #thaw(id: string): Promise<boolean> {
    const { seat, driver } = this.#so;
    await seat.loop.look();
    if (this.#wantedOf(id) !== "free") return false;
    // Until it is seen to run it is one to be thawed.
    this.#frozen.add(id);
    await driver.thaw(id);
    this.#frozen.delete(id);
    return true;
  }

  /** Drops what is known of a sandbox that has ended. */
  forget(id: string): void {
    this.#frozen.delete(id);
  }

  #warn(message: string, id: string, error: unknown): void {
    this.#so.seat.log.warn(message, { worker: id, error: errorText(error) });
  }
}
