import type { HitLimit, HitMeasure, LimitHit } from "../../kernel/worker/limit.ts";
import type { Cut } from "./cut.ts";

/** What a sandbox is held to that nothing but its driver counts. */
export interface Held {
  readonly open_files?: number;
  readonly scratch_bytes?: number;
  readonly output_bytes?: number;
}

/** How often one sandbox was found up against what it is held to, by whoever started it. */
export class Tally {
  readonly held: Held;
  readonly #hits = new Map<HitLimit, HitMeasure>();
  /** Those that it was up against when it was last looked at. */
  readonly #reached = new Set<HitLimit>();
  #droppedBytes = 0;

  constructor(held: Held) {
    this.held = held;
  }

  /** All that was counted, each limit once. */
  get hits(): readonly LimitHit[] {
    return [...this.#hits].map(([limit, hit]) => ({ limit, ...hit }));
  }

  /** Takes note of a look: who stays up against a limit has come to it once. */
  look(limit: HitLimit, so: { readonly value: number; readonly use: number }): void {
    const wasReached = this.#reached.delete(limit);
    if (so.use < so.value) return;
    this.#reached.add(limit);
    if (!wasReached) this.#count(limit, so);
  }

  /** Takes note of a hit that is counted elsewhere. */
  set(limit: HitLimit, hit: HitMeasure): void {
    this.#hits.set(limit, hit);
  }

  /** Takes note that output was cut, which had been so long, bytes. */
  cut(value: number, cut: Cut): void {
    this.#count("output_bytes", { value, use: this.#droppedBytes + cut.sizeBytes });
    this.#droppedBytes += cut.droppedBytes;
  }

  #count(limit: HitLimit, so: { readonly value: number; readonly use: number }): void {
    this.#hits.set(limit, { ...so, count: (this.#hits.get(limit)?.count ?? 0) + 1 });
  }
}
