import { LIMITS } from "../../kernel/limits.ts";
import type { Journal } from "../../ports/journal.ts";

/** What a journal holds, counted over its whole life: counts that only ever grow. */
export interface Tally {
  /** Entries by kind. */
  readonly entries: Readonly<Record<string, number>>;
  /** Journaled refusals by code. */
  readonly refusals: Readonly<Record<string, number>>;
  /** Refusals that were only counted, because their actors had too many. */
  readonly suppressed_count: number;
}

/** An entry as far as it is counted; stored texts were written by this program. */
interface Counted {
  readonly kind: string;
  readonly data: { readonly code?: string; readonly count?: number };
}

/**
 * Counts what a journal holds. Its entries are taken as they are stored, not verified; its cost
 * grows with the journal.
 */
export async function tallyJournal(journal: Journal): Promise<Tally> {
  const [entries, refusals] = [new Map<string, number>(), new Map<string, number>()];
  let suppressedCount = 0;
  let afterSeq = 0;
  for (;;) {
    const page = await journal.readStored(afterSeq, LIMITS.readEntriesMax);
    const last = page.at(-1);
    if (last === undefined) break;
    for (const { text } of page) {
      const { kind, data } = JSON.parse(text) as Counted;
      addOne(entries, kind);
      if (kind === "command.refused") addOne(refusals, data.code ?? "none");
      if (kind === "refusals.suppressed") suppressedCount += data.count ?? 0;
    }
    afterSeq = last.seq;
  }
  return {
    entries: inOrder(entries),
    refusals: inOrder(refusals),
    suppressed_count: suppressedCount,
  };
}

function addOne(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

function inOrder(counts: ReadonlyMap<string, number>): Readonly<Record<string, number>> {
  return Object.fromEntries([...counts].toSorted(([one], [other]) => (one < other ? -1 : 1)));
}
