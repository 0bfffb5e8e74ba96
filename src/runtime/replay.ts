import type { Entry } from "../kernel/entry.ts";
import { LIMITS } from "../kernel/limits.ts";
import type { State } from "../kernel/state.ts";
import type { Head, Journal } from "../ports/journal.ts";
import { sha256Of } from "./canonical.ts";
import type { Loop } from "./loop.ts";
import { advance, START, type Place } from "./place.ts";
import { encodeState } from "./state-codec.ts";

/** How a journal is read from its beginning. */
export interface ReplayOptions {
  /** Told after each slice how far it got. */
  readonly onProgress?: (seq: number) => void;
  /** The entry to stop at; default: the journal's end. */
  readonly untilSeq?: number;
}

/** The fold of a journal, and SHA-256 over the state's canonical bytes. */
export interface Replayed {
  readonly head: Head;
  readonly state: State;
  readonly stateHash: string;
}

/**
 * Folds a journal from its first entry, every entry verified; snapshots are not looked at.
 * Throws what reading throws.
 */
export async function replay(journal: Journal, options: ReplayOptions = {}): Promise<Replayed> {
  const { head, state } = await readAll(journal, options, advance);
  return { head, state, stateHash: hashState(state) };
}

/** What a live state and the replay of the same entries have in common. */
export interface Comparison {
  /** Whether both have the same bytes. */
  readonly isSame: boolean;
  readonly head: Head;
  readonly liveHash: string;
  readonly replayedHash: string;
}

/** Replays what a loop has seen, and compares the state that it lives on, byte for byte. */
export async function compareWithReplay(
  journal: Journal,
  loop: Pick<Loop, "look" | "head" | "state">,
): Promise<Comparison> {
  await loop.look();
  const [head, live] = [loop.head(), loop.state()];
  const replayed = await replay(journal, { untilSeq: head.seq });
  const liveHash = hashState(live);
  const isSame = liveHash === replayed.stateHash && head.hash === replayed.head.hash;
  return { isSame, head, liveHash, replayedHash: replayed.stateHash };
}

/** SHA-256 over a state's canonical bytes, lowercase hex. */
export function hashState(state: State): string {
  return sha256Of(encodeState(state));
}

async function readAll(
  journal: Journal,
  { onProgress, untilSeq = Number.MAX_SAFE_INTEGER }: ReplayOptions,
  step: (place: Place, entries: readonly Entry[]) => Place,
): Promise<Place> {
  let place = START;
  for (;;) {
    const wantedCount = Math.min(LIMITS.readEntriesMax, untilSeq - place.head.seq);
    if (wantedCount <= 0) return place;
    const page = await journal.read(place.head, wantedCount);
    // Where entries were lost there are fewer than seqs, and some may lie beyond.
    const entries = page.filter(({ seq }) => seq <= untilSeq);
    if (entries.length === 0) return place;
    place = step(place, entries);
    onProgress?.(place.head.seq);
  }
}
