import { isUrgent, type Command } from "../../kernel/command.ts";
import { Fault } from "../../ports/fault.ts";
import type {
  CommandAnswer,
  CommandOrder,
  StartAnswer,
  StartOrder,
  Supervision,
  SupervisorStatus,
} from "../../ports/supervision.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Log } from "../../ports/log.ts";
import type { Timers } from "../../runtime/timers.ts";
import { errorText } from "../error-text.ts";
import { settledWithin } from "../waiting.ts";
import type { SupervisorDoor } from "./supervisor-door.ts";

/** How often it is looked whether a supervisor has come up, at most, ms. */
const lookEveryMs = 250;

/** How long one that did not answer is left alone with commands, ms. */
const sickMs = 5_000;

/** How long a start looks for a supervisor that takes it, after one broke off, ms. */
const startMs = 15_000;

/** The pause before it looks again, ms. */
const againMs = 100;

/** How long its successor may take to say that it is there, ms. */
const successorMs = 1_000;

/** What a link works with. */
export interface LinkOptions {
  readonly door: SupervisorDoor;
  /** Whether a start may begin a supervisor where none runs. */
  readonly mayStart: boolean;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly log: Log;
}

/**
 * This process's line to the supervisor: connected when one runs, let go when it breaks, looked for
 * again later. Every order bears an id that makes it safe to give it twice, so one that was given
 * to a supervisor which then died is given to its successor, or taken elsewhere.
 */
export class SupervisorLink {
  readonly #so: LinkOptions;
  #supervision: Supervision | undefined;
  #connecting: Promise<Supervision | undefined> | undefined;
  #lookAgainAtMs = -Infinity;
  #sickUntilMs = -Infinity;
  #isClosed = false;

  constructor(options: LinkOptions) {
    this.#so = options;
  }

