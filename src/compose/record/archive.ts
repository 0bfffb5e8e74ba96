// What an operator does with the archive of a fleet: writing it, looking at it, and making a fleet
// of it again. Apart from library.ts, because nothing else needs it.

import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { entriesIn, findSegments, unread } from "../../journal/archive/restoring.ts";
import { exportLines, importFile } from "../../journal/jsonl.ts";
import { openSqliteJournal } from "../../journal/sqlite/open.ts";
import { LIMITS } from "../../kernel/limits.ts";
import {
  compactFleet,
  type CompactedFleet,
  type CompactFleetOptions,
} from "../../library/archive/compacting.ts";
import { settleImported, type KnownBeyond } from "../../library/recovery/importing.ts";
import { Refused } from "../../library/refused.ts";
import type { Head, Journal, Segment } from "../../ports/journal.ts";
import { describeValue, InputError } from "../../protocol/input.ts";
import { replay } from "../../runtime/replay.ts";
import { readSecretFile } from "../../signing/secret-file.ts";
import { systemClock } from "../../system/clock.ts";
import { statePlaces } from "../../system/places.ts";
import { sqlite, thisMachine } from "../library.ts";

/**
 * Compacts the journal in a state folder, beside whoever has it open; see {@link compactFleet}.
 * Throws `Fault` `secret_missing` where the fleet's secret is not kept there.
 */
export async function compactStore(
  stateDir: string,
  options: CompactFleetOptions,
): Promise<CompactedFleet> {
  return withJournal(stateDir, async (journal) => {
    const secret = readSecretFile(statePlaces(stateDir).secret);
    return compactFleet(thisMachine(), { journal, secret }, options);
  });
}

/** What of a store would go. */
export interface Leaving {
  /** How many entries are in the store. */
  readonly storeCount: number;
  /** How many of them go. */
  readonly count: number;
  /** The time of the newest that goes, ms; null where none does. */
  readonly newestAtMs: number | null;
}

/**
 * Counts what of the journal in a state folder a plan lets go, by reading what is in its store:
 * there are no entries where some were lost.
 */
export async function countLeaving(
  stateDir: string,
  { archivedSeq, wantedSeq, head }: CompactedFleet["plan"],
): Promise<Leaving> {
  return withJournal(stateDir, async (journal) => {
    let [storeCount, count] = [0, 0];
    let newest: string | undefined;
    for (let after = archivedSeq; after < head.seq;) {
      const page = await journal.readStored(after, LIMITS.readEntriesMax);
      const inStore = page.filter(({ seq }) => seq <= head.seq);
      const leaving = inStore.filter(({ seq }) => seq <= wantedSeq);
      storeCount += inStore.length;
      count += leaving.length;
      newest = leaving.at(-1)?.text ?? newest;
      after = page.at(-1)?.seq ?? head.seq;
    }
    // An entry as the journal has it; it is verified where it is moved.
    const newestAtMs =
      newest === undefined ? null : (JSON.parse(newest) as { readonly at_ms: number }).at_ms;
    return { storeCount, count, newestAtMs };
  });
}

/** A segment, and what is wrong with it where somebody has looked. */
export interface LookedSegment extends Segment {
  /** What is wrong; null where nothing is, undefined where nobody has looked. */
  readonly problem?: string | null;
}

/** The archive of a fleet as it is recorded. */
export interface LookedArchive {
  readonly segments: readonly LookedSegment[];
  /** The newest entry of the journal. */
  readonly head: Head;
}

/**
 * Lists the segments of a fleet's archive; `verify` has each read whole and compared with what is
 * recorded of it. What is wrong with one is said of it, not thrown.
 */
export async function lookAtArchive(
  stateDir: string,
  { verify = false, signal }: { readonly verify?: boolean; readonly signal?: AbortSignal } = {},
): Promise<LookedArchive> {
  return withJournal(stateDir, async (journal) => {
    const recorded = await journal.segments();
    const segments: LookedSegment[] = [];
    for (const segment of recorded) {
      signal?.throwIfAborted();
      segments.push(verify ? { ...segment, problem: await problemOf(journal, segment) } : segment);
    }
    return { segments, head: await journal.head() };
  });
}

async function problemOf(journal: Journal, segment: Segment): Promise<string | null> {
  try {
    await journal.inspectSegment(segment);
    return null;
  } catch (error) {
    // Whatever keeps one from being read: the others are looked at too.
    return error instanceof Error ? error.message : String(error);
  }
}

/** What a fleet is made of again, and where. */
export interface RestoreOptions {
  /** A state folder, whose archive and journal are read; or a folder of segments alone. */
  readonly from: { readonly stateDir: string } | { readonly segments: string };
  /** The state folder that is to be made; it must hold no fleet. */
  readonly stateDir: string;
  /** The last entry that is wanted; the decision that it is part of is taken whole. */
  readonly untilSeq?: number;
}

