import { decide } from "../../kernel/decide.ts";
import { RULES, type Entry } from "../../kernel/entry.ts";
import { evolve } from "../../kernel/evolve.ts";
import type { State } from "../../kernel/state.ts";
import type { Head, StoredEntry } from "../../ports/journal.ts";
import { canonicalText } from "../../runtime/canonical.ts";
import { submissionOf } from "../../runtime/carry/recorded-command.ts";

/** An entry that stands in a segment, verified. */
export interface ArchivedEntry {
  readonly stored: StoredEntry;
  readonly entry: Entry;
}

/**
 * Of entries that continue a state those of whole decisions. Whether the last decision is whole is
 * known where it ends at what is remembered; else it is decided again, and must come out so.
 */
export function* wholeDecisions(
  found: Iterable<ArchivedEntry>,
  { state: before, remembered }: { readonly state: State; readonly remembered: Head },
): Generator<ArchivedEntry, void, undefined> {
  let state = before;
  let decision: ArchivedEntry[] = [];
  for (const one of found) {
    if (decision.length > 0 && decision[0]?.entry.id !== one.entry.id) {
      yield* decision;
      for (const { entry } of decision) state = evolve(state, entry);
      decision = [];
    }
    decision.push(one);
  }
  if (decision.at(-1)?.entry.hash === remembered.hash || isWhole(state, decision)) yield* decision;
}

function isWhole(before: State, decision: readonly ArchivedEntry[]): boolean {
  const first = decision[0]?.entry;
  if (first === undefined || first.rules !== RULES || first.command === null) return false;
  const { events } = decide(before, submissionOf(first, first.command), first.at_ms);
  const recorded = decision.map(({ entry: { kind, data } }) => ({ kind, data }));
  return canonicalText(events) === canonicalText(recorded);
}
