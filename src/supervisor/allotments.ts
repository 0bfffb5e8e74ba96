import { CAPACITY_KEYS } from "../kernel/budget/allowance.ts";
import type { Worker } from "../kernel/state.ts";
import { errorText } from "../library/error-text.ts";
import type { Sandboxes } from "../library/process/sandboxes.ts";
import type { Seat } from "../library/seat.ts";
import { hasEnded } from "../library/worker/until.ts";
import type { SandboxLimits, SandboxUse } from "../ports/sandbox.ts";

/**
 * Keeps what the sandboxes of workers are held to in step with what the journal says they have:
 * their grant less what their children hold of it. Sandboxes are siblings, so a parent's limit is
 * lowered before its child starts and raised again when the child has ended.
 */
export class Allotments {
  readonly #seat: Seat;
  readonly #sandboxes: Sandboxes;
  /** The limits that were set last, as text, by worker. */
  readonly #applied = new Map<string, string>();
  readonly #turns = new Map<string, Promise<unknown>>();
  #isAligning = false;

  constructor(seat: Seat, sandboxes: Sandboxes) {
    this.#seat = seat;
    this.#sandboxes = sandboxes;
  }

  /**
   * Sets the limits of a worker's sandbox as the state has them now; one that runs elsewhere is
   * left alone. Answers its use where that is above one of them, and then nothing was changed.
   */
  align(id: string): Promise<SandboxUse | undefined> {
    const turn = (this.#turns.get(id) ?? Promise.resolve()).then(() => this.#align(id));
    const settled = turn.catch(() => undefined);
    this.#turns.set(id, settled);
    void settled.then(() => {
      if (this.#turns.get(id) === settled) this.#turns.delete(id);
    });
    return turn;
  }

  /** Aligns all, once for what is told in a turn: hundreds may end by one order. Never throws. */
  alignSoon(): void {
    if (this.#isAligning) return;
    this.#isAligning = true;
    void this.#seat.timers.turn().then(() => {
      this.#isAligning = false;
      for (const id of this.#sandboxes.own) this.#alignLater(id);
    });
  }

  /** Takes note of the limits that a sandbox was started with. */
  begin(id: string, limits: SandboxLimits): void {
    this.#applied.set(id, textOf(limits));
  }

  /** Drops what is known of a sandbox that has ended. */
  forget(id: string): void {
    this.#applied.delete(id);
  }

  #alignLater(id: string): void {
    const { log } = this.#seat;
    this.align(id).then(
      (use) => {
        if (use !== undefined) log.warn("a worker uses more than it has now", { worker: id, use });
      },
      (error: unknown) => log.warn("limits could not be set yet", { error: errorText(error) }),
    );
  }

  async #align(id: string): Promise<SandboxUse | undefined> {
    const worker = this.#seat.loop.state().workers.get(id);
    if (worker === undefined || hasEnded(worker) || !this.#sandboxes.isRunning(id)) return;
    const limits = allotmentOf(worker);
    const text = textOf(limits);
    if (text === textOf({}) || this.#applied.get(id) === text) return;
    const use = await this.#sandboxes.limit(id, limits);
    if (use === undefined) this.#applied.set(id, text);
    return use;
  }
}

/** What a worker itself may use at most now: absent where it is not bounded. */
export function allotmentOf(worker: Worker): SandboxLimits {
  const limits: Record<string, number> = {};
  for (const key of CAPACITY_KEYS) {
    const granted = worker.granted[key];
    if (granted !== undefined) limits[key] = Math.max(0, granted - (worker.reserved[key] ?? 0));
  }
  return limits;
}

function textOf(limits: SandboxLimits): string {
  const { memory_bytes, cpu_milli, processes } = limits;
  return JSON.stringify([memory_bytes, cpu_milli, processes]);
}
