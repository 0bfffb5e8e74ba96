import type { Entry } from "../../kernel/entry.ts";
import { subjectOf } from "../../kernel/subject.ts";
import { closedFault } from "../closed.ts";
import { errorText } from "../error-text.ts";
import { supervisorOf, workerActor, type Seat } from "../seat.ts";
import { Hosted, type HostedOptions } from "./hosted.ts";
import { interruptionOf, type InterruptedBy } from "./interrupted.ts";

/** How soon an expiry that the journal's clock has not reached yet is looked at again, ms. */
const expiryAgainMs = 100;

/**
 * The workers that this process has in hand. It beats for them, fires their signals when the
 * journal says so, and journals the end of a cooperative one when its tasks have settled.
 *
 * Signals follow the state, not single entries: what is told twice, late or not at all is made
 * good by the next look.
 */
export class Hosting {
  readonly #seat: Seat;
  readonly #hosted = new Map<string, Hosted>();
  readonly #timers = new Set<() => void>();
  readonly #unsubscribe: () => void;
  readonly #onBeat: (id: string) => void;
  /** Starts under way, and whether their workers are to run here. */
  readonly #starts = new Map<Promise<unknown>, "here" | "apart">();
  #isLeaving = false;

  constructor(seat: Seat, onBeat: (id: string) => void = () => undefined) {
    this.#seat = seat;
    this.#onBeat = onBeat;
    this.#unsubscribe = seat.loop.onEntry((entry) => this.#hear(entry));
    this.#beatLater();
  }

  /** Takes a worker in hand that has just registered. */
  add(options: HostedOptions): Hosted {
    const hosted = new Hosted(options);
    this.#hosted.set(hosted.id, hosted);
    if (hosted.beats) void this.#beat(hosted);
    this.#expireLater(hosted, hosted.deadlineMs - this.#seat.clock.monotonicMs());
    // What happened to it between its registration and now was not heard here.
    this.#follow(hosted);
    return hosted;
  }

  /** Whether this process is to start nothing more: its handle is being closed. */
  get isLeaving(): boolean {
    return this.#isLeaving;
  }

