import { decide } from "../../kernel/decide.ts";
import { RULES, type Entry } from "../../kernel/entry.ts";
import { evolve } from "../../kernel/evolve.ts";
import { INITIAL_STATE, type State } from "../../kernel/state.ts";
import type { Journal } from "../../ports/journal.ts";
import { canonicalText } from "../canonical.ts";
import { submissionOf } from "../carry/recorded-command.ts";
import { eachDecision, type DecisionEntries, type DecisionsOptions } from "./decisions.ts";

/** A decision that comes out otherwise now than it was recorded; texts are canonical JSON. */
export interface Difference {
  /** The first entry of the decision. */
  readonly seq: number;
  readonly id: string;
  readonly recorded: string;
  readonly decided: string;
}

/** What became of one decision that was taken again. */
export interface Redecision {
  readonly entries: DecisionEntries;
  /** Undefined where it comes out the same. */
  readonly difference: Difference | undefined;
}

/** Which decisions are taken again. */
export interface RedecidingOptions extends DecisionsOptions {
  /** The first entry: what is decided before it is folded and not decided again. Default 1. */
  readonly fromSeq?: number;
  /** Which decisions, by their first entry; default: all. */
  readonly isMeant?: (first: Entry) => boolean;
}

/**
 * Decides every recorded command again, on the fold of the entries before it and at its recorded
 * time, and compares the events byte for byte (I7). Answers the state at the end. Throws what
 * reading throws.
 */
export async function eachRedecision(
  journal: Journal,
  { fromSeq = 1, isMeant = () => true, ...options }: RedecidingOptions,
  use: (redecision: Redecision) => void,
): Promise<State> {
  let state = INITIAL_STATE;
  await eachDecision(journal, options, (entries) => {
    const [first] = entries;
    const isWithin = (entries.at(-1) ?? first).seq >= fromSeq;
    if (isWithin && isMeant(first)) use({ entries, difference: compare(state, entries) });
    state = entries.reduce<State>(evolve, state);
  });
  return state;
}

/** Decisions of these very rules that come out otherwise; those of other rules are passed over. */
export async function redecide(
  journal: Journal,
  options: DecisionsOptions = {},
): Promise<readonly Difference[]> {
  const differences: Difference[] = [];
  const isMeant = ({ rules }: Entry): boolean => rules === RULES;
  await eachRedecision(journal, { ...options, isMeant }, ({ difference }) => {
    if (difference !== undefined) differences.push(difference);
  });
  return differences;
}

function compare(before: State, entries: DecisionEntries): Difference | undefined {
  const { seq, id, at_ms: atMs, command } = entries[0];
  const recorded = canonicalText(entries.map(({ kind, data }) => ({ kind, data })));
  const asked = command === null ? undefined : submissionOf(entries[0], command);
  const decided = canonicalText(asked === undefined ? [] : decide(before, asked, atMs).events);
  return decided === recorded ? undefined : { seq, id, recorded, decided };
}