  /**
   * Has a command carried by the supervisor; undefined when none did, and then it may have been
   * carried or not: the same id decides. Rejects only when the signal fires, with its reason.
   */
  async submit(order: CommandOrder, signal?: AbortSignal): Promise<CommandAnswer | undefined> {
    const nowMs = this.#so.clock.monotonicMs();
    if (nowMs < this.#sickUntilMs) return undefined;
    // No supervisor is looked for, and no second one asked.
    const urgent = isUrgent(order.command.kind);
    const waits = isWaiting(order.command);
    if (this.#supervision === undefined && !waits && (urgent || nowMs < this.#lookAgainAtMs))
      return undefined;
    const first = (await this.#connected()) ?? (waits ? await this.#begun() : undefined);
    if (first === undefined) return undefined;
    try {
      return await first.submit(order, signal);
    } catch (error) {
      signal?.throwIfAborted();
      this.#meet(first, order.command.kind, error);
      if (!isUnreachable(error) || urgent) return undefined;
    }
    const second = await this.#successor();
    try {
      return await second?.submit(order, signal);
    } catch (error) {
      signal?.throwIfAborted();
      if (second !== undefined) this.#meet(second, order.command.kind, error);
      return undefined;
    }
  }

  /**
   * Has a process started by the supervisor; undefined when there is none, and then nothing was
   * asked of any. Throws what the supervisor throws, and `Fault` `supervisor_unreachable` when it
   * is not known what became of the order: its worker may yet be admitted, and ends then. Throws
   * the signal's reason, at once, when it fires: then it is not known either.
   */
  async start(order: StartOrder, signal?: AbortSignal): Promise<StartAnswer | undefined> {
    if (signal === undefined) return this.#start(order);
    signal.throwIfAborted();
    const { promise, reject } = Promise.withResolvers<never>();
    const giveUp = (): void => {
      // What is asked about this start next is not asked of whom it was not heard from.
      this.#sickUntilMs = this.#so.clock.monotonicMs() + sickMs;
      reject(signal.reason as Error);
    };
    signal.addEventListener("abort", giveUp);
    try {
      return await Promise.race([this.#start(order, signal), promise]);
    } finally {
      signal.removeEventListener("abort", giveUp);
    }
  }

  async #start(order: StartOrder, signal?: AbortSignal): Promise<StartAnswer | undefined> {
    const { clock, timers } = this.#so;
    const deadlineMs = clock.monotonicMs() + startMs;
    let broken: unknown;
    for (;;) {
      signal?.throwIfAborted();
      // After the first one only a supervisor that answers: one that hangs is not waited for twice.
      const running = broken === undefined ? await this.#connected() : await this.#successor();
      const supervision = running ?? (await this.#started());
      if (supervision === undefined && broken === undefined) return undefined;
      try {
        if (supervision === undefined) throw broken;
        signal?.throwIfAborted();
        const answer = await supervision.start(order, signal);
        this.#sickUntilMs = -Infinity;
        return answer;
      } catch (error) {
        if (!isUnreachable(error) || signal?.aborted === true) throw error;
        if (supervision !== undefined) this.#meet(supervision, "a start", error);
        if (clock.monotonicMs() > deadlineMs) throw error;
        broken = error;
      }
      // It died, or is about to leave: then nobody is there in a moment, or another one.
      await timers.wait(againMs);
    }
  }

  /** How the supervisor is; undefined when none runs, or it does not answer. Never rejects. */
  async status(): Promise<SupervisorStatus | undefined> {
    const supervision = await this.#connected();
    try {
      return await supervision?.status();
    } catch (error) {
      if (supervision !== undefined) this.#meet(supervision, "its status", error);
      return undefined;
    }
  }

  /** Lets go of the supervisor; safe to call twice. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#connecting;
    await this.#supervision?.close();
    this.#supervision = undefined;
  }

  /** Starts one for whoever is to wait; without one he waits all the same. Never rejects. */
  async #begun(): Promise<Supervision | undefined> {
    try {
      return await this.#started();
    } catch (error) {
      this.#so.log.warn("no supervisor could be started", { error: errorText(error) });
      return undefined;
    }
  }

  #connected(): Promise<Supervision | undefined> {
    if (this.#supervision !== undefined || this.#isClosed)
      return Promise.resolve(this.#supervision);
    this.#connecting ??= this.#connect(() => this.#so.door.connect());
    return this.#connecting;
  }

  async #started(): Promise<Supervision | undefined> {
    if (!this.#so.mayStart || this.#isClosed) return undefined;
    await this.#connecting;
    if (this.#supervision !== undefined) return this.#supervision;
    this.#connecting ??= this.#connect(() => this.#so.door.start());
    return this.#connecting;
  }

  async #connect(open: () => Promise<Supervision | undefined>): Promise<Supervision | undefined> {
    try {
      this.#supervision = await open();
      this.#lookAgainAtMs = this.#so.clock.monotonicMs() + lookEveryMs;
      return this.#supervision;
    } finally {
      this.#connecting = undefined;
    }
  }

  /** Another supervisor, if one answers within a short time; the one that broke is let go. */
  async #successor(): Promise<Supervision | undefined> {
    const supervision = await this.#connected();
    if (supervision === undefined) return undefined;
    const { timers } = this.#so;
    const heard = await settledWithin(supervision.status(), successorMs, timers);
    if (heard.kind === "done") {
      this.#sickUntilMs = -Infinity;
      return supervision;
    }
    this.#drop(supervision);
    return undefined;
  }

  /** Meets a failure of a supervisor. One that cannot be reached is let go, and left alone. */
  #meet(supervision: Supervision, what: string, error: unknown): void {
    this.#so.log.warn("the supervisor failed", { at: what, error: errorText(error) });
    if (!isUnreachable(error)) return;
    this.#sickUntilMs = this.#so.clock.monotonicMs() + sickMs;
    this.#drop(supervision);
  }

  #drop(supervision: Supervision): void {
    if (this.#supervision === supervision) this.#supervision = undefined;
    supervision.close().catch((error: unknown) => {
      // Nothing is left to be done with it.
      this.#so.log.warn("a supervisor's line could not be closed", { error: errorText(error) });
    });
  }
}

/** Whether whoever gives a command waits in a place: a supervisor answers many in their turn. */
function isWaiting({ kind }: Command): boolean {
  return kind === "place.keep";
}

function isUnreachable(error: unknown): boolean {
  return error instanceof Fault && error.code === "supervisor_unreachable";
}
