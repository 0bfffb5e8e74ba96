import type { Entry } from "../../kernel/entry.ts";
import { LIMITS } from "../../kernel/limits.ts";
import { GENESIS, type Head, type Journal } from "../../ports/journal.ts";
import { newestAbout, readable } from "../readable.ts";

/** What of a journal is read to judge somebody. */
type Reads = Pick<Journal, "about" | "read" | "readStored" | "head">;

/** Entries about one worker or lease that are asked for: the newest. */
const aboutMax = 256;

/** How many pages of the newest entries are looked through at most. */
const pagesMax = 16;

/** What holders do with leases that they have. */
const OWN_EVENTS: ReadonlySet<string> = new Set([
  "lease.released",
  "lease.narrowed",
  "lease.handed_over",
]);

/** How many ended leases are looked up for whose they were. */
const lookedUpMax = 256;

/**
 * Gathers entries, each once, in their order. What is about a worker or a lease is found by the
 * journal's index, which reaches into what was archived; what has no such place, such as whose a
 * released lease was, by the newest entries.
 */
export class Gathered {
  readonly #journal: Reads;
  readonly #entries = new Map<number, Entry>();
  readonly #asked = new Set<string>();

  constructor(journal: Reads) {
    this.#journal = journal;
  }

  /** The entries so far, in their order. */
  inOrder(): readonly Entry[] {
    return [...this.#entries.values()].toSorted((one, other) => one.seq - other.seq);
  }

  /** Adds the newest entries about workers and leases. */
  async addAbout(subjects: Iterable<string>): Promise<void> {
    for (const subject of subjects) {
      if (this.#asked.has(subject)) continue;
      this.#asked.add(subject);
      const { entries } = await newestAbout(this.#journal, subject, aboutMax);
      for (const entry of entries) this.#add(entry);
    }
  }

  /** Adds what was written since an instant, from the end on, as far as that is looked through. */
  async addSince(sinceMs: number): Promise<void> {
    let { seq: endSeq } = await this.#journal.head();
    for (let page = 0; page < pagesMax && endSeq > 0; page += 1) {
      const fromSeq = Math.max(0, endSeq - LIMITS.readEntriesMax);
      const after = await this.#headAt(fromSeq);
      if (after === undefined || after.seq >= endSeq) return;
      const entries = await readable(this.#journal.read(after, endSeq - after.seq));
      for (const entry of entries ?? []) if (entry.at_ms >= sinceMs) this.#add(entry);
      const [first] = entries ?? [];
      // A gap is where entries were lost: what lies before it is another epoch's.
      if (first === undefined || first.at_ms < sinceMs || after.seq > fromSeq) return;
      endSeq = after.seq;
    }
  }

  /** Looks up whose the leases were that somebody did something with, where that is not known. */
  async addGrants(): Promise<void> {
    const unknown = new Set<string>();
    for (const { kind, data } of this.inOrder().toReversed()) {
      if (!OWN_EVENTS.has(kind) || !("lease" in data) || typeof data.lease !== "string") continue;
      if (!this.#entries.has(Number(data.lease.slice(2)))) unknown.add(data.lease);
    }
    await this.addAbout([...unknown].slice(0, lookedUpMax));
  }

  #add(entry: Entry): void {
    this.#entries.set(entry.seq, entry);
  }

  async #headAt(seq: number): Promise<Head | undefined> {
    if (seq === 0) return GENESIS;
    const [stored] = (await readable(this.#journal.readStored(seq - 1, 1))) ?? [];
    // Within a gap, where entries were lost, it is a later one.
    return stored === undefined ? undefined : { seq: stored.seq, hash: stored.hash };
  }
}
