import { statfsSync } from "node:fs";
import { setImmediate as breathe } from "node:timers/promises";
import { Fault } from "../../../ports/fault.ts";
import type { SegmentBounds } from "../../archive/bounds.ts";
import { segmentBytesMax } from "../../archive/segment.ts";
import type { OnStore } from "./on-store.ts";
import { SLICE } from "./slices.ts";

const MIB = 2 ** 20;

/**
 * What must be free besides a segment before it is written: what the write-ahead log takes while
 * rows are moved, and enough for everybody else to go on meanwhile.
 */
export const SLACK_BYTES = 16 * MIB + 2 * SLICE.bytesMax;

/** What a compaction never takes of a disk: others must be able to write. */
export const LEFT_BYTES_MIN = 4 * MIB;

/** How many rows are asked for their size at a time. */
const SIZES_AT_ONCE = 1_000;

/** Throws `Fault` `storage_full` unless so many bytes are free on the file system of a folder. */
export function mustHaveRoom(folder: string, sizeBytes: number): void {
  const { bavail, bsize, blocks } = statfsSync(folder);
  // Some file systems count nothing; whether there is room shows when something is written.
  if (blocks === 0 || bavail * bsize >= sizeBytes) return;
  const message =
    `compacting the journal must leave room for others: ${inMib(sizeBytes)} MiB must be free for ` +
    `${folder}, ${inMib(bavail * bsize)} MiB are`;
  throw new Fault("storage_full", message);
}

/** At most how many bytes the next segment has, of the entries from one seq to another. */
export async function nextSegmentBytes(
  onStore: OnStore,
  span: { readonly after: number; readonly until: number },
  { entriesMax, bytesMax }: SegmentBounds,
): Promise<number> {
  let after = span.after;
  let entryCount = 0;
  let textBytes = 0;
  for (;;) {
    const limit = Math.min(SIZES_AT_ONCE, entriesMax - entryCount);
    const sizes = await onStore(({ database }) => database.textSizes(after, span.until, limit));
    for (const { seq, sizeBytes } of sizes) {
      after = seq;
      entryCount += 1;
      textBytes += sizeBytes;
      if (segmentBytesMax(entryCount, textBytes) >= bytesMax) break;
    }
    const size = segmentBytesMax(entryCount, textBytes);
    if (sizes.length < limit || entryCount === entriesMax || size >= bytesMax) return size;
    await breathe();
  }
}

function inMib(sizeBytes: number): string {
  return (sizeBytes / MIB).toFixed(1);
}
