// What the commands on record would have come to under other rules.

import type { Actor } from "../../kernel/actor.ts";
import { ok } from "../../kernel/assert.ts";
import type { CommandKind } from "../../kernel/command.ts";
import type { Event } from "../../kernel/event.ts";
import type { Refusal, RefusalCode } from "../../kernel/refusal.ts";
import { subjectOf } from "../../kernel/subject.ts";
import type { Journal } from "../../ports/journal.ts";
import { canonicalText } from "../canonical.ts";
import {
  eachDecision,
  refusalIn,
  type DecisionEntries,
  type DecisionsOptions,
} from "./decisions.ts";
import {
  Hypothesis,
  ownOf,
  type Hypothetical,
  type MootReason,
  type OtherRules,
} from "./hypothesis.ts";

/** What a command came to: it was granted, it is waited for in the queue, or it was refused. */
export type WhatIfOutcome = "granted" | "waiting" | "refused";

/** How a decision differs: what it was, and what it would have been. */
export const DIFFERENCE_KINDS = [
  "refused_to_granted",
  "waiting_to_granted",
  "granted_to_refused",
  "granted_to_waiting",
  "refused_to_waiting",
  "waiting_to_refused",
  // Refused in both, by another code.
  "other_code",
  // Granted in both, with other events.
  "other_events",
] as const;

/** How a decision differs. */
export type DifferenceKind = (typeof DIFFERENCE_KINDS)[number];

/** One decision that would have been another, as a document. */
export interface WhatIfDifference {
  /** The last entry of the recorded decision: what `explain` tells of. */
  readonly seq: number;
  readonly at_ms: number;
  readonly kind: DifferenceKind;
  readonly actor: Actor;
  readonly command: CommandKind;
  /** The worker or lease that it is about; null where it is about none. */
  readonly about: string | null;
  /** What it was, and what it would have been: a code where it is a refusal. */
  readonly recorded: RefusalCode | "granted" | "waiting";
  readonly would_be: RefusalCode | "granted" | "waiting";
  /** The sentence of the refusal that is on record, or that there would have been. */
  readonly message: string | null;
}

/** A command that says nothing about the other rules, as a document. */
export interface MootDocument {
  readonly seq: number;
  readonly command: CommandKind | null;
  readonly why: MootReason;
}

/** What other rules would have changed, as a document. */
export interface WhatIfDocument {
  /** The first entry whose command was asked. */
  readonly from_seq: number;
  readonly until_seq: number;
  /** Commands that were looked at: all of what follows add up to it. */
  readonly command_count: number;
  readonly same_count: number;
  readonly different_count: number;
  /** `other_events` is 0 unless events were asked to be compared. */
  readonly different_by: Readonly<Record<DifferenceKind, number>>;
  /** Commands about those who would not have been there, or whose answer cannot be known. */
  readonly moot_count: number;
  readonly moot_by: Readonly<Record<MootReason, number>>;
  /** Recorded enactments in place of which the other rules were in force. */
  readonly left_out_count: number;
  /** The first differences, and the first that are moot: so many as were asked for. */
  readonly differences: readonly WhatIfDifference[];
  readonly moots: readonly MootDocument[];
}

/** How other rules are tried. */
export interface WhatIfOptions extends DecisionsOptions {
  /** They are in force before the decision of this entry; default 2: right after the creation. */
  readonly fromSeq?: number;
  /** How many differences, and how many moot commands, are told; all are counted. */
  readonly shownMax: number;
  /** Whether what is granted in both is compared too; default false. */
  readonly comparesEvents?: boolean;
}

/** What other rules would have changed, or why they could not have been put in force there. */
export type WhatIf =
  | { readonly ok: true; readonly document: WhatIfDocument }
  | { readonly ok: false; readonly refusal: Refusal; readonly seq: number };

/**
 * Decides every command that is on record from an entry on as it would have been decided under
 * other rules, each at its recorded time and on what those before it would have come to. Writes
 * nothing. Throws what reading throws.
 */
export async function tryRules(
  journal: Journal,
  others: OtherRules,
  options: WhatIfOptions,
): Promise<WhatIf> {
  const { fromSeq = FIRST, shownMax, comparesEvents = false, ...reading } = options;
  const hypothesis = new Hypothesis(others);
  const tally = new Tally({ shownMax, comparesEvents });
  let failed: { readonly refusal: Refusal; readonly seq: number } | undefined;
  let isBegun = false;
  const begin = (): void => {
    isBegun = true;
    const { seq } = hypothesis.state;
    const refusal = hypothesis.enact();
    if (refusal !== null) failed = { refusal, seq };
  };
  await eachDecision(journal, reading, (entries) => {
    if (failed !== undefined) return;
    if ((entries.at(-1) ?? entries[0]).seq < fromSeq) return hypothesis.follow(entries);
    if (!isBegun) begin();
    if (failed === undefined) tally.count(entries, hypothesis.ask(entries));
  });
  // There was no command to ask: that the rules could be in force is still to be seen.
  if (!isBegun) begin();
  if (failed !== undefined) return { ok: false, ...failed };
  return { ok: true, document: tally.documentFor(fromSeq, hypothesis.state.seq) };
}

