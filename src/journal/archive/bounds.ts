import { ok } from "../../kernel/assert.ts";
import { LIMITS } from "../../kernel/limits.ts";
import type { CompactOptions, Head, Snapshot } from "../../ports/journal.ts";

/** The most that goes into one segment; whichever is met first ends it. */
export interface SegmentBounds {
  readonly entriesMax: number;
  readonly bytesMax: number;
}

/** The bounds of segments that a compaction is asked for. */
export function boundsOf(options: CompactOptions): SegmentBounds {
  const entriesMax = options.segmentEntriesMax ?? LIMITS.segmentEntriesMax;
  const bytesMax = options.segmentBytesMax ?? LIMITS.segmentBytesMax;
  ok(entriesMax > 0 && entriesMax <= LIMITS.segmentEntriesMax, "segments have a bound");
  ok(bytesMax > 0 && bytesMax <= LIMITS.segmentBytesMax, "segments have a bound in bytes");
  return { entriesMax, bytesMax };
}

/**
 * Whether everything up to an entry may go: the newest entry stays, and so does all that is folded
 * after some snapshot, so that opening a journal never needs its archive.
 */
export function mayGo(untilSeq: number, head: Head, snapshots: readonly Snapshot[]): boolean {
  return untilSeq < head.seq && snapshots.some(({ seq }) => seq >= untilSeq);
}
