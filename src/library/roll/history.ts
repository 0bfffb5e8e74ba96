import type { Entry } from "../../kernel/entry.ts";
import { rollKey } from "../../kernel/roster/roll.ts";
import type { RollChange } from "../../ports/bus.ts";

/** How many changes of an instance are shown. */
const CHANGES_MAX = 32;

/** For how long the past is shown, and an instance that ended is remembered, ms. */
export const HISTORY_MS = 24 * 3_600_000;

/** The newest changes of each instance, as entries tell them. */
export class RollHistory {
  readonly #changes = new Map<string, RollChange[]>();

  /** Takes in the newest entry. */
  hear(entry: Entry<"roll.changed">): void {
    const key = rollKey(entry.data);
    const { from, to, why } = entry.data;
    const changes = this.#changes.get(key) ?? [];
    changes.unshift({ at_ms: entry.at_ms, from, to, why });
    changes.length = Math.min(changes.length, CHANGES_MAX);
    this.#changes.set(key, changes);
  }

  /** Takes in entries from before those that were heard, the oldest first. */
  recall(entries: readonly Entry<"roll.changed">[]): void {
    const newer = new Map([...this.#changes].map(([key, changes]) => [key, [...changes]]));
    this.#changes.clear();
    for (const entry of entries) this.hear(entry);
    for (const [key, changes] of newer) {
      const all = [...changes, ...(this.#changes.get(key) ?? [])];
      this.#changes.set(key, all.slice(0, CHANGES_MAX));
    }
  }

  /** Drops what is known of an instance. */
  forget(key: string): void {
    this.#changes.delete(key);
  }

  /** The changes of an instance within a day before an instant, the newest first. */
  of(key: string, nowMs: number): readonly RollChange[] {
    const changes = this.#changes.get(key) ?? [];
    return changes.filter(({ at_ms }) => nowMs - at_ms < HISTORY_MS);
  }
}
