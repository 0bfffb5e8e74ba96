import type { Entry } from "../../kernel/entry.ts";
import { LIMITS } from "../../kernel/limits.ts";
import type { State } from "../../kernel/state.ts";
import { GENESIS, type Head, type Journal } from "../../ports/journal.ts";
import { describeValue, InputError } from "../../protocol/input.ts";
import { advance, START, type Place } from "../../runtime/place.ts";

/** One decision of the journal, and the state that it was taken on. */
export interface PastDecision {
  /** The fold of everything before it. */
  readonly before: State;
  /** Its entries, the first with the command; all of one command id. */
  readonly entries: readonly [Entry, ...Entry[]];
}

/** Checks the seq of an entry. Throws an InputError. */
export function parseSeq(seq: unknown): number {
  if (typeof seq === "number" && Number.isSafeInteger(seq) && seq >= 1) return seq;
  const got = describeValue(seq);
  throw new InputError("usage", [{ path: "seq", expected: "an integer from 1 on", got }]);
}

/** The error for an entry that the journal does not hold. */
export function unknownEntry(seq: number, endSeq: number): InputError {
  const expected = `that of an entry, the newest of which is ${endSeq}`;
  return new InputError("entry_unknown", [{ path: "seq", expected, got: String(seq) }]);
}

/**
 * Finds the decision that an entry belongs to and folds all that was before it. Every entry up to
 * there is read and verified, so its cost is that of the journal up to there.
 *
 * Throws an InputError `entry_unknown` when there is no such entry, and the journal's `Fault`s.
 */
export async function decisionAt(journal: Journal, seq: number): Promise<PastDecision> {
  let before: Place = START;
  let decision: Entry[] = [];
  for await (const entry of readAll(journal)) {
    if (decision.length > 0 && decision[0]?.id !== entry.id) {
      if ((decision.at(-1)?.seq ?? 0) >= seq) break;
      before = advance(before, decision);
      decision = [];
    }
    decision.push(entry);
  }
  return asPast(before, decision, seq);
}

/** All entries of a journal, verified. */
async function* readAll(journal: Journal): AsyncGenerator<Entry, void, undefined> {
  let after: Head = GENESIS;
  for (;;) {
    const page = await journal.read(after, LIMITS.readEntriesMax);
    const last = page.at(-1);
    if (last === undefined) return;
    yield* page;
    after = { seq: last.seq, hash: last.hash };
  }
}

function asPast(before: Place, decision: readonly Entry[], seq: number): PastDecision {
  const [first, ...others] = decision;
  if (first === undefined || !decision.some((entry) => entry.seq === seq))
    throw unknownEntry(seq, decision.at(-1)?.seq ?? before.head.seq);
  return { before: before.state, entries: [first, ...others] };
}
