import type { Entry } from "../kernel/entry.ts";
import { evolve } from "../kernel/evolve.ts";
import { LIMITS } from "../kernel/limits.ts";
import { INITIAL_STATE, type State } from "../kernel/state.ts";
import { GENESIS, type Head, type Journal } from "../ports/journal.ts";

/** Where a reader of a journal stands: an entry, and the fold of all entries up to it. */
export interface Place {
  readonly head: Head;
  readonly state: State;
  /** The newest place that a signed head names. */
  readonly signedSeq: number;
  /** The newest entry that is not itself a signed head: what there is to sign. */
  readonly contentSeq: number;
}

/** The place before the first entry. */
export const START: Place = { head: GENESIS, state: INITIAL_STATE, signedSeq: 0, contentSeq: 0 };

/** How far the newest entry that is no signed head lies beyond the newest signed place. */
export function unsignedCount(place: Place): number {
  return Math.max(0, place.contentSeq - place.signedSeq);
}

/** The place after some entries that follow it; `state` is their fold where it is known already. */
export function advance(place: Place, entries: readonly Entry[], state?: State): Place {
  const last = entries.at(-1);
  if (last === undefined) return place;
  let { signedSeq, contentSeq } = place;
  let folded = place.state;
  for (const entry of entries) {
    if (state === undefined) folded = evolve(folded, entry);
    if (entry.kind === "journal.signed") signedSeq = Math.max(signedSeq, entry.data.at_seq);
    else contentSeq = entry.seq;
  }
  const head = { seq: last.seq, hash: last.hash };
  return { head, state: state ?? folded, signedSeq, contentSeq };
}

/**
 * Reads a journal on from a place to its end, verified, and answers the place there.
 * `onEntries` gets each slice after it was folded.
 */
export async function readOn(
  journal: Journal,
  from: Place,
  onEntries?: (entries: readonly Entry[], place: Place) => void,
): Promise<Place> {
  let place = from;
  for (;;) {
    const entries = await journal.read(place.head, LIMITS.readEntriesMax);
    if (entries.length === 0) return place;
    place = advance(place, entries);
    onEntries?.(entries, place);
  }
}
