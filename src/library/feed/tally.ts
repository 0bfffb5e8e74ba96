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
export function tallyJournal(journal: Journal): Promise<Tally> {
  return new JournalTally(journal).catchUp();
}

/** Counts a journal as it grows: each entry is read once. */
export class JournalTally {
  readonly #journal: Pick<Journal, "readStored">;
  readonly #entries = new Map<string, number>();
  readonly #refusals = new Map<string, number>();
  #suppressedCount = 0;
  #afterSeq = 0;
  #turn: Promise<void> = Promise.resolve();

  constructor(journal: Pick<Journal, "readStored">) {
    this.#journal = journal;
  }

  /** Counts on to the journal's end; of several calls at once one after the other does. */
  async catchUp(): Promise<Tally> {
    const turn = this.#turn.then(() => this.#readOn());
    // The next one begins where this one got to, also when it failed.
    this.#turn = turn.catch(() => undefined);
    await turn;
    return {
      entries: inOrder(this.#entries),
      refusals: inOrder(this.#refusals),
      suppressed_count: this.#suppressedCount,
    };
  }

  async #readOn(): Promise<void> {
    for (;;) {
      const page = await this.#journal.readStored(this.#afterSeq, LIMITS.readEntriesMax);
      const last = page.at(-1);
      if (last === undefined) return;
      for (const { text } of page) {
        const { kind, data } = JSON.parse(text) as Counted;
        addOne(this.#entries, kind);
        if (kind === "command.refused") addOne(this.#refusals, data.code ?? "none");
        if (kind === "refusals.suppressed") this.#suppressedCount += data.count ?? 0;
      }
      this.#afterSeq = last.seq;
    }
  }
}

function addOne(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

function inOrder(counts: ReadonlyMap<string, number>): Readonly<Record<string, number>> {
  return Object.fromEntries([...counts].toSorted(([one], [other]) => (one < other ? -1 : 1)));
}
