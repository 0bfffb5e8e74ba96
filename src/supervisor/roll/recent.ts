import type { Entry } from "../../kernel/entry.ts";
import { HISTORY_MS } from "../../library/roll/history.ts";
import type { Seat } from "../../library/seat.ts";

/** How far it reads back, entries, and how many at a time. */
const ENTRIES_MAX = 16_384;
const ENTRIES_AT_ONCE = 2_048;

/** What of the newest entries matters to a bus that begins. */
export interface Recent {
  /** Changes of the roll, the oldest first. */
  readonly changes: readonly Entry<"roll.changed">[];
  /** Requests that may still be good, the oldest first. */
  readonly requests: readonly Entry<"control.requested">[];
}

const KINDS = /"kind":"(?:roll\.changed|control\.requested)"/;

/**
 * Reads back what happened of late, up to an entry. It stops at a day, and at some ten thousand
 * entries: what is older is not shown, and stays on record.
 */
export async function readRecent(
  { store, clock, timers }: Pick<Seat, "store" | "clock" | "timers">,
  untilSeq: number,
): Promise<Recent> {
  const sinceMs = clock.read().wallMs - HISTORY_MS;
  const newestFirst: Entry[] = [];
  const endSeq = Math.max(0, untilSeq - ENTRIES_MAX);
  let lastSeq = untilSeq;
  while (lastSeq > endSeq) {
    const afterSeq = Math.max(endSeq, lastSeq - ENTRIES_AT_ONCE);
    const stored = await store.journal.readStored(afterSeq, lastSeq - afterSeq);
    const told = stored.filter(({ text, seq }) => seq <= lastSeq && KINDS.test(text));
    // What a journal stores was an entry when it was written; here it is shown and decides nothing.
    for (const { text } of told.toReversed()) newestFirst.push(JSON.parse(text) as Entry);
    const first = stored[0];
    if (first === undefined || atMsOf(first.text) < sinceMs) break;
    lastSeq = afterSeq;
    await timers.turn();
  }
  const entries = newestFirst.toReversed();
  return {
    changes: entries.filter((entry) => entry.kind === "roll.changed"),
    requests: entries.filter((entry) => entry.kind === "control.requested"),
  };
}

function atMsOf(text: string): number {
  return (JSON.parse(text) as Pick<Entry, "at_ms">).at_ms;
}
