import { Fault } from "../../ports/fault.ts";
import { GENESIS, type Head, type Segment, type StoredEntry } from "../../ports/journal.ts";
import { ArchiveFolder, openBytes } from "./folder.ts";
import { scanSegment, type ScannedEntry } from "./scan.ts";

/** What is known of a folder of segments before it is read whole. */
export interface FoundSegments {
  readonly path: string;
  readonly names: readonly string[];
}

/** Finds the segments in a folder. Throws `Fault` `archive_broken` where there are none. */
export function findSegments(path: string): FoundSegments {
  const names = new ArchiveFolder(path).names();
  if (names.length > 0) return { path, names };
  throw new Fault("archive_broken", `${path} must be a folder of segments, it has none`);
}

/** Where reading segments has come to. */
export interface SegmentsRead {
  /** The newest entry handed out. */
  taken: Head;
  /** The newest entry of the segments, and their highest epoch, once all are read. */
  end: Head;
  epoch: number;
}

/**
 * The entries of a folder of segments, from the first of the journal on: all, or up to the decision
 * that has an entry. Every segment is verified whole; `read` is told how far it is.
 *
 * Throws `Fault` `archive_broken` where one is missing or broken.
 */
export function* entriesIn(
  { path, names }: FoundSegments,
  so: { readonly untilSeq: number; readonly read: SegmentsRead },
): Generator<StoredEntry, void, undefined> {
  const folder = new ArchiveFolder(path);
  let untilId: string | undefined;
  let isOver = false;
  for (const name of names) {
    for (const { entry, stored } of wholeSegment(folder.pathOf(name), so.read)) {
      const { seq, hash } = entry;
      if (seq === so.untilSeq) untilId = entry.id;
      isOver ||= seq > so.untilSeq && entry.id !== untilId;
      if (isOver) continue;
      so.read.taken = { seq, hash };
      yield stored;
    }
  }
}

/** The entries of one segment, which must follow on what was read before it. */
function* wholeSegment(path: string, read: SegmentsRead): Generator<ScannedEntry, void, undefined> {
  const bytes = openBytes(path);
  try {
    const found = yield* scanSegment(bytes, read.epoch);
    mustFollowOn(path, read.end, found);
    read.end = found.last;
    read.epoch = found.epoch;
  } finally {
    bytes.close();
  }
}

/** Where reading segments begins. */
export function unread(): SegmentsRead {
  return { taken: GENESIS, end: GENESIS, epoch: 0 };
}

function mustFollowOn(path: string, last: Head, { after, firstSeq }: Segment): void {
  if (after.seq === last.seq && after.hash === last.hash) return;
  const must = last.seq === 0 ? "begin with the first entry" : `follow entry ${last.seq}`;
  const is = `it begins with ${firstSeq}: a segment is missing, or of another journal`;
  throw new Fault("archive_broken", `${path} must ${must}, ${is}`);
}
