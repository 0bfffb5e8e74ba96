import type { Entry } from "../kernel/entry.ts";
import { compactBy } from "../library/archive/compacting.ts";
import { errorText } from "../library/error-text.ts";
import type { Seat } from "../library/seat.ts";
import { codeOf } from "../ports/error-code.ts";
import { journalTimeNow, planCompaction, type KeepRule } from "../runtime/compaction/plan.ts";

/** How often entries are looked for that are to be archived, ms. */
const ARCHIVE_EVERY_MS = 3_600_000;

/** How long after it has begun to serve a supervisor looks first, ms: it has other work then. */
const FIRST_MS = 60_000;

/** What archiving works with. */
export type ArchivingSeat = Pick<Seat, "timers" | "log"> & {
  readonly loop: Pick<Seat["loop"], "onEntry" | "state">;
  readonly store: Pick<Seat["store"], "journal">;
  readonly keys: Pick<Seat["keys"], "signer">;
};

/**
 * Moves entries into the archive that the contract's retention lets go, once an hour. It signs
 * nothing: what comes after the newest signed snapshot waits for the next one. A kill has
 * everything to itself: what is under way is cut short, and nothing is begun any more.
 */
export class Archiving {
  readonly #seat: ArchivingSeat;
  readonly #unsubscribe: () => void;
  readonly #over = new AbortController();
  #cancel: (() => void) | undefined;
  #running: Promise<void> | undefined;

  constructor(seat: ArchivingSeat) {
    this.#seat = seat;
    this.#unsubscribe = seat.loop.onEntry((entry) => this.#hear(entry));
    if (seat.loop.state().status === "killed") this.#over.abort();
    this.#plan(FIRST_MS);
  }

  /** Begins nothing more, and waits for what is under way to be cut short. Safe to call twice. */
  async close(): Promise<void> {
    this.#unsubscribe();
    this.#stop();
    await this.#running;
  }

  #hear({ kind }: Entry): void {
    if (kind === "fleet.killed") this.#stop();
  }

  #stop(): void {
    this.#over.abort(new Error("the supervisor has other work"));
    this.#cancel?.();
  }

  #plan(afterMs: number): void {
    if (this.#over.signal.aborted) return;
    this.#cancel = this.#seat.timers.after(afterMs, () => {
      this.#running = this.#archive().finally(() => {
        this.#running = undefined;
        this.#plan(ARCHIVE_EVERY_MS);
      });
    });
  }

  /** Never throws: what could not be archived stays where it is, and is looked at in an hour. */
  async #archive(): Promise<void> {
    const { loop, store, keys, log } = this.#seat;
    const { keep_ms: keepMs, keep_entries: keepEntries } = loop.state().contract.retention;
    if (keepMs === 0 && keepEntries === 0) return;
    const { journal } = store;
    const keep: KeepRule = {
      keepMs: keepMs === 0 ? null : keepMs,
      keepEntries: keepEntries === 0 ? null : keepEntries,
    };
    try {
      const opening = { journal, signer: keys.signer, log };
      const nowMs = keep.keepMs === null ? 0 : await journalTimeNow(journal);
      const plan = await planCompaction(opening, keep, nowMs);
      const { signal } = this.#over;
      const { segments, movedCount } = await compactBy(journal, plan, { signal });
      const archivedSeq = segments.at(-1)?.last.seq ?? plan.archivedSeq;
      if (movedCount > 0) log.info("entries were archived", { movedCount, archivedSeq });
    } catch (error) {
      // Another compacts, or there is other work.
      if (this.#over.signal.aborted || codeOf(error) === "storage_busy") return;
      log.warn("old entries could not be archived", { error: errorText(error) });
    }
  }
}
