import { LIMITS } from "../../kernel/limits.ts";
import { errorText } from "../error-text.ts";
import { newestAbout } from "../readable.ts";
import type { Seat } from "../seat.ts";
import { settledWithin } from "../waiting.ts";

/** Of how many newest entries about a worker its end is looked for: it is one of the last. */
const entriesMax = 64;

/**
 * Tells apart whom a kill has ended from whom it came too late for. Whoever ends a sandbox journals
 * that and then forgets the sandbox; a kill that comes in between still finds what is left of it:
 *
 *     supervisor:  ends it ── worker.stopped ───────────────── forgets it
 *     kill:                                   lists it ── finds nothing alive in it
 *
 * Made when a kill begins: it looks at once where the journal ends.
 */
export class EndedBefore {
  readonly #seat: Seat;
  readonly #head: Promise<number>;

  constructor(seat: Seat) {
    this.#seat = seat;
    this.#head = headOf(seat);
  }

  /**
   * Those of some workers whose end was on record when the kill began; those of `since` have ended
   * after it, as was heard. Never throws.
   */
  async among(ids: Iterable<string>, since: ReadonlySet<string>): Promise<ReadonlySet<string>> {
    const headSeq = await this.#head;
    const found = new Set<string>();
    for (const id of ids) if (!since.has(id) && (await this.#hadEnded(id, headSeq))) found.add(id);
    return found;
  }

  async #hadEnded(id: string, headSeq: number): Promise<boolean> {
    try {
      const { entries } = await newestAbout(this.#seat.store.journal, id, entriesMax);
      return entries.some(({ kind, seq }) => ENDS.has(kind) && seq <= headSeq);
    } catch (error) {
      // Whoever is listed without need harms nobody; who is left out might be missed.
      this.#seat.log.warn("an earlier end could not be looked for", { error: errorText(error) });
      return false;
    }
  }
}

const ENDS: ReadonlySet<string> = new Set(["worker.stopped", "worker.lapsed"]);

/** What this process has not seen yet may be on record; what it cannot ask it takes as it knows. */
async function headOf({ store, loop, timers }: Seat): Promise<number> {
  const { seq } = loop.head();
  const asked = await settledWithin(store.journal.head(), LIMITS.killAppendMs, timers);
  return asked.kind === "done" ? asked.value.seq : seq;
}
