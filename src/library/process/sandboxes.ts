import type { Entry } from "../../kernel/entry.ts";
import { LIMITS } from "../../kernel/limits.ts";
import type { StopReason } from "../../kernel/worker/evidence.ts";
import type { LimitHit } from "../../kernel/worker/limit.ts";
import { subjectOf } from "../../kernel/subject.ts";
import type {
  Ending,
  Sandbox,
  SandboxLimits,
  SandboxExhibit,
  SandboxRecord,
  SandboxSpec,
  SandboxUse,
} from "../../ports/sandbox.ts";
import { errorText } from "../error-text.ts";
import { supervisorOf, type Seat } from "../seat.ts";
import { settledWithin } from "../waiting.ts";
import { isCanary } from "./canary.ts";
import { Freezer } from "./freezer.ts";
import { FrozenSweep } from "./frozen-sweep.ts";
import { readLastWords } from "./last-words.ts";
import { Retries } from "./retries.ts";
import { hasEnded } from "../worker/until.ts";

/** How long a process is given to end by itself when it is told to stop, ms. */
export const STOP_GRACE_MS = 2_000;

/** Last words are kept for the newest few only; they are asked for at once or never. */
const lastWordsMax = 64;

/** Something that is being done, with the grace that it gives. */
interface Undertaking {
  readonly graceMs: number;
  readonly result: Promise<Ending | undefined>;
}

/** What the state says of a worker that was told to stop. */
interface Stopping {
  readonly reason: StopReason;
  /** How long it is given, as whoever stopped it said. */
  readonly grace_ms?: number;
}

/** How a sandbox is to be ended. */
export interface EndOptions {
  readonly graceMs: number;
  /** Who or what ends it, for the record. */
  readonly by: string;
}

/** What is particular about the processes of a seat. */
export interface SandboxesOptions {
  /**
   * Whether a worker hears by itself that it is told to stop, and so is given half of its grace
   * before it is asked by a signal; default: all do, having joined.
   */
  readonly hears?: (id: string) => boolean;
}

/**
 * The processes that run workers, as this process sees them through its driver. It follows those
 * it started by itself: an exit, a stop, a quarantine have their effect as soon as they are heard.
 * Those of others it follows when it is asked to (see the steward).
 *
 * Everything here may be done twice, and by several processes at once: the driver's records and the
 * journal decide, and a lost race finds nothing left to do.
 */
export class Sandboxes {
  /** Freezes and thaws them. */
  readonly freezer: Freezer;
  readonly #seat: Seat;
  readonly #driver: Sandbox;
  readonly #hears: (id: string) => boolean;
  readonly #own = new Set<string>();
  /** Those whose start is not over: nobody can have seen them end by themselves. */
  readonly #starting = new Set<string>();
  /** Those whose first process has exited, until their end is journaled. */
  readonly #exited = new Set<string>();
  readonly #exitWaiters = new Map<string, () => void>();
  readonly #graces = new Map<string, number>();
  readonly #ending = new Map<string, Undertaking>();
  readonly #finishing = new Map<string, Undertaking>();
  readonly #settling = new Map<string, Promise<void>>();
  readonly #lastWords = new Map<string, string>();
  readonly #sweep: FrozenSweep;
  readonly #retries: Retries;
  readonly #forgottenListeners = new Set<(id: string) => void>();
  readonly #unsubscribe: readonly (() => void)[];

  constructor(seat: Seat, driver: Sandbox, options: SandboxesOptions = {}) {
    this.#seat = seat;
    this.#driver = driver;
    this.#hears = options.hears ?? (() => true);
    this.#sweep = new FrozenSweep(driver, seat.timers);
    this.#retries = new Retries(seat, (id) => this.follow(id));
    const follow = (id: string): void => this.follow(id);
    this.freezer = new Freezer({ seat, driver, follow, isOwn: (id) => this.isOwn(id) });
    this.#unsubscribe = [
      seat.loop.onEntry((entry) => this.#hear(entry)),
      driver.onExit((id) => {
        if (isCanary(id)) return;
        this.#exited.add(id);
        this.#exitWaiters.get(id)?.();
        this.follow(id);
      }),
    ];
  }

  /** What a driver of this kind cannot hold; an admission has to say so. */
  get degraded(): Sandbox["degraded"] {
    return this.#driver.degraded;
  }

  /** Lets them write to parts of their ground; undefined where the driver cannot. */
  get mounts(): Sandbox["mounts"] {
    return this.#driver.mounts;
  }

  /** The rung of containment, in words. */
  get rung(): string {
    return this.#driver.rung;
  }

  /** Those that this process started and whose end it has not journaled yet. */
  get own(): ReadonlySet<string> {
    return this.#own;
  }

  /** The folder of a worker's sandbox. */
  folder(id: string): string {
    return this.#driver.folder(id);
  }

  /** The end of what a process wrote that ended not long ago, or "". */
  lastWordsOf(id: string): string {
    return this.#lastWords.get(id) ?? "";
  }

  /** All sandboxes of this fleet on this host, by the driver's own records. */
  list(): Promise<readonly SandboxRecord[]> {
    return this.#driver.list();
  }

