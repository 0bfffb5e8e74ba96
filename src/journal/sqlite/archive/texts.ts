import { Fault } from "../../../ports/fault.ts";
import type { PlacedEntry, Segment } from "../../../ports/journal.ts";
import { decodePointer, isPointer } from "../../archive/pointer.ts";
import { asBrokenSegment, brokenSegment, readArchived } from "../../archive/reading.ts";
import type { ArchiveFolder, OpenSegment } from "../../archive/folder.ts";
import type { SegmentTable } from "./table.ts";

/** How many files of segments are kept open: one for each of those who read at once, mostly. */
const OPEN_MAX = 4;

/** Finds the texts of entries that rows have given up, in the files of the archive. */
export class ArchivedTexts {
  readonly #folder: ArchiveFolder;
  readonly #table: SegmentTable;
  /** By their first seq, the one that was opened last at the end. */
  readonly #open = new Map<number, { readonly segment: Segment; readonly bytes: OpenSegment }>();
  #used: { readonly segment: Segment; readonly bytes: OpenSegment } | undefined;

  constructor(folder: ArchiveFolder, table: SegmentTable) {
    this.#folder = folder;
    this.#table = table;
  }

  /**
   * An entry with its text, wherever that is; what comes out of the archive is verified by its
   * hash. Throws `Fault` `archive_broken`, and `journal_corrupt` where no segment has it.
   */
  resolve(placed: PlacedEntry): PlacedEntry {
    const { seq, text, hash } = placed;
    if (!isPointer(text)) return placed;
    const { segment, bytes } = this.#holding(seq);
    try {
      const stored = readArchived(bytes, segment, { at: decodePointer(text, seq), hash });
      return { seq, ...stored };
    } catch (error) {
      throw asBrokenSegment(error, bytes.path, segment);
    }
  }

  /** Closes the files. */
  close(): void {
    this.#used = undefined;
    for (const { bytes } of this.#open.values()) bytes.close();
    this.#open.clear();
  }

  #holding(seq: number): { readonly segment: Segment; readonly bytes: OpenSegment } {
    const used = this.#used;
    if (used !== undefined && used.segment.firstSeq <= seq && seq <= used.segment.last.seq)
      return used;
    const segment = this.#table.holding(seq);
    if (segment === undefined) {
      throw new Fault("journal_corrupt", `entry ${seq} must be in a segment, none has it`);
    }
    const found = this.#open.get(segment.firstSeq) ?? this.#openSegment(segment);
    this.#used = found;
    return found;
  }

  #openSegment(segment: Segment): { readonly segment: Segment; readonly bytes: OpenSegment } {
    const bytes = openRecorded(this.#folder, segment);
    const [oldest] = this.#open;
    if (this.#open.size >= OPEN_MAX && oldest !== undefined) {
      oldest[1].bytes.close();
      this.#open.delete(oldest[0]);
    }
    const found = { segment, bytes };
    this.#open.set(segment.firstSeq, found);
    return found;
  }
}

/** Opens the file of a segment that is recorded. Throws `Fault` `archive_broken`. */
export function openRecorded(folder: ArchiveFolder, segment: Segment): OpenSegment {
  try {
    const bytes = folder.open(segment.name);
    if (bytes.sizeBytes === segment.sizeBytes) return bytes;
    bytes.close();
    const what = `it must have ${segment.sizeBytes} bytes, it has ${bytes.sizeBytes}`;
    throw brokenSegment(bytes.path, segment, { what });
  } catch (error) {
    throw asBrokenSegment(error, folder.pathOf(segment.name), segment);
  }
}
