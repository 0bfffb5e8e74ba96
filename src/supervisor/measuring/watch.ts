// Kill conditions, asked once a second about what was measured just then:
//
//     sample ──▶ measures ──▶ each condition, about the fleet or each worker
//                               │ holds: since when?          │ cannot be decided
//                               ▼ for its time                ▼ for 5 s
//                         condition.trip, once          condition.fail, once
//
// The rules decide whether it trips, and what follows is in the same piece. From there on everybody
// acts as on an operator's order: freezers on quarantines, stewards on stops. A kill also takes the
// permit away and leaves a receipt.

import type { Measures } from "../../kernel/condition/context/measure.ts";
import type { Entry } from "../../kernel/entry.ts";
import type { KillCondition } from "../../kernel/fleet/contract.ts";
import { theJudge } from "../../kernel/rules/judge.ts";
import type { State, Worker } from "../../kernel/state.ts";
import { errorText } from "../../library/error-text.ts";
import { kill } from "../../library/kill/kill.ts";
import type { Member } from "../../library/member.ts";
import type { Sandboxes } from "../../library/process/sandboxes.ts";
import { supervisorOf, type Seat } from "../../library/seat.ts";
import { Gauges } from "./gauges.ts";
import { Holdings } from "./holdings.ts";
import { measureFleet, measureWorker } from "./measures.ts";
import { Rates } from "./rates.ts";
import { Silences } from "./silences.ts";

/** The pause between two samples, ms. */
const EVERY_MS = 1_000;

/** How late a sample may be before the time it is late counts for nothing, ms. */
const LATE_MS = 1_000;

/** How long a condition must be beyond deciding before that is journaled, ms. */
const FAILED_FOR_MS = 5_000;

/** One condition, and what it is asked about. */
interface Question {
  readonly condition: KillCondition;
  /** The worker's id; absent where it is about the fleet. */
  readonly worker?: string;
  readonly measures: Measures;
  /** The same as long as condition and subject are, whatever else a contract changes. */
  readonly key: string;
}

/** Asks the kill conditions of the contract in force, as long as there are any. */
export class KillWatch {
  readonly #member: Member & { readonly sandboxes: Sandboxes };
  readonly #seat: Seat;
  readonly #rates = new Rates();
  readonly #gauges: Gauges;
  readonly #silences: Silences;
  readonly #held = new Holdings();
  readonly #failing = new Holdings();
  /** Workers whose quarantine was lifted, by the entry: a short one falls between two samples. */
  readonly #lifted = new Map<string, number>();
  /** Conditions of which it is on record that they cannot be decided. */
  readonly #told = new Set<string>();
  readonly #unsubscribe: () => void;
  #cancel: (() => void) | undefined;
  #round: Promise<void> | undefined;
  #isClosed = false;

  constructor(member: Member & { readonly sandboxes: Sandboxes }) {
    this.#member = member;
    this.#seat = member.seat;
    this.#gauges = new Gauges(member.seat, member.sandboxes);
    this.#silences = new Silences(member.seat);
    this.#unsubscribe = member.seat.loop.onEntry((entry) => this.#hear(entry));
    this.#later();
  }