  /** Whether this process started it, and so is the one to see it end. */
  isOwn(id: string): boolean {
    return this.#own.has(id);
  }

  /** Whether this process started it and its first process has not exited. */
  isRunning(id: string): boolean {
    return this.#own.has(id) && !this.#exited.has(id);
  }

  /** What a sandbox uses now, where that can be measured. */
  use(id: string): Promise<SandboxUse | undefined> {
    return this.#driver.use(id);
  }

  /** The limits that a sandbox has hit since its start, as far as that is known here. */
  hits(id: string): Promise<readonly LimitHit[]> {
    return this.#driver.hits(id);
  }

  /** What there is in a sandbox now; meant for one that is frozen. */
  examine(id: string): Promise<SandboxExhibit | undefined> {
    return this.#driver.examine(id);
  }

  /** Sets other limits on a sandbox; answers its use where that is above one of them. */
  limit(id: string, limits: SandboxLimits): Promise<SandboxUse | undefined> {
    return this.#driver.limit(id, limits);
  }

  /** Calls `listener` when the end of a sandbox is journaled. Returns how to stop it. */
  onForgotten(listener: (id: string) => void): () => void {
    const told = (id: string): void => listener(id);
    this.#forgottenListeners.add(told);
    return () => void this.#forgottenListeners.delete(told);
  }

