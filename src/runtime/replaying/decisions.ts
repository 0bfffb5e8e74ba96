import type { Entry } from "../../kernel/entry.ts";
import { LIMITS } from "../../kernel/limits.ts";
import { GENESIS, type Head, type Journal } from "../../ports/journal.ts";

/** The entries of one decision: they share a command id, and the first has the command. */
export type DecisionEntries = readonly [Entry, ...Entry[]];

/** How the decisions of a journal are gone through. */
export interface DecisionsOptions {
  /** The last entry; a decision that has begun by then is whole. Default: the journal's end. */
  readonly untilSeq?: number;
  /** Told after each slice how far it got. Whoever throws here ends it. */
  readonly onProgress?: ((seq: number) => void) | undefined;
  /** Awaited after each slice, so that the event loop has its turn. */
  readonly turn?: (() => Promise<void>) | undefined;
}

/**
 * Goes through the decisions of a journal from its first entry on, in order, each whole and
 * verified. It holds one slice of entries at a time. Throws what reading throws.
 */
export async function eachDecision(
  journal: Journal,
  { untilSeq = Number.MAX_SAFE_INTEGER, onProgress, turn }: DecisionsOptions,
  use: (entries: DecisionEntries) => void,
): Promise<void> {
  let after: Head = GENESIS;
  let begun: [Entry, ...Entry[]] | undefined;
  for (;;) {
    const page = await journal.read(after, LIMITS.readEntriesMax);
    const last = page.at(-1);
    if (last === undefined) break;
    for (const entry of page) {
      if (begun?.[0].id === entry.id) {
        begun.push(entry);
        continue;
      }
      if (begun !== undefined) use(begun);
      begun = undefined;
      if (entry.seq > untilSeq) return;
      begun = [entry];
    }
    after = { seq: last.seq, hash: last.hash };
    onProgress?.(last.seq);
    await turn?.();
  }
  if (begun !== undefined) use(begun);
}

/** Whether a decision says no: a refusal is its last entry. */
export function refusalIn(entries: DecisionEntries): Entry<"command.refused"> | undefined {
  const last = entries.at(-1);
  return last?.kind === "command.refused" ? last : undefined;
}
