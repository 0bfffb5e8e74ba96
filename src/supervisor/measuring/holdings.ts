/** Something that holds now. */
export interface Held {
  /** For how long it was seen to hold without a break, ms. */
  readonly heldMs: number;
  /** Whether it has had its effect since it began to hold. */
  readonly isSpent: boolean;
}

/**
 * Since when things hold without a break, by the monotonic clock of whoever looks. What has had its
 * effect has none again before it was seen not to hold.
 */
export class Holdings {
  readonly #held = new Map<string, { sinceMs: number; isSpent: boolean }>();

  /** Takes in what was seen at an instant; undefined for what does not hold. */
  see(key: string, holds: boolean, nowMs: number): Held | undefined {
    if (!holds) {
      this.#held.delete(key);
      return undefined;
    }
    const known = this.#held.get(key) ?? { sinceMs: nowMs, isSpent: false };
    this.#held.set(key, known);
    return { heldMs: Math.floor(nowMs - known.sinceMs), isSpent: known.isSpent };
  }

  /** Has what holds take effect only once. */
  spend(key: string): void {
    const known = this.#held.get(key);
    if (known !== undefined) known.isSpent = true;
  }

  /** Lets time pass in which nobody looked: it counts for nothing. */
  pass(ms: number): void {
    for (const held of this.#held.values()) held.sinceMs += ms;
  }

  /** Drops what nobody asks about any more. */
  keepOnly(keys: ReadonlySet<string>): void {
    for (const key of this.#held.keys()) if (!keys.has(key)) this.#held.delete(key);
  }
}