  /**
   * Starts a process. If that fails, what there is of it is swept before the fault goes on.
   *
   * What is to happen between the start and anything that follows from its end is `then`: a
   * program that is over at once has run all the same. If `then` throws, the process is swept.
   */
  async start(
    spec: SandboxSpec,
    then: (record: SandboxRecord) => Promise<void> = async () => undefined,
  ): Promise<void> {
    const { instance: id } = spec;
    this.#own.add(id);
    this.#starting.add(id);
    try {
      await then(await this.#driver.start(spec));
    } catch (error) {
      await this.finish(id, { graceMs: 0, by: "failed start" });
      throw error;
    } finally {
      this.#starting.delete(id);
    }
    // A stop or a kill that was decided while it started has not found it.
    this.follow(id);
  }

  /** Sets how long a worker is given when it is next told to stop, ms. */
  setGrace(id: string, graceMs: number): void {
    this.#graces.set(id, graceMs);
  }

  /** Brings a sandbox in line with what the state says of its worker. */
  follow(id: string): void {
    // Whoever started it ends it, and who finds it left over.
    if (isCanary(id)) return;
    const worker = this.#seat.loop.state().workers.get(id);
    if (worker === undefined || hasEnded(worker)) {
      this.finishLater(id, { graceMs: 0, by: "ended" });
    } else if (this.#exited.has(id) && !this.#starting.has(id)) {
      // An end that is under way sees the exit itself, and knows what it did to bring it about.
      if (!this.#finishing.has(id)) this.finishLater(id, { graceMs: 0, by: "exit" });
    } else if (worker.stopping !== null) {
      const { reason } = worker.stopping;
      this.finishLater(id, { graceMs: this.#graceFor(id, worker.stopping), by: reason });
    } else if (worker.quarantine !== null || this.freezer.isThawable(id)) {
      void this.freezer.align(id);
    }
  }

  /**
   * Ends a sandbox: asks if there is a grace, kills, sweeps. Answers undefined when something of
   * it was still alive at the deadline. Callers at the same time share one ending, but nobody who
   * is in a hurry waits for the grace that somebody else has given.
   */
  end(id: string, options: EndOptions): Promise<Ending | undefined> {
    const deadlineMs = LIMITS.killSweepMs;
    const stop = (): Promise<Ending | undefined> =>
      this.#driver.stop(id, { ...options, deadlineMs });
    return share(this.#ending, { id, graceMs: options.graceMs }, stop);
  }

  /** Ends a sandbox, journals the end of its worker if that is news, and forgets the sandbox. */
  finish(id: string, options: EndOptions): Promise<Ending | undefined> {
    const finish = (): Promise<Ending | undefined> => this.#finish(id, options);
    return share(this.#finishing, { id, graceMs: options.graceMs }, finish);
  }

  async #finish(id: string, options: EndOptions): Promise<Ending | undefined> {
    // A worker that has heard leaves by itself; a signal would cut its leaving short.
    const isPolite = this.#own.has(id) && this.#hears(id);
    const politeMs = isPolite ? Math.floor(options.graceMs / 2) : 0;
    if (politeMs > 0) await this.#exitWithin(id, politeMs);
    await this.#sweep.until(id);
    const ending = await this.end(id, { ...options, graceMs: options.graceMs - politeMs });
    if (ending !== undefined) await this.settle(id, ending);
    return ending;
  }

  /** Waits for the first process of an own sandbox to exit by itself, or the time to be up. */
  async #exitWithin(id: string, withinMs: number): Promise<void> {
    if (this.#exited.has(id)) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#exitWaiters.set(id, resolve);
    await settledWithin(promise, withinMs, this.#seat.timers);
    this.#exitWaiters.delete(id);
  }

  /** Journals the end of a worker if that is news, and forgets its sandbox; once at a time. */
  settle(id: string, ending: Ending): Promise<void> {
    const running = this.#settling.get(id);
    if (running !== undefined) return running;
    const settling = this.#settle(id, ending).finally(() => {
      this.#settling.delete(id);
    });
    this.#settling.set(id, settling);
    return settling;
  }

  async #settle(id: string, { evidence, outcome, hits = [] }: Ending): Promise<void> {
    const said = await readLastWords(this.#driver.folder(id));
    this.#remember(id, said);
    const { exit_code: exitCode = 0 } = outcome;
    if (exitCode !== 0) this.#seat.log.warn("a process has failed", { worker: id, exitCode, said });
    if (!hasEnded(this.#seat.loop.state().workers.get(id))) {
      const told = hits.length === 0 ? {} : { limits_hit: hits };
      const data = { worker: id, evidence, outcome, ...told };
      await this.#seat.loop.submit({ kind: "worker.exited", data }, supervisorOf(this.#seat));
    }
    await this.#driver.forget(id);
    for (const known of [this.#own, this.#exited, this.#graces]) known.delete(id);
    this.freezer.forget(id);
    this.#sweep.forget(id);
    this.#retries.forget(id);
    for (const listener of this.#forgottenListeners) listener(id);
  }

  /** Lets go of everything without stopping anything; safe to call twice. */
  async close(): Promise<void> {
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
    this.#retries.clear();
    await this.#driver.close();
  }

  /**
   * Ends all that this process started, at once and without asking, and journals that when it can.
   * What else of the fleet runs on this host is struck too, where the driver can.
   */
  endAll(by: string): void {
    void this.strike(by);
    this.#retries.clear();
    for (const id of this.#own) this.finishLater(id, { graceMs: 0, by });
  }

  /**
   * Has all of the fleet that runs on this host killed by one order, where the driver can. Proven
   * is nothing by that: each is still to be ended. Never rejects.
   */
  async strike(by: string): Promise<void> {
    try {
      await this.#driver.strike(by);
    } catch (error) {
      // Each is ended by itself as well, and whoever is not ended so is told of by name.
      this.#seat.log.warn("not all could be killed at once", { error: errorText(error) });
    }
  }

  #hear(entry: Entry): void {
    if (entry.kind === "fleet.killed" && this.#own.size > 0) {
      void this.strike("killed");
      // What could not be ended before is tried again at once: this time nobody is asked.
      this.#retries.clear();
      for (const id of this.#own) this.follow(id);
    }
    const { kind, data } = entry;
    const isNow = kind === "worker.stopping" && data.grace_ms === 0;
    if (isNow && this.#own.has(data.worker)) this.#sweep.add(data.worker);
    const id = subjectOf(entry);
    if (id !== null && this.#own.has(id)) this.follow(id);
  }

  /** A frozen process cannot hear a request to end, and a kill asks nobody. */
  #graceFor(id: string, { reason, grace_ms: graceMs }: Stopping): number {
    const isKilled = reason === "killed" || this.#seat.loop.state().status === "killed";
    if (isKilled || this.freezer.isFrozen(id)) return 0;
    return graceMs ?? this.#graces.get(id) ?? STOP_GRACE_MS;
  }

  /**
   * Begins to {@link finish} a sandbox. What fails, or leaves something alive, is told to the
   * operator and tried again, later each time and for ever; until then this does nothing.
   */
  finishLater(id: string, options: EndOptions): void {
    const running = this.#finishing.get(id);
    const isInHand = running !== undefined && running.graceMs <= options.graceMs;
    if (isInHand || this.#retries.isWaiting(id)) return;
    this.finish(id, options).then(
      (ending) => {
        if (ending !== undefined) return;
        this.#warn("a sandbox could not be ended yet", id, "something of it is still alive");
        this.#retries.add(id);
      },
      (error: unknown) => {
        this.#warn("a sandbox could not be ended yet", id, error);
        this.#retries.add(id);
      },
    );
  }

  #remember(id: string, words: string): void {
    // Whoever was overtaken finds the sandbox forgotten, and nothing to read in it.
    if (words === "" && this.#lastWords.has(id)) return;
    this.#lastWords.set(id, words);
    const [oldest] = this.#lastWords.keys();
    if (this.#lastWords.size > lastWordsMax && oldest !== undefined) this.#lastWords.delete(oldest);
  }

  #warn(message: string, id: string, error: unknown): void {
    this.#seat.log.warn(message, { worker: id, error: errorText(error) });
  }
}

/** Joins what is under way for an id, unless that gives it more time than this is to. */
function share(
  undertakings: Map<string, Undertaking>,
  { id, graceMs }: { readonly id: string; readonly graceMs: number },
  begin: () => Promise<Ending | undefined>,
): Promise<Ending | undefined> {
  const running = undertakings.get(id);
  if (running !== undefined && running.graceMs <= graceMs) return running.result;
  const result = begin().finally(() => {
    if (undertakings.get(id)?.result === result) undertakings.delete(id);
  });
  undertakings.set(id, { graceMs, result });
  return result;
}