/** The first entry after the one that creates a fleet. */
const FIRST = 2;

class Tally {
  readonly #so: Required<Pick<WhatIfOptions, "shownMax" | "comparesEvents">>;
  readonly #mootBy = {
    never_was: 0,
    has_ended: 0,
    has_it: 0,
    verdict_unknown: 0,
    not_recorded: 0,
  } satisfies Record<MootReason, number>;
  // Every kind is a key of it.
  readonly #differentBy = Object.fromEntries(DIFFERENCE_KINDS.map((kind) => [kind, 0])) as Record<
    DifferenceKind,
    number
  >;
  #sameCount = 0;
  #leftOutCount = 0;
  readonly #differences: WhatIfDifference[] = [];
  readonly #moots: MootDocument[] = [];

  constructor(so: Required<Pick<WhatIfOptions, "shownMax" | "comparesEvents">>) {
    this.#so = so;
  }

  count(entries: DecisionEntries, hypothetical: Hypothetical): void {
    if (hypothetical.kind === "left_out") {
      this.#leftOutCount += 1;
      return;
    }
    if (hypothetical.kind === "moot") return this.#countMoot(entries, hypothetical.why);
    const kind = this.#kindOf(entries, hypothetical);
    if (kind === undefined) {
      this.#sameCount += 1;
      return;
    }
    this.#differentBy[kind] += 1;
    if (this.#differences.length < this.#so.shownMax)
      this.#differences.push(differenceOf(kind, entries, hypothetical));
  }

  documentFor(from_seq: number, until_seq: number): WhatIfDocument {
    const moot_count = sumOf(this.#mootBy);
    const different_count = sumOf(this.#differentBy);
    return {
      from_seq,
      until_seq,
      command_count: this.#sameCount + different_count + moot_count + this.#leftOutCount,
      same_count: this.#sameCount,
      different_count,
      different_by: { ...this.#differentBy },
      moot_count,
      moot_by: { ...this.#mootBy },
      left_out_count: this.#leftOutCount,
      differences: this.#differences,
      moots: this.#moots,
    };
  }

  #countMoot(entries: DecisionEntries, why: MootReason): void {
    this.#mootBy[why] += 1;
    if (this.#moots.length >= this.#so.shownMax) return;
    const [{ seq, command }] = entries;
    this.#moots.push({ seq, command: command?.kind ?? null, why });
  }

  #kindOf(entries: DecisionEntries, wouldBe: Decided): DifferenceKind | undefined {
    const [was, is] = [outcomeOf(entries), outcomeOf(wouldBe.events)];
    if (was !== is) return DIFFERENCE_KINDS.find((kind) => kind === `${was}_to_${is}`);
    const code = refusalIn(entries)?.data.code;
    if (code !== wouldBe.refusal?.code) return "other_code";
    if (!this.#so.comparesEvents) return undefined;
    return textOf(ownOf(entries)) === textOf(wouldBe.events) ? undefined : "other_events";
  }
}

type Decided = Extract<Hypothetical, { readonly kind: "decided" }>;

function outcomeOf(events: readonly Event[]): WhatIfOutcome {
  const last = events.at(-1)?.kind;
  if (last === "command.refused") return "refused";
  return last === "place.queued" || last === "place.kept" ? "waiting" : "granted";
}

function sumOf(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}

function textOf(events: readonly Event[]): string {
  return canonicalText(events.map(({ kind, data }) => ({ kind, data })));
}

function differenceOf(
  kind: DifferenceKind,
  entries: DecisionEntries,
  wouldBe: Decided,
): WhatIfDifference {
  const [first] = entries;
  const last = entries.at(-1) ?? first;
  const recorded = refusalIn(entries)?.data;
  const { command } = first;
  return {
    seq: last.seq,
    at_ms: first.at_ms,
    kind,
    actor: first.actor,
    // Without a command nothing is decided, and nothing differs.
    command: command?.kind ?? "clock.tick",
    about: subjectOf({ ...last, command }),
    recorded: nameOf(outcomeOf(entries), recorded?.code),
    would_be: nameOf(outcomeOf(wouldBe.events), wouldBe.refusal?.code),
    message: wouldBe.refusal?.message ?? recorded?.message ?? null,
  };
}

function nameOf(
  outcome: WhatIfOutcome,
  code: RefusalCode | undefined,
): WhatIfDifference["recorded"] {
  if (outcome !== "refused") return outcome;
  ok(code !== undefined, "a refusal has a code");
  return code;
}
