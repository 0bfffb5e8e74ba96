import type { Entry } from "../kernel/entry.ts";
import { LIMITS } from "../kernel/limits.ts";
import type { State } from "../kernel/state.ts";
import { Fault } from "../ports/fault.ts";
import type { Journal } from "../ports/journal.ts";
import type { Log } from "../ports/log.ts";
import { deepFreeze } from "./canonical.ts";
import { advance, type Place } from "./place.ts";

/** Told of entries after they were folded. */
export type EntryListener = (entry: Entry) => void;

/**
 * Follows a journal: holds the state at the newest entry seen, and tells listeners of every entry
 * once, in order. A journal found broken, shorter or forked stops it for good: from then on it
 * answers with that fault only, never with a smaller state.
 *
 * It does not guard against itself: whoever calls `catchUp` and `adopt` sees to it that only one
 * of them runs at a time.
 */
export class Follower {
  readonly #journal: Journal;
  readonly #log: Log;
  readonly #listeners = new Set<EntryListener>();
  #place: Place;
  #fault: Fault | undefined;

  constructor(place: Place, so: { readonly journal: Journal; readonly log: Log }) {
    this.#place = place;
    this.#journal = so.journal;
    this.#log = so.log;
    if (place.state.fleet !== null) this.#tellTolerance();
  }

  /** Where it stands. */
  get place(): Place {
    return this.#place;
  }

  /** Adds a listener and returns how to remove it. */
  listen(listener: EntryListener): () => void {
    // A wrapper, so that the same function may listen twice and leave once.
    const told: EntryListener = (entry) => listener(entry);
    this.#listeners.add(told);
    return () => void this.#listeners.delete(told);
  }

  /** Throws the fault that stopped it, if one has. */
  mustGoOn(): void {
    if (this.#fault !== undefined) throw this.#fault;
  }

  /** Runs something that asks the journal; a fault of the journal itself stops this follower. */
  async asking<T>(work: () => Promise<T>): Promise<T> {
    this.mustGoOn();
    try {
      return await work();
    } catch (error) {
      if (error instanceof Fault && error.code.startsWith("journal_")) {
        this.#log.warn("the journal cannot be trusted any more", { code: error.code });
        this.#fault = error;
      }
      throw error;
    }
  }

  /** Reads what others have appended, if anything. Throws `Fault` `journal_*`. */
  async catchUp(): Promise<void> {
    await this.asking(async () => {
      if (!(await this.#isBehind())) return;
      for (;;) {
        const entries = await this.#journal.read(this.#place.head, LIMITS.readEntriesMax);
        if (entries.length === 0) return;
        this.adopt(entries);
      }
    });
  }

  /** Goes on by entries that follow the place; `state` is their fold where it is known already. */
  adopt(entries: readonly Entry[], state?: State): void {
    const before = this.#place.state;
    // Listeners get the very objects that the state was folded from.
    deepFreeze(entries);
    this.#place = advance(this.#place, entries, state);
    if (before.contract !== this.#place.state.contract) this.#tellTolerance();
    for (const entry of entries) this.#tell(entry);
  }

  async #isBehind(): Promise<boolean> {
    const actual = await this.#journal.head();
    const seen = this.#place.head;
    if (actual.seq > seen.seq) return true;
    const is = `entry ${actual.seq} (${actual.hash})`;
    const must = `the journal must end at or after entry ${seen.seq} (${seen.hash})`;
    if (actual.seq < seen.seq) {
      throw new Fault("journal_truncated", `${must}, seen by this process, it ends at ${is}`);
    }
    if (actual.hash !== seen.hash) {
      throw new Fault("journal_forked", `${must}, seen by this process, it ends at ${is}`);
    }
    return false;
  }

  #tellTolerance(): void {
    this.#journal.setClockTolerance(this.#place.state.contract.clock_tolerance_ms);
  }

  #tell(entry: Entry): void {
    for (const listener of this.#listeners) {
      try {
        listener(entry);
      } catch (error) {
        // A stranger's listener must not stop the loop, nor keep others from hearing.
        this.#log.warn("a listener to entries threw", { seq: entry.seq, error });
      }
    }
  }
}
