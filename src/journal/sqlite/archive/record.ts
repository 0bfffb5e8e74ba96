import { GENESIS, type Segment } from "../../../ports/journal.ts";
import { mayGo } from "../../archive/bounds.ts";
import { scanSegment } from "../../archive/scan.ts";
import type { JournalStore } from "../store.ts";
import type { OnStore } from "./on-store.ts";
import { inSlices, PAGE } from "./slices.ts";
import type { RecordedSegment } from "./table.ts";
import { openRecorded } from "./texts.ts";

/**
 * Records a segment, if the journal still is the one that it was made of; false where it is not:
 * another has recorded one since, or entries or snapshots were given up.
 */
export function record(store: JournalStore, segment: Segment): boolean {
  const { database } = store;
  return inTransaction(store, () => {
    const newest = database.segments.newest()?.last ?? GENESIS;
    const { after, last, firstSeq, entryCount } = segment;
    const isNext = newest.seq === after.seq && newest.hash === after.hash;
    const isOfThis = database.hashAt(last.seq) === last.hash;
    const isWhole = database.countBetween(firstSeq, last.seq) === entryCount;
    const isSafe = mayGo(last.seq, store.look(), database.snapshots());
    const isFit = isNext && isOfThis && isWhole && isSafe;
    if (isFit) database.segments.insert(segment);
    return isFit;
  });
}

/**
 * Takes back the newest segment and removes its file, where every row still has the very text that
 * the segment has: then nobody has read anything out of it. False where that is not so.
 */
export async function takeBack(
  store: JournalStore,
  onStore: OnStore,
  segment: RecordedSegment,
): Promise<boolean> {
  if (!(await isInRows(store, onStore, segment))) return false;
  const isTaken = await onStore(() => unrecord(store, segment));
  if (isTaken) store.archive.remove(segment.name);
  return isTaken;
}

/** Only who has the lock moves texts, so what is true of each row here stays true. */
async function isInRows(
  { archive }: JournalStore,
  onStore: OnStore,
  segment: RecordedSegment,
): Promise<boolean> {
  const bytes = openRecorded(archive, segment);
  try {
    for await (const slice of inSlices(scanSegment(bytes, segment.epoch), PAGE)) {
      const isHere = await onStore(({ database }) =>
        slice.every(({ entry, stored }) => {
          const row = database.filed(entry.seq);
          return row?.text === stored.text && row.hash === stored.hash;
        }),
      );
      if (!isHere) return false;
    }
    return true;
  } finally {
    bytes.close();
  }
}

/** Only the newest: the next one names it as what stands before it. */
function unrecord(store: JournalStore, { firstSeq }: Segment): boolean {
  const { segments } = store.database;
  return inTransaction(store, () => {
    const isNewest = segments.newest()?.firstSeq === firstSeq;
    if (isNewest) segments.remove(firstSeq);
    return isNewest;
  });
}

/** Runs work under the lock of writers, and makes it durable. */
export function inTransaction<T>({ database }: JournalStore, work: () => T): T {
  try {
    database.begin();
    const result = work();
    database.commit();
    return result;
  } catch (error) {
    database.rollback();
    throw error;
  }
}
