// How a journal is compacted; each line is durable before the next begins:
//
//     room found                nothing is written that would take the last of it
//     draft written, synced     a crash leaves a draft: removed by the next compaction
//     read back, verified
//     renamed, folder synced    a crash leaves a whole segment: compared and taken up by the next
//     recorded                  a crash leaves rows with their texts: the next goes on moving
//     rows moved, in slices
//
// Until a row is moved its text is in the database, after that in the segment, which was verified
// before: there is no instant at which an entry is nowhere. Only who has the lock does any of it.

import { setImmediate as breathe, setTimeout as pause } from "node:timers/promises";
import { ok } from "../../../kernel/assert.ts";
import { Fault } from "../../../ports/fault.ts";
import {
  GENESIS,
  type CompactOptions,
  type Compaction,
  type Head,
  type Segment,
} from "../../../ports/journal.ts";
import { boundsOf, mayGo } from "../../archive/bounds.ts";
import type { Draft } from "../../archive/folder.ts";
import { openBytes } from "../../archive/folder.ts";
import { mustEqual } from "../../archive/reading.ts";
import { scanSegment, type ScannedEntry } from "../../archive/scan.ts";
import { SegmentSum } from "../../archive/segment.ts";
import { encodePointer } from "../../archive/pointer.ts";
import { decodeChain } from "../../chain.ts";
import { asJournalFault } from "../faults.ts";
import type { JournalStore } from "../store.ts";
import { CompactionLock } from "./lock.ts";
import type { OnStore } from "./on-store.ts";
import { inTransaction, record, takeBack } from "./record.ts";
import { LEFT_BYTES_MIN, mustHaveRoom, nextSegmentBytes, SLACK_BYTES } from "./room.ts";
import { inSlices, PAGE, scanWhole, SLICE } from "./slices.ts";
import type { RecordedSegment } from "./table.ts";
import { openRecorded } from "./texts.ts";

/** For how long the lock of writers is left alone between two: longer than one of them sleeps. */
const GAP_MS = 20;
/**
 * After how many pages whoever compacts folds the write-ahead log into the database, by itself:
 * a writer does so beyond 1000 (SQLite's default), and would wait for what it has not written.
 */
const CHECKPOINT_PAGES = 250;
const CHECKPOINT_PAGES_DEFAULT = 1_000;

/** One compaction of a journal in SQLite. */
export class Compactor {
  readonly #store: JournalStore;
  readonly #onStore: OnStore;
  readonly #options: CompactOptions;
  readonly #recorded: Segment[] = [];
  #movedCount = 0;

  constructor(store: JournalStore, onStore: OnStore, options: CompactOptions) {
    this.#store = store;
    this.#onStore = onStore;
    this.#options = options;
  }

