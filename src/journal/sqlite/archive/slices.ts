import { setImmediate as breathe } from "node:timers/promises";
import type { Segment } from "../../../ports/journal.ts";
import type { ScannedEntry } from "../../archive/scan.ts";
import type { PageBounds } from "../database.ts";

/** After how many bytes of entries others have their turn: to verify them takes tens of ms. */
const AT_ONCE_BYTES = 2 ** 20;

/** How much is read, or compared, in one go. */
export const PAGE: PageBounds = { limit: 256, bytesMax: AT_ONCE_BYTES };

/** How much is moved in one transaction: it holds the lock of writers for a few ms. */
export const SLICE: PageBounds = { limit: 128, bytesMax: AT_ONCE_BYTES };

/** What a scan hands out, many at a time, letting others run in between. */
export async function* inSlices(
  scan: Generator<ScannedEntry, Segment, undefined>,
  { limit, bytesMax }: PageBounds,
): AsyncGenerator<readonly ScannedEntry[], Segment, undefined> {
  let slice: ScannedEntry[] = [];
  let sizeBytes = 0;
  let step = scan.next();
  for (; step.done !== true; step = scan.next()) {
    sizeBytes += step.value.at.sizeBytes;
    if (slice.push(step.value) < limit && sizeBytes < bytesMax) continue;
    yield slice;
    slice = [];
    sizeBytes = 0;
    await breathe();
  }
  if (slice.length > 0) yield slice;
  return step.value;
}

/** What a scan answers at its end, letting others run meanwhile. */
export async function scanWhole(
  scan: Generator<ScannedEntry, Segment, undefined>,
): Promise<Segment> {
  const slices = inSlices(scan, PAGE);
  let step = await slices.next();
  while (step.done !== true) step = await slices.next();
  return step.value;
}
