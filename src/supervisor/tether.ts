import { errorText } from "../library/error-text.ts";
import type { Sandboxes } from "../library/process/sandboxes.ts";
import type { Seat } from "../library/seat.ts";
import { settledWithin } from "../library/waiting.ts";
import type { Journal } from "../ports/journal.ts";

/** The longest pause between two requests to the store, ms; shorter where the tether is. */
const ASK_EVERY_MS = 1_000;

/** How many requests there are between two ends of a tether, at least. */
const ASKS_PER_TETHER = 4;

/** The shortest wait for an answer, ms: right before the tether's end too. */
const ANSWER_MS_MIN = 100;

/** How much later than its deadline a wait may end before this process has stood still, ms. */
const LATE_MS = 500;

/** How many requests may be without an answer before no more are sent. */
const OPEN_ASKS_MAX = 8;

/** Who ends the workers of a supervisor that has lost its store, for the record. */
const TETHER = "tether";

/** What a tether is made with. */
export interface TetherOptions {
  readonly seat: Pick<Seat, "clock" | "timers" | "log"> & {
    readonly loop: Pick<Seat["loop"], "state">;
    readonly store: { readonly journal: Pick<Journal, "head"> };
  };
  readonly sandboxes: Pick<Sandboxes, "own" | "isRunning" | "endAll">;
  /** Whether there is somebody to hold: a worker, or one that is being started. */
  readonly isBusy: () => boolean;
}

/** What a request to the store has come to. */
interface Asked {
  readonly isAnswered: boolean;
  /** Whether this process stood still meanwhile: what it took for silence may be its own. */
  readonly hasStalled: boolean;
  readonly problem: string;
}

/**
 * Ends all workers of a supervisor that has not been in contact with its store for `tether_ms`:
 * what it cannot be told any more, a kill or the end of a lease, may have been decided.
 *
 * Contact is an answer of the journal, and counts from when the request was sent, by the monotonic
 * clock of this process. As long as there are workers it asks each second, or each quarter of the
 * tether if that is shorter. Nobody is ended before a request has been waited for by a process that
 * ran: after a stall it is asked once more.
 */
export class Tether {
  readonly #so: TetherOptions;
  /** When the last request was sent that was answered; of no meaning while nobody is held. */
  #confirmedMs = 0;
  #openAsks = 0;
  #isCut = false;
  #watching: Promise<void> | undefined;
  readonly #closing = Promise.withResolvers<void>();
  #isClosed = false;

  constructor(options: TetherOptions) {
    this.#so = options;
  }

  /** Whether it asks the store at present. */
  get isHolding(): boolean {
    return this.#watching !== undefined;
  }

  /** Holds the workers that there are from now on; called before one is started. */
  begin(): void {
    if (this.#isClosed || this.#watching !== undefined) return;
    this.#confirmedMs = this.#nowMs();
    this.#isCut = false;
    this.#watching = this.#watch().finally(() => {
      this.#watching = undefined;
      // Somebody came while the last look was on its way out.
      if (this.#so.isBusy()) this.begin();
    });
  }

  /** Holds nobody any more; safe to call twice. Waits for no store. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#closing.resolve();
    await this.#watching;
  }

  async #watch(): Promise<void> {
    let isAskedAgain = false;
    // One turn: whoever begins it has not counted as somebody yet.
    await this.#so.seat.timers.turn();
    while (!this.#isClosed && this.#so.isBusy()) {
      const sentMs = this.#nowMs();
      const asked = await this.#ask(sentMs);
      if (this.#isClosed) return;
      const isOver = this.#nowMs() - this.#confirmedMs >= this.#tetherMs;
      if (!asked.isAnswered && isOver && this.#so.sandboxes.own.size > 0) {
        isAskedAgain = asked.hasStalled && !isAskedAgain;
        if (isAskedAgain) continue;
        this.#cut(asked.problem);
      }
      isAskedAgain = false;
      await this.#pause(sentMs);
    }
  }

  async #ask(sentMs: number): Promise<Asked> {
    const { seat } = this.#so;
    const withinMs = this.#answerMs(sentMs);
    if (this.#openAsks >= OPEN_ASKS_MAX) {
      await this.#wait(withinMs);
      return { isAnswered: false, hasStalled: false, problem: "it does not answer" };
    }
    this.#openAsks += 1;
    const answer = (async () => seat.store.journal.head())()
      .then(() => this.#confirm(sentMs))
      .finally(() => {
        this.#openAsks -= 1;
      });
    // A late no is one that nobody waits for any more.
    answer.catch(() => undefined);
    const either = Promise.race([answer, this.#closing.promise]);
    const settled = await settledWithin(either, withinMs, seat.timers);
    const hasStalled = this.#nowMs() - sentMs > withinMs + LATE_MS;
    if (settled.kind === "done") return { isAnswered: true, hasStalled, problem: "" };
    const problem = settled.kind === "failed" ? errorText(settled.error) : "it does not answer";
    return { isAnswered: false, hasStalled, problem };
  }

  #confirm(sentMs: number): void {
    this.#confirmedMs = Math.max(this.#confirmedMs, sentMs);
    if (!this.#isCut || this.#nowMs() - this.#confirmedMs >= this.#tetherMs) return;
    this.#isCut = false;
    this.#so.seat.log.info("the store answers again", {});
  }

  /** Told once; whoever was on its way meanwhile is ended like the others. */
  #cut(problem: string): void {
    const { seat, sandboxes } = this.#so;
    if (!this.#isCut) {
      seat.log.warn("the store cannot be reached: all workers are ended", {
        error: problem,
        tether_ms: this.#tetherMs,
        silent_ms: Math.round(this.#nowMs() - this.#confirmedMs),
        workers: [...sandboxes.own],
      });
    }
    const isNew = [...sandboxes.own].some((id) => sandboxes.isRunning(id));
    if (!this.#isCut || isNew) sandboxes.endAll(TETHER);
    this.#isCut = true;
  }

  /** Until the next request is due; at once where this process has stood still. */
  async #pause(sentMs: number): Promise<void> {
    const leftMs = sentMs + this.#answerMs(sentMs) - this.#nowMs();
    if (leftMs > 0) await this.#wait(leftMs);
  }

  async #wait(ms: number): Promise<void> {
    await settledWithin(this.#closing.promise, ms, this.#so.seat.timers);
  }

  /** How long the answer to a request is waited for: not beyond the tether's end by much. */
  #answerMs(sentMs: number): number {
    const everyMs = Math.min(ASK_EVERY_MS, this.#tetherMs / ASKS_PER_TETHER);
    const leftMs = this.#confirmedMs + this.#tetherMs - sentMs;
    return leftMs <= 0 ? everyMs : Math.max(ANSWER_MS_MIN, Math.min(everyMs, leftMs));
  }

  get #tetherMs(): number {
    return this.#so.seat.loop.state().contract.tether_ms;
  }

  #nowMs(): number {
    return this.#so.seat.clock.monotonicMs();
  }
}
