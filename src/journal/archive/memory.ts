import { ok } from "../../kernel/assert.ts";
import { Fault } from "../../ports/fault.ts";
import {
  GENESIS,
  type CompactOptions,
  type Compaction,
  type Segment,
} from "../../ports/journal.ts";
import { decodeChain, type Sealed } from "../chain.ts";
import { boundsOf } from "./bounds.ts";
import { decodePointer, encodePointer, isPointer } from "./pointer.ts";
import { mustBeSegment, readArchived } from "./reading.ts";
import { scanSegment, type SegmentBytes } from "./scan.ts";
import { SegmentSum } from "./segment.ts";

interface Kept {
  readonly segment: Segment;
  readonly bytes: SegmentBytes;
}

/**
 * The archive of a journal in memory: the very bytes that segments on a disk have. It saves no
 * memory; it is there so that what is true of an archive can be tried without a disk.
 */
export class MemoryArchive {
  readonly #kept: Kept[] = [];
  #isBusy = false;

  /** Its segments, oldest first. */
  segments(): readonly Segment[] {
    return this.#kept.map(({ segment }) => segment);
  }

  /** Throws `Fault` `archive_broken` unless a segment is what is recorded of it. */
  inspect({ firstSeq }: Segment): void {
    const kept = this.#kept.find(({ segment }) => segment.firstSeq === firstSeq);
    ok(kept !== undefined, `a segment from entry ${firstSeq} on is recorded`);
    mustBeSegment(kept.bytes, kept.segment);
  }

  /** An entry with its text, wherever that is. */
  resolve(sealed: Sealed): Sealed {
    const { seq, text, hash } = sealed;
    if (!isPointer(text)) return sealed;
    const kept = this.#kept.findLast(({ segment }) => segment.firstSeq <= seq);
    ok(kept !== undefined, `entry ${seq} is in a segment`);
    const { segment, bytes } = kept;
    return { ...sealed, ...readArchived(bytes, segment, { at: decodePointer(text, seq), hash }) };
  }

  /** Moves entries out of `stored`, as the port says. */
  async compact(stored: Sealed[], options: CompactOptions): Promise<Compaction> {
    if (this.#isBusy) {
      const message = "nobody else must compact this journal, another does";
      throw new Fault("storage_busy", message, { retryable: true });
    }
    this.#isBusy = true;
    try {
      const segments: Segment[] = [];
      let movedCount = 0;
      for (;;) {
        const segment = this.#archiveNext(stored, options);
        if (segment === undefined) return { segments, movedCount };
        segments.push(segment);
        movedCount += segment.entryCount;
        options.onProgress?.("archiving", segment.last.seq);
        // Others have their turn between two segments.
        await Promise.resolve();
        options.signal?.throwIfAborted();
      }
    } finally {
      this.#isBusy = false;
    }
  }

  #archiveNext(stored: Sealed[], options: CompactOptions): Segment | undefined {
    const bounds = boundsOf(options);
    const newest = this.#kept.at(-1)?.segment;
    const after = newest?.last ?? GENESIS;
    const first = stored.findIndex(({ seq }) => seq > after.seq);
    const going = stored
      .slice(Math.max(0, first), first + bounds.entriesMax)
      .filter(({ seq }) => seq <= options.untilSeq);
    const entries = decodeChain(after, going);
    const fleet = entries[0]?.fleet;
    if (first < 0 || fleet === undefined) return undefined;
    const sum = new SegmentSum({ fleet, after }, newest?.epoch ?? 0);
    const lines = [sum.begin()];
    for (const [index, entry] of entries.entries()) {
      const one = going[index];
      ok(one !== undefined, "an entry is decoded from what is stored");
      if (!sum.hasRoomFor(one, bounds)) break;
      lines.push(sum.add(entry, one));
    }
    const { line, segment } = sum.end();
    const bytes = bytesOf(segment.name, Buffer.from([...lines, line].join("")));
    this.#kept.push({ segment, bytes });
    for (const [index, { at }] of [...scanSegment(bytes, segment.epoch)].entries()) {
      const one = stored[first + index];
      ok(one !== undefined, "an entry that is archived is stored");
      stored[first + index] = { ...one, text: encodePointer(at) };
    }
    return segment;
  }
}

function bytesOf(path: string, content: Buffer): SegmentBytes {
  return { path, read: (offset, sizeBytes) => content.subarray(offset, offset + sizeBytes) };
}