  /** Stops asking; waits for what is under way, a kill included. Safe to call twice. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#unsubscribe();
    this.#cancel?.();
    await this.#round;
  }

  #hear(entry: Entry): void {
    this.#rates.hear(entry, this.#seat.clock.monotonicMs());
    if (entry.kind === "worker.unquarantined") this.#lifted.set(entry.data.worker, entry.seq);
    if (entry.kind === "worker.stopped") this.#lifted.delete(entry.data.worker);
    if (entry.kind === "contract.enacted") this.#later();
  }

  /** Nothing is measured, and no timer runs, where there is nothing to ask. */
  #later(): void {
    const { kill_when } = this.#seat.loop.state().contract;
    const isInHand = this.#cancel !== undefined || this.#round !== undefined;
    if (this.#isClosed || isInHand || kill_when.length === 0) return;
    const { timers, clock } = this.#seat;
    const dueMs = clock.monotonicMs() + EVERY_MS;
    this.#cancel = timers.after(EVERY_MS, () => {
      this.#cancel = undefined;
      const lateMs = clock.monotonicMs() - dueMs;
      // While this process did not run, nobody saw a condition hold.
      if (lateMs > LATE_MS) for (const one of this.#windows) one.pass(lateMs);
      this.#round = this.#ask().finally(() => {
        this.#round = undefined;
        this.#later();
      });
    });
  }

  get #windows(): readonly { pass(ms: number): void }[] {
    return [this.#held, this.#failing, this.#silences];
  }

  /** Never throws: what fails is told to the operator, and tried again in a second. */
  async #ask(): Promise<void> {
    try {
      const questions = await this.#questions();
      const keys = new Set(questions.map(({ key }) => key));
      for (const one of [this.#held, this.#failing]) one.keepOnly(keys);
      for (const question of questions) await this.#askOne(question);
    } catch (error) {
      if (this.#isClosed) return;
      this.#seat.log.warn("kill conditions could not be asked", { error: errorText(error) });
    }
  }

  async #questions(): Promise<readonly Question[]> {
    const { loop } = this.#seat;
    const { kill_when: conditions } = loop.state().contract;
    const workers = this.#workers(loop.state());
    const gauges = isNamed(conditions, USE) ? await this.#gauges.sample(workers) : undefined;
    const silences = isNamed(conditions, SILENCE) ? await this.#silences.of(workers) : undefined;
    const state = loop.state();
    if (state.status === "killed") return [];
    const nowMs = this.#seat.clock.monotonicMs();
    const { wallMs } = this.#seat.clock.read();
    const rates = this.#rates.at(nowMs);
    const fleet = measureFleet(state, { rates, use: gauges && this.#gauges.total() });
    const measured = workers.flatMap((id): readonly Measures[] => {
      const worker = state.workers.get(id);
      const gauge = gauges === undefined ? {} : gauges.get(id);
      if (worker === undefined || !isAsked(worker) || gauge === undefined) return [];
      const so = { rates, gauge, silentMs: silences?.get(id), wallMs };
      return [{ fleet, worker: measureWorker(worker, so) }];
    });
    return state.contract.kill_when.flatMap((condition) => {
      const about = theJudge().isAboutWorkers(condition.when) ? measured : [{ fleet }];
      return about.map((measures) => this.#questionOf(condition, measures));
    });
  }

  #questionOf(condition: KillCondition, measures: Measures): Question {
    const worker = measures.worker?.id;
    if (worker === undefined) return { condition, measures, key: textOf(condition) };
    const key = `${textOf(condition)} ${worker} ${this.#lifted.get(worker) ?? 0}`;
    return { condition, measures, key, worker };
  }

  #workers(state: State): readonly string[] {
    const { sandboxes } = this.#member;
    return [...sandboxes.own].filter((id) => {
      const worker = state.workers.get(id);
      return worker !== undefined && isAsked(worker) && sandboxes.isRunning(id);
    });
  }

  async #askOne(question: Question): Promise<void> {
    const { condition, measures, key } = question;
    const verdict = theJudge().evaluateKillCondition(condition.when, measures);
    const nowMs = this.#seat.clock.monotonicMs();
    const problem = "error" in verdict ? verdict.error : null;
    const failing = this.#failing.see(key, problem !== null, nowMs);
    if (problem !== null && failing !== undefined)
      await this.#fail(question, { problem, ...failing });
    const held = this.#held.see(key, "triggered" in verdict && verdict.triggered, nowMs);
    if (held === undefined || held.isSpent || held.heldMs < condition.for_ms) return;
    if (!this.#isMoot(condition)) await this.#trip(question, held.heldMs);
  }

  /** What is so already is not done again; once it is no more, the condition has its effect. */
  #isMoot({ action }: KillCondition): boolean {
    const { status } = this.#seat.loop.state();
    return status === "killed" || (action === "pause" && status === "paused");
  }

  async #trip(question: Question, heldMs: number): Promise<void> {
    const { condition, worker, measures, key } = question;
    const { name, action } = condition;
    const about = worker === undefined ? {} : { worker };
    const data = { condition: name, ...about, measures, held_ms: heldMs };
    const by = supervisorOf(this.#seat);
    const answer = await this.#seat.loop.submit({ kind: "condition.trip", data }, by);
    this.#held.spend(key);
    const told = answer.ok ? "a kill condition tripped" : "a kill condition was overtaken";
    this.#seat.log.warn(told, { condition: name, action, ...about, held_ms: heldMs });
    const killed = answer.ok && answer.entries.find(({ kind }) => kind === "fleet.killed");
    if (killed) await this.#carryOut(killed);
  }

  /** The kill is on record: what an operator's does besides is done as well. */
  async #carryOut({ seq, data }: Entry): Promise<void> {
    const reason = "reason" in data ? data.reason : "";
    const order = { reason, settleMs: 0, seq };
    const { survivorCount, proven } = await kill(this.#member, order, this.#seat.owner);
    this.#seat.log.warn("the fleet was killed", { reason, survivorCount, proven });
  }

  /** Told once for each condition: that its gauge is broken is news, that it still is none. */
  async #fail(
    { condition, worker, key }: Question,
    so: { readonly problem: string; readonly heldMs: number; readonly isSpent: boolean },
  ): Promise<void> {
    const { name } = condition;
    const isTold = so.isSpent || this.#told.has(textOf(condition));
    if (isTold || so.heldMs < FAILED_FOR_MS) return;
    const about = worker === undefined ? {} : { worker };
    const data = { condition: name, ...about, problem: so.problem };
    await this.#seat.loop.submit({ kind: "condition.fail", data }, supervisorOf(this.#seat));
    this.#failing.spend(key);
    this.#told.add(textOf(condition));
    this.#seat.log.warn("a kill condition cannot be decided", data);
  }
}

const USE = /\b(?:cpu_milli|cpu_ms|memory_bytes|processes)\b/;
const SILENCE = /\bsilent_ms\b/;

/** What no condition names is not measured; one that names it in a text alone costs a sample. */
function isNamed(conditions: readonly KillCondition[], name: RegExp): boolean {
  return conditions.some(({ when }) => name.test(when));
}

/** Whether a worker is asked about: who is frozen, or told to stop, is in somebody's hands. */
function isAsked({ status, quarantine }: Worker): boolean {
  return status === "running" && quarantine === null;
}

function textOf({ name, when, for_ms, action }: KillCondition): string {
  return JSON.stringify([name, when, for_ms, action]);
}
