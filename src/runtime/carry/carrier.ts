import { ok } from "../../kernel/assert.ts";
import { checkAuthority } from "../../kernel/authority.ts";
import type { Entry } from "../../kernel/entry.ts";
import { LIMITS } from "../../kernel/limits.ts";
import { Fault } from "../../ports/fault.ts";
import type { AppendOutcome } from "../../ports/journal.ts";
import { planBatch, type Findings, type Plan, type Rules } from "./batch.ts";
import { judgeFirst, lookUp, type Sources } from "./findings.ts";
import type { Follower } from "../follower.ts";
import type { Answer } from "../loop.ts";
import type { Pending } from "./pending.ts";
import type { Limited } from "./rate-limit.ts";
import { answerFrom } from "./recollection.ts";
import type { Timers } from "../timers.ts";

/** The longest pause between two attempts, ms; pauses are random and begin at 0 to 1. */
const pauseMsMax = 32;

/** After so many attempts in a row each waits; the first few only let others have their turn. */
const eagerAttempts = 2;

/** What a carrier works with. */
export interface CarrierOptions extends Sources {
  readonly follower: Follower;
  readonly timers: Timers;
  readonly rules: Rules;
  /** Told of entries that this carrier has appended, after they were folded. */
  readonly onAppended: (entries: readonly Entry[]) => void;
  /** Told when a refusal was not journaled because its actor is limited. */
  readonly onLimited: (limited: Limited) => void;
}

/**
 * Carries batches of commands into the journal:
 *
 *     look ──▶ decide inside the append ──▶ appended: answer
 *      ▲                                ├─▶ moved: catch up, pause ──┐
 *      └────────────────────────────────┴─▶ unknown: ask by the ids ─┘
 *
 * Between the look and the append nothing is awaited but the journal, and the append holds only if
 * nobody wrote since. Callers see to it that one batch is carried at a time.
 */
export class Carrier {
  readonly #so: CarrierOptions;
  #timeMs: number | undefined;

  constructor(options: CarrierOptions) {
    this.#so = options;
  }

  /** The journal time of the last append, also of one that wrote nothing. */
  get timeMs(): number | undefined {
    return this.#timeMs;
  }

  /**
   * Decides a batch as far as one append reaches, settles those commands and answers how many they
   * were; the others have to be carried again. Throws what kept it from deciding any.
   */
  async carry(batch: readonly Pending[]): Promise<number> {
    const doubt = new Doubt(this.#so.timers);
    try {
      for (let attempt = 1; attempt <= LIMITS.appendAttemptsMax; attempt += 1) {
        if (attempt > 1) await this.#pause(attempt);
        if (doubt.isOver) break;
        const done = await this.#tryOnce(batch, { doubt, hasMoved: attempt > 1 });
        if (done > 0) return done;
      }
      throw doubt.fault ?? this.#busy();
    } finally {
      doubt.end();
    }
  }

  /** Answers 0 also where it is not known whether the batch was carried. */
  async #tryOnce(
    batch: readonly Pending[],
    { doubt, hasMoved }: { readonly doubt: Doubt; readonly hasMoved: boolean },
  ): Promise<number> {
    try {
      return await this.#tryCarry(batch, hasMoved);
    } catch (error) {
      if (!doubt.hasRoomFor(error)) throw error;
      // The entries may be durable or not: their ids will tell, at the next look.
      for (const pending of batch) pending.mayBeKnown = true;
      return 0;
    }
  }

  async #tryCarry(batch: readonly Pending[], hasMoved: boolean): Promise<number> {
    const { follower, journal, rules } = this.#so;
    if (hasMoved) await follower.catchUp();
    return follower.asking(async () => {
      const { head, state } = follower.place;
      const looked = await lookUp(this.#so, state, batch);
      const findings: Findings = { ...looked, asked: judgeFirst(this.#so, state, batch) };
      let plan: Plan | undefined;
      const outcome = await journal.append(
        head,
        (atMs) => {
          plan = planBatch(state, batch, { atMs, findings, rules });
          return plan.drafts;
        },
        { acceptsClock: acceptsClock(batch) },
      );
      if (outcome.kind === "moved") return 0;
      ok(plan?.atMs === outcome.atMs, "a journal appends what was made last");
      return this.#settle(batch, plan, outcome);
    });
  }

  /** Answers in the order of the journal, after everybody who listens was told. */
  #settle(
    batch: readonly Pending[],
    plan: Plan,
    { atMs, entries }: AppendOutcome & { readonly kind: "appended" },
  ): number {
    const { follower, onAppended, onLimited } = this.#so;
    ok(entries.length === plan.drafts.length, "a journal appends all of a batch or nothing");
    this.#timeMs = atMs;
    if (entries.length > 0) {
      follower.adopt(entries, plan.state);
      onAppended(entries);
    }
    let from = plan.tickCount;
    for (const [index, outcome] of plan.outcomes.entries()) {
      const pending = batch[index];
      ok(pending !== undefined, "every outcome is that of a command");
      if (outcome.kind === "answered") {
        if (outcome.limited !== null) onLimited(outcome.limited);
        pending.settle(outcome.answer);
        continue;
      }
      const to = from + outcome.draftCount;
      pending.settle(this.#answer(entries.slice(from, to)));
      from = to;
    }
    return plan.outcomes.length;
  }

  #answer(entries: readonly Entry[]): Answer {
    if (entries.length > 0) return answerFrom(entries);
    return { ok: true, seq: this.#so.follower.place.head.seq, entries };
  }

  /** A random pause that grows, so that processes which collided do not meet again. */
  async #pause(attempt: number): Promise<void> {
    const { random, timers } = this.#so;
    if (attempt <= eagerAttempts) return timers.turn();
    const longestMs = Math.min(pauseMsMax, 2 ** (attempt - eagerAttempts - 1));
    const [byte = 0] = random.bytes(1);
    await timers.wait((longestMs * byte) / 256);
  }

  #busy(): Fault {
    return new Fault(
      "storage_busy",
      `an append must find the journal's head within ${LIMITS.appendAttemptsMax} attempts, ` +
        "others were faster each time",
      { retryable: true },
    );
  }
}

/**
 * Whether a batch is an operator's word about the host's clock. Whoever may not give it is refused
 * by the clock as it is: a refusal must not tie journal time anew.
 */
function acceptsClock([first]: readonly Pending[]): boolean {
  if (first?.command.kind !== "clock.accept") return false;
  return checkAuthority(first.actor, first.command) === null;
}

/** What is not known of an append, and for how long one goes on to find it out. */
class Doubt {
  /** The newest append of which it is not known whether it is durable. */
  fault: Fault | undefined;
  /** Callers do not wait longer than this: a disk that fails may do so for hours. */
  isOver = false;
  readonly #timers: Timers;
  #cancel: () => void = () => undefined;

  constructor(timers: Timers) {
    this.#timers = timers;
  }

  /**
   * Whether to go on after an error because an append may be durable: another answer than
   * `append_unknown` would let callers believe that nothing was written.
   */
  hasRoomFor(error: unknown): boolean {
    if (!(error instanceof Fault)) return false;
    if (error.code !== "append_unknown")
      return (
        this.fault !== undefined && !error.code.startsWith("journal_") && error.code !== "closed"
      );
    if (this.fault === undefined)
      this.#cancel = this.#timers.after(LIMITS.appendUnknownMs, () => (this.isOver = true));
    this.fault = error;
    return true;
  }

  end(): void {
    this.#cancel();
  }
}
