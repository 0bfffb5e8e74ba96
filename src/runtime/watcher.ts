import type { Actor } from "../kernel/actor.ts";
import type { Observation } from "../kernel/command.ts";
import type { State, Worker } from "../kernel/state.ts";
import { decideObserve } from "../kernel/worker/liveness.ts";
import type { Clock } from "../ports/clock.ts";
import { Fault } from "../ports/fault.ts";
import { SILENT, type Log } from "../ports/log.ts";
import type { Pulse, PulseReading, PulseRow } from "../ports/pulse.ts";
import type { Loop } from "./loop.ts";
import { SYSTEM_TIMERS, type Timers } from "./timers.ts";
import { SilenceWindows, type Silence } from "./silence.ts";

/** Bounds of the pause between two rounds, ms, when none is given. */
const everyMsMin = 50;
const everyMsMax = 10_000;

/** How long a look at a sandbox may take, ms. */
const seenWithinMs = 5_000;

const WATCHER: Actor = { kind: "supervisor", via: "runtime" };

/** Whether a sandbox is seen alive. */
export type Seen = Observation["seen"];

/** What a watcher works with. */
export interface WatcherOptions {
  readonly loop: Loop;
  readonly pulse: Pulse;
  readonly clock: Clock;
  /**
   * Looks whether a worker's sandbox is alive; asked only about workers that have been silent. When
   * it throws, or takes longer than 5 s, nothing is concluded about the worker in this round.
   */
  readonly seen: (worker: string) => Seen | Promise<Seen>;
  /** Who observes; default: a supervisor without a name. */
  readonly by?: Actor;
  /** The pause between two rounds, ms; default: half the contract's beat, 50 ms to 10 s. */
  readonly everyMs?: number;
  readonly timers?: Timers;
  readonly log?: Log;
}

/**
 * Watches the beats of running workers, and submits `worker.observe` when something follows from
 * them. It judges by its own monotonic clock alone: how long it has seen the same count.
 */
export class Watcher {
  readonly #so: Required<Omit<WatcherOptions, "everyMs">>;
  readonly #everyMs: number | undefined;
  readonly #windows = new SilenceWindows();
  #isStarted = false;
  #cancel: (() => void) | undefined;
  #checking: Promise<void> | undefined;
  /** How to give up the looks at sandboxes that are under way. */
  readonly #looks = new Set<(error: Error) => void>();

  constructor({ everyMs, ...options }: WatcherOptions) {
    this.#everyMs = everyMs;
    this.#so = {
      by: WATCHER,
      timers: SYSTEM_TIMERS,
      log: SILENT,
      ...options,
    };
  }

  /** Begins to watch, the first round at once; safe to call twice. */
  start(): void {
    if (this.#isStarted) return;
    this.#isStarted = true;
    this.#goOn(0);
  }

  /** Stops: gives up looks, and waits for what is being submitted; safe to call twice. */
  async stop(): Promise<void> {
    this.#isStarted = false;
    this.#cancel?.();
    for (const giveUp of this.#looks) giveUp(new Error("the watcher was stopped"));
    await this.#checking;
  }

  /** Makes one round now: reads all beats, and submits what follows. */
  check(): Promise<void> {
    this.#checking ??= this.#round().finally(() => {
      this.#checking = undefined;
    });
    return this.#checking;
  }

  #goOn(delayMs: number): void {
    const { clock, timers } = this.#so;
    const dueMs = clock.monotonicMs() + delayMs;
    this.#cancel = timers.after(delayMs, () => {
      // While this process did not run, it did not watch: that time is not held against anybody.
      const lateMs = clock.monotonicMs() - dueMs;
      if (lateMs > this.#pauseMs()) this.#windows.pass(lateMs);
      void this.check().then(() => {
        if (this.#isStarted) this.#goOn(this.#pauseMs());
      });
    });
  }

  #pauseMs(): number {
    const { beat_every_ms: beatEveryMs } = this.#so.loop.state().contract;
    return this.#everyMs ?? Math.min(everyMsMax, Math.max(everyMsMin, beatEveryMs / 2));
  }

  /** Never throws: what fails is told to the operator, and tried again in the next round. */
  async #round(): Promise<void> {
    const { clock, pulse, loop, log } = this.#so;
    const beforeMs = clock.monotonicMs();
    let reading: PulseReading;
    try {
      reading = await pulse.read();
    } catch (error) {
      // Whoever cannot read beats has not seen silence: all windows begin anew.
      this.#windows.clear();
      log.warn("beats could not be read", { error });
      return;
    }
    const afterMs = clock.monotonicMs();
    const state = loop.state();
    const watched = this.#watched(state);
    this.#forgetDead(state);
    const rows = new Map(reading.rows.map((row) => [row.worker, row]));
    const silences = watched.map(({ id }) => {
      const row: PulseRow | undefined = rows.get(id);
      return this.#windows.see(id, { count: row?.count, generation: reading.generation }, afterMs);
    });
    await Promise.all(silences.map((silence) => this.#judge(silence, beforeMs)));
  }

  /** Whoever is in quarantine is not watched: its silence begins when it is let go. */
  #watched(state: State): readonly Worker[] {
    const watched: Worker[] = [];
    for (const worker of state.workers.values()) {
      if (worker.status === "running" && worker.quarantine === null) watched.push(worker);
    }
    this.#windows.keepOnly(new Set(watched.map(({ id }) => id)));
    return watched;
  }

  async #judge(silence: Silence, nowMs: number): Promise<void> {
    const { loop, by, log } = this.#so;
    try {
      const unseen = silence.at(nowMs, "unknown");
      if (!this.#isWorthSaying(unseen)) return;
      const { reap_after_ms: reapAfterMs } = loop.state().contract;
      const seen = unseen.silent_ms < reapAfterMs ? "unknown" : await this.#see(unseen.worker);
      const observation = { ...unseen, seen };
      if (!this.#isWorthSaying(observation)) return;
      await loop.submit({ kind: "worker.observe", data: observation }, by);
    } catch (error) {
      // The sandbox could not be looked at, or the journal not be written: the next round is near.
      const isOver = error instanceof Fault && error.code === "closed";
      if (!isOver) log.warn("a worker could not be observed", { worker: silence.worker, error });
    }
  }

  /** Whether the rules would conclude anything; the journal is not asked for nothing. */
  #isWorthSaying(observation: Observation): boolean {
    const ruling = decideObserve(this.#so.loop.state(), observation, undefined);
    return ruling.ok && ruling.events.length > 0;
  }

  #see(worker: string): Promise<Seen> {
    const { promise, resolve, reject } = Promise.withResolvers<Seen>();
    this.#looks.add(reject);
    const cancel = this.#so.timers.after(seenWithinMs, () => {
      reject(new Error(`a look at a sandbox must end within ${seenWithinMs} ms`));
    });
    Promise.resolve()
      .then(() => this.#so.seen(worker))
      .then(resolve, reject);
    return promise.finally(() => {
      this.#looks.delete(reject);
      cancel();
    });
  }

  #forgetDead(state: State): void {
    const { pulse, log } = this.#so;
    for (const worker of this.#windows.takeDead(state)) {
      pulse.forget(worker).catch((error: unknown) => {
        // A row too many does no harm: nobody asks about the dead.
        log.warn("the beats of a dead worker could not be dropped", { worker, error });
      });
    }
  }
}
