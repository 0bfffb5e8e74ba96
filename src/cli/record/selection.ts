import { EVENT_KINDS, type EventKind } from "../../kernel/event.ts";
import type { Entry } from "../../kernel/entry.ts";
import { subjectOf } from "../../kernel/subject.ts";
import type { Journal } from "../../ports/journal.ts";
import { describeValue, InputError } from "../../protocol/input.ts";
import { nearest } from "../../kernel/lane/nearest.ts";
import { readTail } from "./tail.ts";

/** Which entries of a journal are shown. */
export interface Selection {
  /** From this one on; absent: from wherever the newest begin. */
  readonly sinceSeq: number | undefined;
  /** So many of the newest at most; absent: all. */
  readonly countMax: number | undefined;
  /** Only of these kinds; absent: of all. */
  readonly kinds: readonly EventKind[] | undefined;
  /** Only what is about this worker, or was asked for by it; its id. */
  readonly worker: string | undefined;
  /** Goes on with those to come until it fires; absent: ends at the journal's end. */
  readonly until?: AbortSignal;
}

/**
 * Reads the entries that are selected, oldest first, each verified. Without kinds and worker its
 * cost is that of what is shown; with them that of everything from `sinceSeq` on. Throws the
 * `Fault`s of reading.
 */
export async function* readSelected(
  journal: Journal,
  selection: Selection,
): AsyncGenerator<Entry, void, undefined> {
  const { sinceSeq = 1, countMax, until } = selection;
  const { seq: endSeq } = await journal.head();
  const isFiltered = selection.kinds !== undefined || selection.worker !== undefined;
  const newestSeq = countMax === undefined || isFiltered ? 1 : Math.max(1, endSeq - countMax + 1);
  const fromSeq = Math.max(sinceSeq, newestSeq);
  const isHeldBack = isFiltered && countMax !== undefined;
  // Which of them are the newest is known once the end that was there at first is reached.
  const newest: Entry[] = [];
  for await (const entry of readTail(
    journal,
    until === undefined ? { fromSeq } : { fromSeq, until },
  )) {
    const isSelected = isOf(selection, entry);
    if (!isHeldBack || entry.seq > endSeq) {
      if (isSelected) yield entry;
      continue;
    }
    if (isSelected) newest.push(entry);
    if (newest.length > countMax) newest.shift();
    if (entry.seq === endSeq) yield* newest;
  }
}

function isOf({ kinds, worker }: Selection, entry: Entry): boolean {
  const { kind, id } = entry.actor;
  const isAbout = worker === undefined || subjectOf(entry) === worker;
  const isAsked = kind === "worker" && id === worker;
  return (isAbout || isAsked) && (kinds === undefined || kinds.includes(entry.kind));
}

/** Parses a kind of entry, or the noun of several. Throws an InputError that names the nearest. */
export function parseKinds(text: string): readonly EventKind[] {
  const found = EVENT_KINDS.filter((kind) => kind === text || kind.startsWith(`${text}.`));
  if (found.length > 0) return found;
  const like = nearest(text, EVENT_KINDS);
  const hint = like === undefined ? "" : ` (did you mean ${like}?)`;
  const expected = `a kind of entry such as command.refused, or its noun${hint}`;
  throw new InputError("usage", [{ path: "--kind", expected, got: describeValue(text) }]);
}
