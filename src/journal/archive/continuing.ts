import type { Head } from "../../ports/journal.ts";
import type { ArchiveFolder } from "./folder.ts";
import { scanSegment, type ScannedEntry } from "./scan.ts";

const LAST_SEQ = /-(\d+)\.jsonl$/;

/**
 * The entries in a folder of segments that continue a journal which ends at `kept`, by hash: as
 * many as follow one another. The last decision of them may not be whole.
 *
 * Throws `Fault` `archive_broken` where a segment that has such entries is broken.
 */
export function* continuing(
  folder: ArchiveFolder,
  kept: Head,
): Generator<ScannedEntry, void, undefined> {
  let last = kept;
  for (const found of entriesAfter(folder, kept.seq)) {
    const { seq, hash, prev } = found.entry;
    if (seq <= last.seq) continue;
    // Of another history, or a segment between is missing.
    if (prev !== last.hash) return;
    yield found;
    last = { seq, hash };
  }
}

function* entriesAfter(
  folder: ArchiveFolder,
  seq: number,
): Generator<ScannedEntry, void, undefined> {
  for (const name of folder.names()) {
    if (Number(LAST_SEQ.exec(name)?.[1]) <= seq) continue;
    const bytes = folder.open(name);
    try {
      yield* scanSegment(bytes);
    } finally {
      bytes.close();
    }
  }
}
