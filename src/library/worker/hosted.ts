import { Interrupted, type InterruptedBy } from "./interrupted.ts";

/**
 * Where a worker's code runs: `here`, as tasks of this process (a *cooperative* worker); `self`,
 * this very process is the worker; `apart`, in a process that was started from here.
 */
export type HostedKind = "here" | "self" | "apart";

/** What a worker is hosted with. */
export interface HostedOptions {
  readonly id: string;
  readonly kind: HostedKind;
  /** Whether the fleet's timer beats for it. */
  readonly beats: boolean;
  /** Until when it may live, on this process's monotonic clock. */
  readonly deadlineMs: number;
}

/** A worker that this process has in hand: its signal, and the tasks that run for it. */
export class Hosted {
  readonly id: string;
  readonly kind: HostedKind;
  readonly beats: boolean;
  readonly deadlineMs: number;
  /** The text of the error that a task of it failed with, if one did. */
  error: string | undefined;
  /** Its end, while that is being waited for and journaled. */
  finishing: Promise<void> | undefined;
  /** Tasks that were begun in all. */
  taskCount = 0;
  #controller = new AbortController();
  readonly #running = new Set<Promise<unknown>>();

  constructor(options: HostedOptions) {
    this.id = options.id;
    this.kind = options.kind;
    this.beats = options.beats;
    this.deadlineMs = options.deadlineMs;
  }

  /** The signal that tasks get; another one after a quarantine was lifted. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Why its signal has fired, or null while it has not. */
  get interruptedBy(): InterruptedBy | null {
    const reason: unknown = this.#controller.signal.reason;
    return reason instanceof Interrupted ? reason.by : null;
  }

  /** Fires the signal, once. An end outweighs a quarantine, whose signal has fired already. */
  interrupt(by: InterruptedBy): void {
    if (this.interruptedBy === "quarantine" && by !== "quarantine") this.#renew();
    // Listeners are the user's; what they throw is reported by the runtime, not to us.
    this.#controller.abort(new Interrupted(by));
  }

  /** Makes a fresh signal after a quarantine was lifted: an aborted one cannot be taken back. */
  release(): void {
    if (this.interruptedBy === "quarantine") this.#renew();
  }

  #renew(): void {
    this.#controller = new AbortController();
  }

  /** Runs a task, which counts as running until what it returned has settled. */
  async run<T>(task: () => T | Promise<T>): Promise<T> {
    this.taskCount += 1;
    const running = (async () => task())();
    const settled = running.then(
      () => undefined,
      () => undefined,
    );
    this.#running.add(settled);
    try {
      return await running;
    } finally {
      this.#running.delete(settled);
    }
  }

  /** Whether no task of it runs. */
  get isIdle(): boolean {
    return this.#running.size === 0;
  }

  /** Resolves when no task of it runs, and not before; it may never. */
  async settled(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }
}
