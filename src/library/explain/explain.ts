// Explaining an entry is deciding it again: the state is folded up to the decision that the entry
// belongs to, the recorded command is decided on it at its recorded time (I7), and what comes out
// is told with the facts that it rests on.

import type { Command } from "../../kernel/command.ts";
import { decide } from "../../kernel/decide.ts";
import { RULES, type Entry } from "../../kernel/entry.ts";
import type { EventKind } from "../../kernel/event.ts";
import { evolve } from "../../kernel/evolve.ts";
import type { JsonObject } from "../../kernel/json.ts";
import type { State } from "../../kernel/state.ts";
import { leaseLapses } from "../../kernel/lease/ending.ts";
import { lapsed } from "../../kernel/worker/lapse.ts";
import type { Journal } from "../../ports/journal.ts";
import { canonicalText } from "../../runtime/canonical.ts";
import { submissionOf } from "../../runtime/carry/recorded-command.ts";
import type { Camel } from "../names.ts";
import { askedWords } from "./asked.ts";
import { groundsFor } from "./grounds.ts";
import { happenedWords } from "./happened.ts";
import { decisionAt, parseSeq, type PastDecision } from "./past.ts";
import { remedyFor } from "./remedy.ts";
import { actorWords, instantWords, namesIn } from "./words.ts";

/** Why an entry of the journal is as it is, in wire form; every text is a sentence's part. */
export interface ExplanationDocument {
  readonly seq: number;
  readonly kind: EventKind;
  readonly at_ms: number;
  /** Who asked. */
  readonly by: string;
  /** What was asked, to go on from "… asked". */
  readonly asked: string;
  /** Whether time alone did it: the command only brought it to light. */
  readonly by_time: boolean;
  /** What was decided. */
  readonly decided: string;
  /** The facts that it rests on. */
  readonly because: string;
  /** What would have made it pass; null unless it is a refusal. */
  readonly would_pass: string | null;
  /** The code of a refusal; null for anything else. */
  readonly code: string | null;
  /** The facts of a refusal, for programs; empty for anything else. */
  readonly facts: JsonObject;
  /**
   * Whether these rules, asked again, decide the same bytes; null where other rules decided it, or
   * nothing was asked.
   */
  readonly redecided: "same" | "other" | null;
  /** All of it in one paragraph. */
  readonly text: string;
}

/** Why an entry of the journal is as it is: a deep-frozen copy. */
export type Explanation = Camel<ExplanationDocument>;

/**
 * Explains an entry: who asked what, what was decided, why, and what would have made a refusal
 * pass. Reads and verifies the journal up to the entry and writes nothing.
 *
 * Throws an InputError `entry_unknown` when there is no such entry, and the journal's `Fault`s.
 */
export async function explainEntry(journal: Journal, seq: unknown): Promise<ExplanationDocument> {
  const wanted = parseSeq(seq);
  const past = await decisionAt(journal, wanted);
  const index = past.entries.findIndex((entry) => entry.seq === wanted);
  return explainOne(past, index);
}

function explainOne(past: PastDecision, index: number): ExplanationDocument {
  const [first] = past.entries;
  const entry = past.entries[index] ?? first;
  const state = stateBefore(past, index);
  const named = namesIn(state, past.before, evolve(state, entry));
  const command = commandOf(first);
  const so = { state, command, atMs: entry.at_ms, named };
  const refusal = entry.kind === "command.refused" ? entry.data : null;
  const told = {
    seq: entry.seq,
    kind: entry.kind,
    at_ms: entry.at_ms,
    by: actorWords(entry.actor, named),
    asked: command === null ? "nothing that is on record" : askedWords(command, named),
    by_time: isByTime(past, index),
    decided: happenedWords(entry, named),
    because: groundsFor(entry, so),
    would_pass:
      refusal === null || command === null ? null : remedyFor({ ...so, command, refusal }),
    code: refusal?.code ?? null,
    facts: refusal?.facts ?? {},
    redecided: redecide(past),
  };
  return { ...told, text: tell(told) };
}

/** The state just before one entry of a decision: what the entries before it have made of it. */
function stateBefore({ before, entries }: PastDecision, index: number): State {
  return entries.slice(0, index).reduce<State>((state, entry) => evolve(state, entry), before);
}

function commandOf({ command: recorded }: Entry): Command | null {
  if (recorded === null) return null;
  const { ended: _, ...command } = recorded;
  return command;
}

/** Every decision begins with what has lapsed by then; that nobody asked for. */
function isByTime({ before, entries }: PastDecision, index: number): boolean {
  // But a recovery, which may take up again what has lapsed since.
  if (before.status === "none" || entries[0].command?.kind === "fleet.recover") return false;
  const { at_ms: atMs } = entries[0];
  return index < leaseLapses(before, atMs).length + lapsed(before, atMs).length;
}

function redecide({ before, entries }: PastDecision): ExplanationDocument["redecided"] {
  const [first] = entries;
  if (first.rules !== RULES || first.command === null) return null;
  const { events } = decide(before, submissionOf(first, first.command), first.at_ms);
  const recorded = entries.map(({ kind, data }) => ({ kind, data }));
  return canonicalText(events) === canonicalText(recorded) ? "same" : "other";
}

const AGAIN = {
  same: "Decided again now, on the same state and at the same time, it comes out the same.",
  other: "Decided again now it comes out otherwise: these rules are not those that decided it.",
  unknown: "It was decided by other rules than these, so it is not decided again.",
} as const;

function tell(told: Omit<ExplanationDocument, "text">): string {
  const { seq, at_ms, by, asked, decided, because, would_pass: remedy, redecided } = told;
  const opening = told.by_time
    ? `Entry ${seq}, ${instantWords(at_ms)}: time alone did this; it came to light when ${by} ` +
      `asked ` +
      `${asked}.`
    : `Entry ${seq}, ${instantWords(at_ms)}: ${by} asked ${asked}.`;
  // A refusal's own sentence is what it rests on: it is not said twice.
  const said =
    told.code === null
      ? [sentence(decided), sentence(`That was decided because ${because}`)]
      : [sentence(`It was refused as ${told.code}: ${because}`)];
  const pass = remedy === null ? [] : [sentence(remedy)];
  return [opening, ...said, ...pass, AGAIN[redecided ?? "unknown"]].join(" ");
}

function sentence(words: string): string {
  const closed = /[.!?]$/.test(words) ? words : `${words}.`;
  return closed.charAt(0).toUpperCase() + closed.slice(1);
}
