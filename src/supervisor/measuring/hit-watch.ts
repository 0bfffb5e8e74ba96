import { LIMITS } from "../../kernel/limits.ts";
import type { LimitHit } from "../../kernel/worker/limit.ts";
import { errorText } from "../../library/error-text.ts";
import type { Sandboxes } from "../../library/process/sandboxes.ts";
import { supervisorOf, type Seat } from "../../library/seat.ts";
import { hasEnded } from "../../library/worker/until.ts";

/** How often it is looked, ms. */
const PASS_EVERY_MS = 1_000;

/** Sandboxes looked at in one pass; of more, each is looked at less often: the kernel counts on. */
const LOOKS_MAX = 100;

/**
 * Looks what limits the own sandboxes have hit, a pass a second, and tells the journal of what is
 * new. What is hit right before an end is told with the end.
 */
export class HitWatch {
  readonly #seat: Seat;
  readonly #sandboxes: Sandboxes;
  /** When what was told last, by worker and limit: asking sooner would write nothing. */
  readonly #toldAtMs = new Map<string, Map<string, number>>();
  #cancel: (() => void) | undefined;
  #passing: Promise<void> = Promise.resolve();
  /** Where among the own sandboxes the next pass begins. */
  #from = 0;
  #isClosed = false;

  constructor(seat: Seat, sandboxes: Sandboxes) {
    this.#seat = seat;
    this.#sandboxes = sandboxes;
    this.#later();
  }

  /** Drops what is known of a worker that has ended. */
  forget(id: string): void {
    this.#toldAtMs.delete(id);
  }

  /** Looks no more, and waits for a look that is under way. Safe to call twice. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cancel?.();
    await this.#passing;
  }

  #later(): void {
    if (this.#isClosed) return;
    this.#cancel = this.#seat.timers.after(PASS_EVERY_MS, () => {
      this.#passing = this.#pass().finally(() => this.#later());
    });
  }

  async #pass(): Promise<void> {
    for (const id of this.#next()) {
      if (this.#isClosed) return;
      if (this.#sandboxes.isRunning(id)) await this.#look(id);
    }
  }

  /** The sandboxes of one pass, going on behind those of the last one. */
  #next(): readonly string[] {
    const own = [...this.#sandboxes.own];
    if (own.length <= LOOKS_MAX) return own;
    const from = this.#from % own.length;
    this.#from = from + LOOKS_MAX;
    return [...own.slice(from), ...own.slice(0, from)].slice(0, LOOKS_MAX);
  }

  async #look(id: string): Promise<void> {
    try {
      const hits = (await this.#sandboxes.hits(id)).filter((hit) => this.#isNew(id, hit));
      if (hits.length > 0) await this.#tell(id, hits);
    } catch (error) {
      // Counts only grow, and are told with the end at the latest.
      const facts = { worker: id, error: errorText(error) };
      this.#seat.log.warn("limits that were hit could not be told yet", facts);
    }
  }

  #isNew(id: string, { limit, count }: LimitHit): boolean {
    const worker = this.#seat.loop.state().workers.get(id);
    if (worker === undefined || hasEnded(worker)) return false;
    const toldAtMs = this.#toldAtMs.get(id)?.get(limit) ?? -Infinity;
    const isDue = this.#seat.clock.monotonicMs() - toldAtMs >= LIMITS.limitHitEveryMs;
    return isDue && count > (worker.limits_hit[limit]?.count ?? 0);
  }

  async #tell(id: string, hits: readonly LimitHit[]): Promise<void> {
    const data = { worker: id, limits_hit: hits };
    const answer = await this.#seat.loop.submit(
      { kind: "worker.hit_limit", data },
      supervisorOf(this.#seat),
    );
    if (!answer.ok || !this.#sandboxes.isOwn(id)) return;
    const told = this.#toldAtMs.get(id) ?? new Map<string, number>();
    this.#toldAtMs.set(id, told);
    for (const entry of answer.entries)
      if (entry.kind === "worker.limit_hit")
        told.set(entry.data.limit, this.#seat.clock.monotonicMs());
  }
}
