const minuteMs = 60_000;
const slotMs = 1_000;

/** Counts what happened within the last minute, to the second, by key and in all. */
export class MinuteCount {
  /** By second, the oldest first: at most 61 of them. */
  readonly #slots: { readonly second: number; readonly counts: Map<string, number> }[] = [];

  /** Counts something that happened now, by a monotonic clock, ms. */
  add(key: string, nowMs: number, count = 1): void {
    const second = Math.floor(nowMs / slotMs);
    this.#drop(nowMs);
    let slot = this.#slots.at(-1);
    if (slot?.second !== second) {
      slot = { second, counts: new Map() };
      this.#slots.push(slot);
    }
    slot.counts.set(key, (slot.counts.get(key) ?? 0) + count);
  }

  /** How often it happened within the last minute, by key. */
  counts(nowMs: number): ReadonlyMap<string, number> {
    this.#drop(nowMs);
    const sums = new Map<string, number>();
    for (const { counts } of this.#slots)
      for (const [key, count] of counts) sums.set(key, (sums.get(key) ?? 0) + count);
    return sums;
  }

  #drop(nowMs: number): void {
    const oldest = Math.floor((nowMs - minuteMs) / slotMs);
    while ((this.#slots[0]?.second ?? Number.POSITIVE_INFINITY) <= oldest) this.#slots.shift();
  }
}