/** What a restoration took. */
export interface Restored {
  /** The newest entry that was taken. */
  readonly head: Head;
  /** The newest entry that there was to take. */
  readonly end: Head;
}

/**
 * Makes a fleet of what is archived, and of what is in the journal that it belongs to, in another
 * state folder, hashes intact, all or nothing. It opens as an imported one does: paused, in an
 * epoch above all that are known, and dead if it was killed.
 *
 * Throws `Fault` `archive_broken` where a segment is missing or broken, `Refused` `fleet_exists`
 * where a fleet is in the new place already, and an InputError for an entry that is not there.
 */
export async function restoreFleet(options: RestoreOptions): Promise<Restored> {
  const isNew = !existsSync(options.stateDir);
  const into = await sqlite({ dir: options.stateDir }).open();
  let isTaken = false;
  try {
    // First: what is taken may be much.
    await mustBeEmpty(into.journal, options.stateDir);
    const { from, untilSeq } = options;
    const { head, beyond } =
      "segments" in from
        ? await takeSegments(into.journal, from.segments, untilSeq)
        : await takeJournal(into.journal, from.stateDir, untilSeq);
    isTaken = true;
    await settleImported(into, thisMachine(), beyond.seq > head.seq ? beyond : undefined);
    return { head, end: { seq: beyond.seq, hash: beyond.hash } };
  } finally {
    // Another may have begun a fleet there meanwhile.
    const isOurs = isNew && !isTaken && (await into.journal.head()).seq === 0;
    await into.close();
    if (isOurs) rmSync(options.stateDir, { recursive: true });
  }
}

/** Before anything is read: whoever has a fleet there must not be told to take it away. */
async function mustBeEmpty(journal: Journal, stateDir: string): Promise<void> {
  const { seq } = await journal.head();
  if (seq === 0) return;
  const message =
    `the folder must be one without a fleet, there is one of ${seq} entries in ${stateDir}: ` +
    "name another folder";
  throw new Refused({ code: "fleet_exists", message, facts: { state_dir: stateDir } });
}

interface Taken {
  readonly head: Head;
  readonly beyond: KnownBeyond;
}

async function takeSegments(into: Journal, path: string, untilSeq?: number): Promise<Taken> {
  const found = findSegments(resolve(path));
  const read = unread();
  const wanted = untilSeq ?? Number.MAX_SAFE_INTEGER;
  const head = await into.load(checked());
  return { head, beyond: { ...read.end, epoch: read.epoch } };

  // Within the load, so that nothing is taken where what was asked for is not there.
  function* checked(): ReturnType<typeof entriesIn> {
    yield* entriesIn(found, { untilSeq: wanted, read });
    if (untilSeq !== undefined && read.taken.seq < untilSeq) throw noEntry(untilSeq);
  }
}

async function takeJournal(into: Journal, stateDir: string, untilSeq?: number): Promise<Taken> {
  return withJournal(stateDir, async (journal) => {
    const end = await journal.head();
    const until = untilSeq === undefined ? end : await decisionEnd(journal, untilSeq);
    const { state } = await replay(journal, { untilSeq: end.seq });
    const folder = mkdtempSync(join(tmpdir(), "stint-restore-"));
    try {
      const path = join(folder, "journal.jsonl");
      const file = await open(path, "wx", 0o600);
      try {
        for await (const line of exportLines(journal, until)) await file.appendFile(line);
      } finally {
        await file.close();
      }
      const { head } = await importFile(into, { path });
      return { head, beyond: { ...end, epoch: state.epoch } };
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
}

/** The last entry of the decision that has an entry. */
async function decisionEnd(journal: Journal, seq: number): Promise<Head> {
  let last: Head | undefined;
  let id: string | undefined;
  for (let after = seq - 1; ; after += 1) {
    const [stored] = await journal.readStored(after, 1);
    // An entry as the journal has it; it is verified where it is taken over.
    const entry = stored && (JSON.parse(stored.text) as { readonly id: string });
    if (last === undefined && stored?.seq !== seq) throw noEntry(seq);
    id ??= entry?.id;
    if (stored === undefined || entry?.id !== id) return last ?? { seq: 0, hash: "" };
    last = { seq: stored.seq, hash: stored.hash };
  }
}

function noEntry(seq: number): InputError {
  const expected = "an entry of the journal that is restored";
  return new InputError("usage", [{ path: "--until", expected, got: describeValue(seq) }]);
}

async function withJournal<T>(stateDir: string, use: (journal: Journal) => Promise<T>): Promise<T> {
  const options = { folder: stateDir, clock: systemClock(), create: false };
  const journal = await openSqliteJournal(options);
  try {
    return await use(journal);
  } finally {
    await journal.close();
  }
}