  /** Starts a worker by `start`, which closing waits for. Throws `Fault` `closed`. */
  async starting<T>(kind: "here" | "apart", start: () => Promise<T>): Promise<T> {
    if (this.#isLeaving) throw closedFault();
    const running = start();
    this.#starts.set(running, kind);
    try {
      return await running;
    } finally {
      this.#starts.delete(running);
    }
  }

  /**
   * Refuses further starts and waits until those under way have settled: all of them, or those
   * that would bring a worker into this process.
   */
  async leave(which: "here" | "all"): Promise<void> {
    this.#isLeaving = true;
    const starts = [...this.#starts].filter(([, kind]) => which === "all" || kind === "here");
    await Promise.allSettled(starts.map(([running]) => running));
  }

  /** A worker in hand, or undefined. */
  get(id: string): Hosted | undefined {
    return this.#hosted.get(id);
  }

  /** Cooperative workers in hand. */
  listHere(): readonly Hosted[] {
    return [...this.#hosted.values()].filter(({ kind }) => kind === "here");
  }

  /** Fires the signal of every worker in hand; never waits. */
  interruptAll(by: InterruptedBy): void {
    for (const hosted of this.#hosted.values()) hosted.interrupt(by);
  }

  /** Lets go of all workers: no more beats, and every signal fires. Safe to call twice. */
  close(): void {
    this.#unsubscribe();
    for (const cancel of this.#timers) cancel();
    this.#timers.clear();
    this.interruptAll("close");
    this.#hosted.clear();
  }

  #hear(entry: Entry): void {
    if (entry.kind === "fleet.killed") this.#followAll();
    const subject = subjectOf(entry);
    const hosted = subject === null ? undefined : this.#hosted.get(subject);
    if (hosted !== undefined) this.#follow(hosted);
  }

  #followAll(): void {
    for (const hosted of this.#hosted.values()) this.#follow(hosted);
  }

  /** Brings a worker's signal in line with the state. */
  #follow(hosted: Hosted): void {
    const worker = this.#seat.loop.state().workers.get(hosted.id);
    if (worker === undefined || worker.status === "stopped") {
      hosted.interrupt("stop");
      this.#hosted.delete(hosted.id);
    } else if (worker.stopping !== null) {
      hosted.interrupt(interruptionOf(worker.stopping.reason));
      if (hosted.kind === "here") void this.finish(hosted);
    } else if (worker.quarantine !== null) hosted.interrupt("quarantine");
    else {
      hosted.release();
      // A stop that could not be journaled when its task failed.
      if (hosted.error !== undefined) void this.stopFailed(hosted);
    }
  }

  /** Stops a worker one of whose tasks has failed; a fault is made good by a later look. */
  async stopFailed(hosted: Hosted): Promise<void> {
    const { id, error: detail = "" } = hosted;
    const data = { worker: id, reason: "failed", tree: false, detail } as const;
    try {
      await this.#seat.loop.submit({ kind: "worker.stop", data }, workerActor(this.#seat, id));
    } catch (error) {
      this.#warn("a failed task's worker could not be stopped yet", hosted, error);
    }
  }

  /**
   * Waits until the tasks of a worker that was told to stop have settled, and journals its end.
   * They may never; then it stays `stopping`. Never rejects: a fault is made good by a later look.
   */
  finish(hosted: Hosted): Promise<void> {
    hosted.finishing ??= this.#finish(hosted);
    return hosted.finishing;
  }

  async #finish(hosted: Hosted): Promise<void> {
    await hosted.settled();
    const { id: worker, error, taskCount } = hosted;
    const evidence = { grade: "settled", facts: { tasks: taskCount } } as const;
    const outcome = error === undefined ? {} : { error };
    const data = { worker, evidence, outcome };
    try {
      await this.#seat.loop.submit({ kind: "worker.exited", data }, supervisorOf(this.#seat));
      this.#hosted.delete(worker);
    } catch (fault) {
      // Until it is journaled the worker stays `stopping` (I10).
      hosted.finishing = undefined;
      this.#warn("the end of a worker could not be journaled yet", hosted, fault);
    }
  }

  #beatLater(): void {
    const everyMs = this.#seat.loop.state().contract.beat_every_ms;
    this.#after(everyMs, () => {
      this.#beatLater();
      for (const hosted of this.#hosted.values()) {
        if (hosted.beats) void this.#beat(hosted);
        this.#follow(hosted);
      }
    });
  }

  async #beat(hosted: Hosted): Promise<void> {
    try {
      await this.#seat.store.pulse.beat(hosted.id);
      this.#onBeat(hosted.id);
    } catch (error) {
      // A beat may be lost; the next one says the same.
      this.#warn("a beat was lost", hosted, error);
    }
  }

  #expireLater(hosted: Hosted, delayMs: number): void {
    this.#after(Math.max(0, delayMs), () => void this.#expire(hosted));
  }

  async #expire(hosted: Hosted): Promise<void> {
    if (this.#hosted.get(hosted.id) !== hosted) return;
    const leftMs = hosted.deadlineMs - this.#seat.clock.monotonicMs();
    // Timers end early: far deadlines are beyond what one takes.
    if (leftMs > 0) return this.#expireLater(hosted, leftMs);
    hosted.interrupt("expiry");
    try {
      await this.#seat.loop.submit({ kind: "clock.tick", data: {} }, supervisorOf(this.#seat));
    } catch (error) {
      this.#warn("an expiry could not be journaled yet", hosted, error);
    }
    const worker = this.#seat.loop.state().workers.get(hosted.id);
    if (worker?.status === "running" && worker.quarantine === null)
      this.#expireLater(hosted, expiryAgainMs);
  }

  #after(delayMs: number, run: () => void): void {
    const cancel = this.#seat.timers.after(delayMs, () => {
      this.#timers.delete(cancel);
      run();
    });
    this.#timers.add(cancel);
  }

  #warn(message: string, hosted: Hosted, error: unknown): void {
    this.#seat.log.warn(message, { worker: hosted.id, error: errorText(error) });
  }
}
