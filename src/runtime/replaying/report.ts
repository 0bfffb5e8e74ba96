// `journal replay`: all decisions again, counted by the version of the rules that took them.

import { RULES } from "../../kernel/entry.ts";
import type { CommandKind } from "../../kernel/command.ts";
import type { Journal } from "../../ports/journal.ts";
import { hashState } from "../replay.ts";
import { eachRedecision, type RedecidingOptions } from "./redeciding.ts";

/** The decisions of one version of the rules, as a document. */
export interface RulesDocument {
  readonly rules: number;
  /** Whether these are the rules of this build: then a difference is a fault of the record. */
  readonly is_current: boolean;
  readonly decision_count: number;
  readonly same_count: number;
  readonly different_count: number;
}

/** A decision that comes out otherwise, as a document. */
export interface RedecidedDocument {
  /** The first entry of the decision. */
  readonly seq: number;
  readonly at_ms: number;
  readonly rules: number;
  /** What was asked; null where the entry does not say. */
  readonly command: CommandKind | null;
  /** The kinds of events that are on record, in their order. */
  readonly recorded: readonly string[];
  /** Those that the rules of this build give; the same where only what they say differs. */
  readonly decided: readonly string[];
}

/** What replaying a journal has shown, as a document. */
export interface ReplayDocument {
  readonly from_seq: number;
  /** The last entry that was folded. */
  readonly until_seq: number;
  /** SHA-256 over the canonical bytes of the state there, lowercase hex. */
  readonly state_hash: string;
  /** By version of the rules, the lowest first. */
  readonly rules: readonly RulesDocument[];
  /** Decisions of this build's own rules that come out otherwise; 0 in a record that is sound. */
  readonly different_count: number;
  /** Decisions of other rules that this build would take otherwise today: no fault of theirs. */
  readonly otherwise_count: number;
  /** The first of both, so many as were asked for. */
  readonly differences: readonly RedecidedDocument[];
}

/** How a journal is replayed. */
export interface ReportOptions extends Omit<RedecidingOptions, "isMeant"> {
  /** How many differences are told; all are counted. */
  readonly differencesMax: number;
}

/**
 * Folds a journal and decides every command of it again by the rules of this build, also those
 * that other rules decided. Writes nothing. Throws what reading throws.
 */
export async function reportReplay(
  journal: Journal,
  { differencesMax, ...options }: ReportOptions,
): Promise<ReplayDocument> {
  const tallies = new Map<number, { decision_count: number; different_count: number }>();
  const differences: RedecidedDocument[] = [];
  const state = await eachRedecision(journal, options, ({ entries, difference }) => {
    const { seq, at_ms, rules, command } = entries[0];
    const tally = tallies.get(rules) ?? { decision_count: 0, different_count: 0 };
    tallies.set(rules, tally);
    tally.decision_count += 1;
    if (difference === undefined) return;
    tally.different_count += 1;
    if (differences.length >= differencesMax) return;
    const recorded = entries.map(({ kind }) => kind);
    const decided = kindsIn(difference.decided);
    differences.push({ seq, at_ms, rules, command: command?.kind ?? null, recorded, decided });
  });
  const rules = [...tallies].toSorted(([one], [other]) => one - other).map(documentOf);
  const countOf = (isCurrent: boolean): number =>
    rules
      .filter(({ is_current }) => is_current === isCurrent)
      .reduce((sum, { different_count }) => sum + different_count, 0);
  return {
    from_seq: options.fromSeq ?? 1,
    until_seq: state.seq,
    state_hash: hashState(state),
    rules,
    different_count: countOf(true),
    otherwise_count: countOf(false),
    differences,
  };
}

function documentOf([rules, tally]: readonly [
  number,
  { readonly decision_count: number; readonly different_count: number },
]): RulesDocument {
  const { decision_count, different_count } = tally;
  const same_count = decision_count - different_count;
  return { rules, is_current: rules === RULES, decision_count, same_count, different_count };
}

function kindsIn(decided: string): readonly string[] {
  // Events in canonical form, as this very module's neighbour wrote them.
  return (JSON.parse(decided) as readonly { readonly kind: string }[]).map(({ kind }) => kind);
}
