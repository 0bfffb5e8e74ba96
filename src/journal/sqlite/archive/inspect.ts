import { Fault } from "../../../ports/fault.ts";
import type { Segment } from "../../../ports/journal.ts";
import { encodePointer } from "../../archive/pointer.ts";
import { brokenSegment, mustEqual } from "../../archive/reading.ts";
import { scanSegment, type ScannedEntry } from "../../archive/scan.ts";
import type { FiledRow } from "../database.ts";
import type { JournalStore } from "../store.ts";
import type { OnStore } from "./on-store.ts";
import { inSlices, PAGE } from "./slices.ts";
import { openRecorded } from "./texts.ts";

/**
 * Reads a segment whole, and compares it with what is recorded of it and with the rows of its
 * entries: each has the same hash, stands under its command, and has its text or says where that
 * is. Under whom it is filed is not compared: older rules may have filed it otherwise.
 *
 * Throws `Fault` `archive_broken`, `journal_corrupt`.
 */
export async function inspectSegment(
  store: JournalStore,
  onStore: OnStore,
  segment: Segment,
): Promise<void> {
  const bytes = openRecorded(store.archive, segment);
  try {
    const scan = inSlices(scanSegment(bytes, segment.epoch), PAGE);
    let rowCount = 0;
    let step = await scan.next();
    for (; step.done !== true; step = await scan.next()) {
      const slice = step.value;
      rowCount += slice.length;
      await onStore(({ database }) => {
        for (const scanned of slice) mustBeFiled(scanned, database.filed(scanned.entry.seq));
      });
    }
    mustEqual(bytes.path, segment, step.value);
    if (rowCount !== segment.entryCount)
      throw brokenSegment(bytes.path, segment, { what: `it has ${rowCount} entries` });
  } finally {
    bytes.close();
  }
}

function mustBeFiled({ entry, stored, at }: ScannedEntry, row: FiledRow | undefined): void {
  const { seq } = entry;
  if (row?.hash !== stored.hash) throw corrupt(seq, `must have the hash ${stored.hash}`, row?.hash);
  const pointer = encodePointer(at);
  if (row.text !== pointer && row.text !== stored.text)
    throw corrupt(seq, `must say that its text is at ${pointer}`, row.text.slice(0, 40));
  if (row.commandId !== null && row.commandId !== entry.id)
    throw corrupt(seq, `must be filed under the command ${entry.id}`, row.commandId);
}

function corrupt(seq: number, must: string, actual = "none"): Fault {
  return new Fault("journal_corrupt", `the row of entry ${seq} ${must}, got ${actual}`);
}
