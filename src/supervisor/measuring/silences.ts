import type { Seat } from "../../library/seat.ts";
import { SilenceWindows } from "../../runtime/silence.ts";

/** How long workers have been silent, as this supervisor sees it when it looks. */
export class Silences {
  readonly #seat: Seat;
  readonly #windows = new SilenceWindows();

  constructor(seat: Seat) {
    this.#seat = seat;
  }

  /** The silence of these workers, ms; none for who has not beaten yet. */
  async of(workers: readonly string[]): Promise<ReadonlyMap<string, number>> {
    const { store, clock, loop } = this.#seat;
    const { rows, generation } = await store.pulse.read();
    const counts = new Map(rows.map((row) => [row.worker, row.count]));
    const nowMs = clock.monotonicMs();
    const silences = new Map<string, number>();
    for (const id of workers) {
      const count = counts.get(id);
      const seen = this.#windows.see(id, { count, generation }, nowMs).at(nowMs, "unknown");
      if (count !== undefined) silences.set(id, seen.silent_ms);
    }
    this.#windows.keepOnly(new Set(workers));
    // The watcher drops the beats of the dead; here they are only to be forgotten.
    this.#windows.takeDead(loop.state());
    return silences;
  }

  /** Lets time pass in which nobody looked. */
  pass(ms: number): void {
    this.#windows.pass(ms);
  }
}
