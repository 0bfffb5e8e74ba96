import { Fault } from "../../ports/fault.ts";
import type { Head, Journal } from "../../ports/journal.ts";
import { sha256Of } from "../canonical.ts";
import { newestTrusted, type Opening } from "../signing/opening.ts";

/** What of a journal stays in its store. Whichever rung asks for more to go is met. */
export interface KeepRule {
  /** Entries that are younger stay, ms; null: age lets nothing go. */
  readonly keepMs: number | null;
  /** So many of the newest stay; null: their number lets nothing go. */
  readonly keepEntries: number | null;
}

/** How far a journal is to be compacted. */
export interface CompactionPlan {
  /** The newest entry that may go now; at most {@link archivedSeq} where none may. */
  readonly untilSeq: number;
  /** The newest entry that the rule lets go. */
  readonly wantedSeq: number;
  /** The newest entry in the archive; 0 where it has none. */
  readonly archivedSeq: number;
  readonly head: Head;
}

/**
 * Finds how far a journal may be compacted at the instant `nowMs` (ms, journal time): as far as the
 * rule lets it, never its newest entry, and nothing after the newest snapshot that a signed head
 * vouches for, so that opening it never needs the archive. Throws what reading throws.
 */
export async function planCompaction(
  opening: Opening,
  { keepMs, keepEntries }: KeepRule,
  nowMs: number,
): Promise<CompactionPlan> {
  const { journal } = opening;
  const archivedSeq = (await journal.segments()).at(-1)?.last.seq ?? 0;
  const head = await journal.head();
  const last = head.seq - 1;
  const byAge =
    keepMs === null ? 0 : await newestUntil(journal, nowMs - keepMs, { archivedSeq, last });
  const byCount = keepEntries === null ? 0 : head.seq - Math.max(1, keepEntries);
  const wantedSeq = Math.min(last, Math.max(archivedSeq, byAge, byCount));
  if (wantedSeq <= archivedSeq) return { untilSeq: archivedSeq, wantedSeq, archivedSeq, head };
  const trusted = await newestTrusted(opening);
  const untilSeq = Math.max(archivedSeq, Math.min(wantedSeq, trusted?.seq ?? 0));
  return { untilSeq, wantedSeq, archivedSeq, head };
}

/** How often journal time is asked for while others append. */
const asksMax = 8;

/**
 * The journal time that an entry would have now, ms: a wall clock that is wrong must not make old
 * what is young. Nothing is written. Throws `Fault` `clock_skew`, and `storage_busy` (retryable).
 */
export async function journalTimeNow(journal: Journal): Promise<number> {
  for (let count = 0; count < asksMax; count += 1) {
    const outcome = await journal.append(await journal.head(), () => []);
    if (outcome.kind === "appended") return outcome.atMs;
  }
  const message = `asking for the time must not be overtaken ${asksMax} times in a row, it was`;
  throw new Fault("storage_busy", message, { retryable: true });
}

/**
 * The newest entry that is not younger than an instant, of those after the archive: journal time
 * never runs backwards, so it is halved, not read. `archivedSeq` where all are younger.
 */
async function newestUntil(
  journal: Journal,
  atMs: number,
  { archivedSeq, last }: { readonly archivedSeq: number; readonly last: number },
): Promise<number> {
  let [low, high] = [archivedSeq, last];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    const found = await entryFrom(journal, middle);
    if (found === undefined || found.seq > last || found.atMs > atMs) high = middle - 1;
    else low = found.seq;
  }
  return low;
}

/** The place and the time of the first entry that is not before a seq. */
async function entryFrom(
  journal: Journal,
  seq: number,
): Promise<{ readonly seq: number; readonly atMs: number } | undefined> {
  const [stored] = await journal.readStored(seq - 1, 1);
  if (stored === undefined) return undefined;
  const actual = sha256Of(stored.text);
  if (actual !== stored.hash) {
    const message = `entry ${stored.seq} must hash to ${stored.hash}, got ${actual}`;
    throw new Fault("journal_corrupt", message);
  }
  // An entry, as its hash says.
  const { at_ms: atMs } = JSON.parse(stored.text) as { readonly at_ms: number };
  return { seq: stored.seq, atMs };
}
