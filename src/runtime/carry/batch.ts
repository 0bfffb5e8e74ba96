/*
 * What one append decides: commands that came in the same turn, one after another, each on the
 * state that the one before it left. Everything here is pure, because a journal may call it twice.
 */

import type { Submission, Verdicts } from "../../kernel/command.ts";
import type { decide } from "../../kernel/decide.ts";
import { RULES, seqAfter } from "../../kernel/entry.ts";
import type { Event } from "../../kernel/event.ts";
import { evolve } from "../../kernel/evolve.ts";
import { leaseIdAt } from "../../kernel/lease/lease.ts";
import { refuse, type Refusal } from "../../kernel/refusal.ts";
import { nextDeadlineAtMs, type State } from "../../kernel/state.ts";
import { isKnown } from "../../kernel/subject.ts";
import { askingContext } from "../../kernel/worker/asking.ts";
import type { Draft, Recollection } from "../../ports/journal.ts";
import { canonicalCopy } from "../canonical.ts";
import type { Answer } from "../loop.ts";
import { endableTargets } from "./ended.ts";
import type { Pending } from "./pending.ts";
import { isAlwaysDecided, limitedBy, refuseLimited, type Limited } from "./rate-limit.ts";
import { answerAgain } from "./recollection.ts";
import { recordOf, withVerdicts } from "./recorded-command.ts";

/** What was found out before the append, for the commands of a batch. */
export interface Findings {
  /** Decisions that ids of the batch were used for before. */
  readonly recollections: ReadonlyMap<string, Recollection>;
  /** Workers and leases of which the journal has entries though the state has dropped them. */
  readonly ended: ReadonlySet<string>;
  /** Null when the first command needs no verdicts. */
  readonly asked: Asked | null;
}

/** What function conditions say of the first command, on the state that a batch begins at. */
export interface Asked {
  readonly verdicts: Verdicts;
  /** A fresh id for what time alone does, should that have to be journaled first. */
  readonly tickId: string;
}

/** What became of one command of a batch; `limited` when its refusal was not journaled. */
export type Outcome =
  | { readonly kind: "decided"; readonly draftCount: number }
  | { readonly kind: "answered"; readonly answer: Answer; readonly limited: Limited | null };

/** What a batch decides at one instant. */
export interface Plan {
  readonly atMs: number;
  readonly state: State;
  readonly drafts: readonly Draft[];
  /** How many of the drafts come before those of the first command. */
  readonly tickCount: number;
  /** Of the commands that were carried, in order; the others have to be looked at again. */
  readonly outcomes: readonly Outcome[];
}

/** The rules as a function: `decide` of the kernel, unless a simulator breaks them on purpose. */
export type Rules = typeof decide;

/** Decides a batch at a journal time. */
export function planBatch(
  base: State,
  batch: readonly Pending[],
  so: { readonly atMs: number; readonly findings: Findings; readonly rules: Rules },
): Plan {
  const planning = new Planning(base, so);
  for (const pending of batch) {
    if (!planning.carry(pending)) break;
  }
  return planning.plan();
}

class Planning {
  readonly #base: State;
  readonly #atMs: number;
  readonly #findings: Findings;
  readonly #rules: Rules;
  readonly #drafts: Draft[] = [];
  readonly #outcomes: Outcome[] = [];
  /** Workers and leases that begin in this batch: they may end in it as well. */
  readonly #begun = new Set<string>();
  #state: State;
  #tickCount = 0;

  constructor(base: State, so: Parameters<typeof planBatch>[2]) {
    this.#base = base;
    this.#atMs = so.atMs;
    this.#findings = so.findings;
    this.#rules = so.rules;
    this.#state = base;
  }

  plan(): Plan {
    return {
      atMs: this.#atMs,
      state: this.#state,
      drafts: this.#drafts,
      tickCount: this.#tickCount,
      outcomes: this.#outcomes,
    };
  }

  /** Decides one more command; false when it has to wait for the next look. */
  carry(pending: Pending): boolean {
    const past = this.#findings.recollections.get(pending.id);
    if (past !== undefined) {
      const now = { atMs: this.#atMs, headSeq: this.#state.seq };
      this.#answer(answerAgain(pending, past, now), null);
      return true;
    }
    const isAsking = askingContext(this.#state, pending.command) !== null;
    const verdicts = isAsking ? this.#verdicts() : null;
    if (isAsking && verdicts === null) return false;
    this.#decide(this.#submissionFor(pending, verdicts));
    return true;
  }

  /** Verdicts hold for the state they were taken on, so nothing may have happened since. */
  #verdicts(): Verdicts | null {
    const { asked } = this.#findings;
    if (this.#outcomes.length > 0 || asked === null) return null;
    const dueAtMs = nextDeadlineAtMs(this.#state);
    if (dueAtMs === null || dueAtMs > this.#atMs) return asked.verdicts;
    const actor = { kind: "system", via: "runtime" } as const;
    const command = { kind: "clock.tick", data: {} } as const;
    const submission = { id: asked.tickId, actor, command };
    this.#write(submission, this.#rules(this.#state, submission, this.#atMs).events);
    this.#tickCount = this.#drafts.length;
    return null;
  }

  #submissionFor({ id, actor, command: asked }: Pending, verdicts: Verdicts | null): Submission {
    const command = verdicts === null ? asked : withVerdicts(asked, verdicts);
    const ended = endableTargets(asked).find((target) => this.#hasEnded(target));
    return ended === undefined ? { id, actor, command } : { id, actor, command, ended };
  }

  #hasEnded(id: string): boolean {
    if (isKnown(this.#state, id)) return false;
    return this.#findings.ended.has(id) || isKnown(this.#base, id) || this.#begun.has(id);
  }

  #decide(submission: Submission): void {
    const limited = limitedBy(this.#state, submission, this.#atMs);
    if (limited !== null && !isAlwaysDecided(submission)) {
      this.#refuse(refuseLimited(this.#state, limited), limited);
      return;
    }
    const { refusal, events } = this.#rules(this.#state, submission, this.#atMs);
    if (refusal !== null && (limited !== null || events.length === 0)) {
      this.#refuse(refusal, limited);
      return;
    }
    const before = this.#drafts.length;
    this.#write(submission, events);
    this.#outcomes.push({ kind: "decided", draftCount: this.#drafts.length - before });
  }

  #refuse({ code, message, facts }: Refusal, limited: Limited | null): void {
    const refusal = refuse(code, message, facts);
    this.#answer({ ok: false, seq: this.#state.seq, refusal }, limited);
  }

  #answer(answer: Answer, limited: Limited | null): void {
    this.#outcomes.push({ kind: "answered", answer, limited });
  }

  #write(submission: Submission, events: readonly Event[]): void {
    const { id, actor } = submission;
    for (const [index, event] of canonicalCopy(events).entries()) {
      const command = index === 0 ? recordOf(submission) : null;
      const place = { seq: seqAfter(this.#state.seq, event), at_ms: this.#atMs, actor };
      this.#state = evolve(this.#state, { ...event, ...place });
      const fleet = this.#state.fleet ?? "";
      this.#drafts.push({ fleet, rules: RULES, id, actor, command, event });
      if (event.kind === "worker.admitted") this.#begun.add(event.data.manifest.instance);
      if (event.kind === "token.issued") this.#begun.add(event.data.token);
      if (event.kind === "token.exchanged") this.#begun.add(event.data.into.token);
      if (event.kind === "lease.granted") this.#begun.add(leaseIdAt(place.seq));
    }
  }
}