  /** Carries it out; see the port. */
  async compact(): Promise<Compaction> {
    try {
      if (await this.#onStore((store) => this.#isDone(store))) return this.#done();
      const { archive, files } = this.#store;
      archive.ensure();
      const lock = CompactionLock.take(archive.pathOf("lock"), files.database);
      try {
        archive.removeDrafts();
        await this.#moveAll();
        await this.#takeUpLeft();
        while (await this.#archiveNext()) await this.#moveAll();
      } finally {
        lock.release();
      }
      return this.#done();
    } catch (error) {
      throw asJournalFault(error, "compacting the journal");
    }
  }

  #done(): Compaction {
    return { segments: this.#recorded, movedCount: this.#movedCount };
  }

  /** Whether there is nothing to archive, and nothing that another has left halfway. */
  #isDone(store: JournalStore): boolean {
    const { database, archive } = store;
    const { untilSeq } = this.#options;
    const head = store.look();
    const recorded = database.segments.all();
    const known = new Set(recorded.map(({ name }) => name));
    const isMoved = recorded.every(({ last, movedSeq }) => movedSeq >= last.seq);
    const [next] = database.range(recorded.at(-1)?.last.seq ?? 0, 1);
    const isWanted = next !== undefined && next.seq <= untilSeq;
    const isSafe = mayGo(untilSeq, head, database.snapshots());
    ok(!isWanted || isSafe, "what is folded anew must stay");
    return !isWanted && isMoved && archive.names().every((name) => known.has(name));
  }

  /** Takes up whole segments that a process which died has not recorded; others are set aside. */
  async #takeUpLeft(): Promise<void> {
    const { archive } = this.#store;
    for (const name of archive.names()) {
      const recorded = await this.#onStore(({ database }) => database.segments.all());
      if (recorded.some((segment) => segment.name === name)) continue;
      const segment = await this.#compareWithRows(name, recorded.at(-1)?.epoch ?? 0);
      if (segment !== undefined && (await this.#onStore((store) => record(store, segment)))) {
        this.#recorded.push(segment);
        await this.#moveAll();
        continue;
      }
      this.#store.warn("a segment of another history was set aside", {
        file: archive.setAside(name),
      });
    }
  }

  /** What a segment has, if that is what the rows have too; undefined where it is another's. */
  async #compareWithRows(name: string, epoch: number): Promise<Segment | undefined> {
    const bytes = this.#store.archive.open(name);
    try {
      const scan = inSlices(scanSegment(bytes, epoch), PAGE);
      let step = await scan.next();
      for (; step.done !== true; step = await scan.next()) {
        const slice = step.value;
        const isSame = await this.#onStore(({ database }) =>
          slice.every(({ entry, stored }) => database.hashAt(entry.seq) === stored.hash),
        );
        if (!isSame) return undefined;
      }
      return step.value.name === name ? step.value : undefined;
    } catch (error) {
      // Broken, and nobody relies on it: the entries are in the store, or were never of it.
      if (error instanceof Fault && error.code === "archive_broken") return undefined;
      throw error;
    } finally {
      bytes.close();
    }
  }

  /** Writes and records the next segment; false when there is nothing left to go. */
  async #archiveNext(): Promise<boolean> {
    this.#options.signal?.throwIfAborted();
    const newest = await this.#onStore(({ database }) => database.segments.newest());
    if (!(await this.#findRoom(newest?.last.seq ?? 0))) return false;
    const draft = this.#store.archive.draft();
    try {
      const written = await this.#write(draft, newest);
      if (written === undefined) return false;
      draft.finish();
      await mustReadBack(draft.path, written);
      // Others may have taken meanwhile what is needed to move the rows.
      mustHaveRoom(this.#store.files.folder, SLACK_BYTES);
      this.#store.archive.publish(draft, written.name);
      const isRecorded = await this.#onStore((store) => record(store, written));
      if (!isRecorded) throw changed();
      this.#recorded.push(written);
      return true;
    } finally {
      draft.discard();
    }
  }

  /** Whether there is anything to go; throws where there is no room for it. */
  async #findRoom(after: number): Promise<boolean> {
    const { archive, files } = this.#store;
    const until = this.#options.untilSeq;
    const [next] = await this.#onStore(({ database }) => database.textSizes(after, until, 1));
    if (next === undefined) return false;
    const span = { after, until };
    const sizeBytes = await nextSegmentBytes(this.#onStore, span, boundsOf(this.#options));
    mustHaveRoom(archive.path, sizeBytes + SLACK_BYTES);
    // It may be another disk.
    mustHaveRoom(files.folder, SLACK_BYTES);
    return true;
  }

  /** Writes the entries that go next; undefined where none does. */
  async #write(draft: Draft, newest: Segment | undefined): Promise<Segment | undefined> {
    const { untilSeq, onProgress, signal } = this.#options;
    const bounds = boundsOf(this.#options);
    let last: Head = newest?.last ?? GENESIS;
    let sum: SegmentSum | undefined;
    for (let isFull = false; !isFull;) {
      const page = await this.#onStore((store) => store.page(last.seq, PAGE));
      const stored = page.filter(({ seq }) => seq <= untilSeq);
      if (stored.length === 0) break;
      const lines: string[] = [];
      for (const [index, entry] of decodeChain(last, stored).entries()) {
        const one = stored[index];
        ok(one !== undefined, "an entry is decoded from what is stored");
        if (sum === undefined) {
          sum = new SegmentSum({ fleet: entry.fleet, after: last }, newest?.epoch ?? 0);
          lines.push(sum.begin());
        }
        isFull = !sum.hasRoomFor(one, bounds);
        if (isFull) break;
        lines.push(sum.add(entry, one));
        last = { seq: entry.seq, hash: entry.hash };
      }
      draft.write(lines.join(""));
      onProgress?.("archiving", last.seq);
      signal?.throwIfAborted();
      await breathe();
    }
    if (sum === undefined) return undefined;
    const { line, segment } = sum.end();
    draft.write(line);
    return segment;
  }

  /** Has the rows of every recorded segment give up their texts. */
  async #moveAll(): Promise<void> {
    const recorded = await this.#onStore(({ database }) => database.segments.all());
    for (const segment of recorded) {
      if (segment.movedSeq < segment.last.seq) await this.#move(segment);
    }
  }

  /**
   * A disk without room must not keep the segment too: while it is the second copy of its entries,
   * it is taken back.
   */
  async #move(segment: RecordedSegment): Promise<void> {
    const movedBefore = this.#movedCount;
    try {
      await this.#moveRows(segment);
    } catch (error) {
      const fault = asJournalFault(error, "compacting the journal");
      const isFull = fault instanceof Fault && fault.code === "storage_full";
      if (isFull && this.#movedCount === movedBefore) await this.#takeBack(segment);
      throw fault;
    }
  }

  async #takeBack(segment: RecordedSegment): Promise<void> {
    try {
      // The log may have room that is no longer used, and there is none anywhere else.
      await this.#onStore(({ database }) => database.foldLog());
      const isTaken = await takeBack(this.#store, this.#onStore, segment);
      const at = this.#recorded.findIndex(({ name }) => name === segment.name);
      if (isTaken && at !== -1) this.#recorded.splice(at, 1);
    } catch (error) {
      // It stays recorded, and the next compaction goes on with it; that the disk is full is told.
      const reason = error instanceof Error ? error.message : String(error);
      this.#store.warn("a segment could not be taken back", { file: segment.name, reason });
    }
  }

  async #moveRows(segment: RecordedSegment): Promise<void> {
    const { archive, database, files } = this.#store;
    const bytes = openRecorded(archive, segment);
    database.checkpointEvery(CHECKPOINT_PAGES);
    try {
      const scan = inSlices(scanSegment(bytes, segment.epoch), SLICE);
      let step = await scan.next();
      for (; step.done !== true; step = await scan.next()) {
        const slice = step.value.filter(({ entry }) => entry.seq > segment.movedSeq);
        if (slice.length === 0) continue;
        mustHaveRoom(files.folder, LEFT_BYTES_MIN);
        await this.#onStore((store) => moveSlice(store, segment, slice));
        this.#movedCount += slice.length;
        this.#options.onProgress?.("moving", slice.at(-1)?.entry.seq ?? 0);
        this.#options.signal?.throwIfAborted();
        await pause(GAP_MS);
      }
      mustEqual(bytes.path, segment, step.value);
    } finally {
      bytes.close();
      database.checkpointEvery(CHECKPOINT_PAGES_DEFAULT);
    }
  }
}

function moveSlice(store: JournalStore, segment: Segment, slice: readonly ScannedEntry[]): void {
  const { segments } = store.database;
  inTransaction(store, () => {
    for (const { entry, at } of slice) {
      const { seq, hash } = entry;
      if (segments.point({ seq, hash, pointer: encodePointer(at) })) continue;
      throw new Fault("journal_corrupt", `entry ${seq} must be there with the hash ${hash}`);
    }
    segments.setMoved(segment.firstSeq, slice.at(-1)?.entry.seq ?? 0);
  });
}

/**
 * Throws `Fault` `storage_failed` unless what can be read of a file is what was written to it: a
 * write that was cut short must be found before anything relies on it.
 */
async function mustReadBack(path: string, written: Segment): Promise<void> {
  const bytes = openBytes(path);
  try {
    mustEqual(path, written, await scanWhole(scanSegment(bytes, written.epoch)));
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    const message = `what was written to ${path} must be read again as it was: ${error.message}`;
    throw new Fault("storage_failed", message, { cause: error });
  } finally {
    bytes.close();
  }
}

function changed(): Fault {
  const message = "the journal must be the same while it is compacted, it was compacted or mended";
  return new Fault("storage_busy", message, { retryable: true });
}
