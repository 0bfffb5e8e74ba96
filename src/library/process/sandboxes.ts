import type { Entry } from "../../kernel/entry.ts";
import { LIMITS } from "../../kernel/limits.ts";
import type { StopReason } from "../../kernel/worker/evidence.ts";
import { subjectOf } from "../../kernel/subject.ts";
import type { Ending, Sandbox, SandboxRecord, SandboxSpec } from "../../ports/sandbox.ts";
import { errorText } from "../error-text.ts";
import { supervisorOf, type Seat } from "../seat.ts";
import { settledWithin } from "../waiting.ts";
import { Freezer } from "./freezer.ts";
import { readLastWords } from "./last-words.ts";
import { hasEnded } from "../worker/until.ts";

/** How long a process is given to end by itself when it is told to stop, ms. */
export const STOP_GRACE_MS = 2_000;

/** When an end that failed, or found survivors, is tried again, ms. */
const againMs = 2_000;

/** Last words are kept for the newest few only; they are asked for at once or never. */
const lastWordsMax = 64;

/** How a sandbox is to be ended. */
export interface EndOptions {
  readonly graceMs: number;
  /** Who or what ends it, for the record. */
  readonly by: string;
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
  readonly #own = new Set<string>();
  /** Those whose first process has exited, until their end is journaled. */
  readonly #exited = new Set<string>();
  readonly #exitWaiters = new Map<string, () => void>();
  readonly #graces = new Map<string, number>();
  readonly #ending = new Map<string, Promise<Ending | undefined>>();
  readonly #finishing = new Map<string, Promise<Ending | undefined>>();
  readonly #settling = new Map<string, Promise<void>>();
  readonly #lastWords = new Map<string, string>();
  readonly #unsubscribe: readonly (() => void)[];

  constructor(seat: Seat, driver: Sandbox) {
    this.#seat = seat;
    this.#driver = driver;
    this.freezer = new Freezer({ seat, driver, follow: (id) => this.follow(id) });
    this.#unsubscribe = [
      seat.loop.onEntry((entry) => this.#hear(entry)),
      driver.onExit((id) => {
        this.#exited.add(id);
        this.#exitWaiters.get(id)?.();
        this.follow(id);
      }),
    ];
  }

  /** What a driver of this kind cannot hold; an admission has to say so. */
  get degraded(): readonly string[] {
    return this.#driver.degraded;
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

  /** Starts a process. If that fails, what there is of it is swept before the fault goes on. */
  async start(spec: SandboxSpec): Promise<void> {
    const { instance: id } = spec;
    this.#own.add(id);
    try {
      await this.#driver.start(spec);
    } catch (error) {
      await this.finish(id, { graceMs: 0, by: "failed start" });
      throw error;
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
    const worker = this.#seat.loop.state().workers.get(id);
    if (worker === undefined || hasEnded(worker)) {
      this.finishLater(id, { graceMs: 0, by: "ended" });
    } else if (this.#exited.has(id)) {
      this.finishLater(id, { graceMs: 0, by: "exit" });
    } else if (worker.stopping !== null) {
      const { reason } = worker.stopping;
      this.finishLater(id, { graceMs: this.#graceFor(id, reason), by: reason });
    } else if (worker.quarantine !== null || this.freezer.isThawable(id)) {
      void this.freezer.align(id);
    }
  }

  /**
   * Ends a sandbox: asks if there is a grace, kills, sweeps. Answers undefined when something of
   * it was still alive at the deadline. Callers at the same time share one ending.
   */
  end(id: string, options: EndOptions): Promise<Ending | undefined> {
    const running = this.#ending.get(id);
    if (running !== undefined) return running;
    const deadlineMs = LIMITS.killSweepMs;
    const ending = this.#driver.stop(id, { ...options, deadlineMs }).finally(() => {
      this.#ending.delete(id);
    });
    this.#ending.set(id, ending);
    return ending;
  }

  /** Ends a sandbox, journals the end of its worker if that is news, and forgets the sandbox. */
  finish(id: string, options: EndOptions): Promise<Ending | undefined> {
    const running = this.#finishing.get(id);
    if (running !== undefined) return running;
    const finishing = this.#finish(id, options).finally(() => {
      this.#finishing.delete(id);
    });
    this.#finishing.set(id, finishing);
    return finishing;
  }

  async #finish(id: string, options: EndOptions): Promise<Ending | undefined> {
    // A worker that joined has heard by the journal; a signal would cut its leaving short.
    const politeMs = this.#own.has(id) ? Math.floor(options.graceMs / 2) : 0;
    if (politeMs > 0) await this.#exitWithin(id, politeMs);
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

  async #settle(id: string, { evidence, outcome }: Ending): Promise<void> {
    const said = await readLastWords(this.#driver.folder(id));
    this.#remember(id, said);
    const { exit_code: exitCode = 0 } = outcome;
    if (exitCode !== 0) this.#seat.log.warn("a process has failed", { worker: id, exitCode, said });
    if (!hasEnded(this.#seat.loop.state().workers.get(id))) {
      const data = { worker: id, evidence, outcome };
      await this.#seat.loop.submit({ kind: "worker.exited", data }, supervisorOf(this.#seat));
    }
    await this.#driver.forget(id);
    for (const known of [this.#own, this.#exited, this.#graces]) known.delete(id);
    this.freezer.forget(id);
  }

  /** Lets go of everything without stopping anything; safe to call twice. */
  async close(): Promise<void> {
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
    await this.#driver.close();
  }

  #hear(entry: Entry): void {
    if (entry.kind === "fleet.killed") for (const id of this.#own) this.follow(id);
    const id = subjectOf(entry);
    if (id !== null && this.#own.has(id)) this.follow(id);
  }

  /** A frozen process cannot hear a request to end, and a kill asks nobody. */
  #graceFor(id: string, reason: StopReason): number {
    if (reason === "killed" || this.freezer.isFrozen(id)) return 0;
    return this.#graces.get(id) ?? STOP_GRACE_MS;
  }

  /** Begins to {@link finish} a sandbox; what fails is told to the operator and tried again. */
  finishLater(id: string, options: EndOptions): void {
    this.finish(id, options).then(
      (ending) => {
        if (ending === undefined) this.#followAgain(id);
      },
      (error: unknown) => {
        this.#warn("a sandbox could not be ended yet", id, error);
        this.#followAgain(id);
      },
    );
  }

  #followAgain(id: string): void {
    this.#seat.timers.after(againMs, () => {
      if (!this.#seat.closing.aborted && this.#own.has(id)) this.follow(id);
    });
  }

  #remember(id: string, words: string): void {
    this.#lastWords.set(id, words);
    const [oldest] = this.#lastWords.keys();
    if (this.#lastWords.size > lastWordsMax && oldest !== undefined) this.#lastWords.delete(oldest);
  }

  #warn(message: string, id: string, error: unknown): void {
    this.#seat.log.warn(message, { worker: id, error: errorText(error) });
  }
}
