import { errorText } from "../library/error-text.ts";
import type { Sandboxes } from "../library/process/sandboxes.ts";
import { supervisorOf, type Seat } from "../library/seat.ts";

/**
 * Beats for plain commands, which cannot: at the declared interval, as long as their first process
 * is seen alive. A worker that has beaten once by itself is not beaten for any more, so that its
 * silence is seen. At each beat the cpu time of workers that have a bound on it is charged.
 */
export class Beats {
  readonly #seat: Seat;
  readonly #sandboxes: Sandboxes;
  readonly #heard: Set<string>;
  readonly #charging = new Map<string, Promise<void>>();
  #cancel: (() => void) | undefined;
  #isClosed = false;

  /** `heard` keeps the workers that beat by themselves; others may ask it who does. */
  constructor(seat: Seat, sandboxes: Sandboxes, heard: Set<string>) {
    this.#seat = seat;
    this.#sandboxes = sandboxes;
    this.#heard = heard;
    this.#later();
  }

  /** Counts a beat that a worker has given itself. */
  async hear(id: string, progress?: number): Promise<void> {
    this.#heard.add(id);
    await this.#seat.store.pulse.beat(id, progress);
  }

  /** Beats for a worker that has just begun. Never rejects. */
  begin(id: string): Promise<void> {
    return this.#beatFor(id);
  }

  /** Drops what is known of a worker that has ended. */
  forget(id: string): void {
    this.#heard.delete(id);
  }

  /** Stops beating; waits for charges that are under way. Safe to call twice. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cancel?.();
    await Promise.all(this.#charging.values());
  }

  #later(): void {
    if (this.#isClosed) return;
    const { beat_every_ms: everyMs } = this.#seat.loop.state().contract;
    this.#cancel = this.#seat.timers.after(everyMs, () => {
      this.#later();
      for (const id of this.#sandboxes.own) {
        if (!this.#sandboxes.isRunning(id)) continue;
        if (!this.#heard.has(id)) void this.#beatFor(id);
        this.#chargeOnce(id);
      }
    });
  }

  async #beatFor(id: string): Promise<void> {
    try {
      await this.#seat.store.pulse.beat(id);
    } catch (error) {
      // A beat may be lost; the next one says the same.
      this.#seat.log.warn("a beat was lost", { worker: id, error: errorText(error) });
    }
  }

  #chargeOnce(id: string): void {
    if (this.#charging.has(id)) return;
    const charging = this.#charge(id)
      .catch((error: unknown) => {
        // Use only grows: the next charge makes up for this one, and the end for all of them.
        const facts = { worker: id, error: errorText(error) };
        this.#seat.log.warn("cpu time could not be charged yet", facts);
      })
      .finally(() => this.#charging.delete(id));
    this.#charging.set(id, charging);
  }

  /** Charges the cpu time that was used since the last charge; the rules stop whoever overdraws. */
  async #charge(id: string): Promise<void> {
    if (this.#bounded(id) === undefined) return;
    const use = await this.#sandboxes.use(id);
    const worker = this.#bounded(id);
    if (use?.cpu_ms === undefined || worker === undefined) return;
    const newMs = Math.floor(use.cpu_ms) - worker.charged_cpu_ms;
    if (newMs <= 0) return;
    const data = { worker: id, amounts: { cpu_ms: newMs } };
    const by = supervisorOf(this.#seat);
    await this.#seat.loop.submit({ kind: "budget.charge", data }, by);
  }

  #bounded(id: string): { readonly charged_cpu_ms: number } | undefined {
    const worker = this.#seat.loop.state().workers.get(id);
    const isBounded = worker?.status === "running" && worker.granted.cpu_ms !== undefined;
    return isBounded ? worker : undefined;
  }
}
