import type { Entry } from "../../kernel/entry.ts";
import { entryFrame } from "./frames.ts";

/** How many entries are kept at hand, and how many bytes all of them may have. */
const entriesMax = 4_096;
const bytesMax = 16 * 2 ** 20;

/** An entry that is written already. */
interface Framed {
  readonly seq: number;
  readonly bytes: Uint8Array;
}

/** A part of the journal as it is sent, and the newest entry in it. */
export interface Part {
  readonly pieces: readonly Uint8Array[];
  readonly lastSeq: number;
}

/** The newest entries as they are sent: each is written once, however many listen. */
export class RecentEntries {
  #framed: Framed[] = [];
  #bytes = 0;
  /** The entry before the oldest that is kept. */
  #baseSeq: number;

  constructor(headSeq: number) {
    this.#baseSeq = headSeq;
  }

  /** Takes in an entry; they come in their order. */
  add(entry: Entry): void {
    const bytes = entryFrame(entry);
    this.#framed.push({ seq: entry.seq, bytes });
    this.#bytes += bytes.length;
    if (this.#framed.length <= entriesMax && this.#bytes <= bytesMax) return;
    // Half of them at once: to take one off the front of an array is to move all others.
    const gone = this.#framed.splice(0, Math.ceil(this.#framed.length / 2));
    for (const { bytes: dropped } of gone) this.#bytes -= dropped.length;
    this.#baseSeq = gone.at(-1)?.seq ?? this.#baseSeq;
  }

  /**
   * What comes after an entry, up to about so many bytes; undefined where that is not kept any
   * more, and the journal has to be asked.
   */
  after(seq: number, partBytesMax: number): Part | undefined {
    if (seq < this.#baseSeq) return undefined;
    const pieces: Uint8Array[] = [];
    let [bytes, lastSeq] = [0, seq];
    for (let at = this.#indexAfter(seq); at < this.#framed.length; at += 1) {
      const one = this.#framed[at];
      if (one === undefined || bytes >= partBytesMax) break;
      pieces.push(one.bytes);
      bytes += one.bytes.length;
      lastSeq = one.seq;
    }
    return { pieces, lastSeq };
  }

  #indexAfter(seq: number): number {
    let [low, high] = [0, this.#framed.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#framed[middle]?.seq ?? Infinity) <= seq) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
