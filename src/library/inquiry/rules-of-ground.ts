import type { Entry } from "../../kernel/entry.ts";
import { DEFAULT_GROUND_RULES, type GroundRules } from "../../kernel/lane/lane.ts";
import type { Journal } from "../../ports/journal.ts";
import { readBackwards } from "./backwards.ts";

/**
 * What was in force about ground at entries that are gone past from the newest to the oldest. It
 * reads back only as far as it must to know: not at all, where nothing was enacted in between.
 */
export class RulesOfGround {
  readonly #journal: Journal;
  #rules: GroundRules;
  /** The enactment that was gone past last, where what was before it is not known yet. */
  #passedSeq: number | undefined;
  #enactments: AsyncGenerator<Entry<"lanes.enacted">, void, undefined> | undefined;

  /** Begins with the rules that are in force at the journal's end. */
  constructor(journal: Journal, now: GroundRules) {
    this.#journal = journal;
    this.#rules = now;
  }

  /** Goes past an entry by which rules were enacted: others were in force before it. */
  passEnactment(seq: number): void {
    this.#passedSeq = seq;
  }

  /** The rules that were in force before all that was gone past. Throws what reading throws. */
  async inForce(): Promise<GroundRules> {
    const before = this.#passedSeq;
    if (before === undefined) return this.#rules;
    this.#enactments ??= enactmentsBefore(this.#journal, before);
    for (;;) {
      const next = await this.#enactments.next();
      if (next.done !== true && next.value.seq >= before) continue;
      this.#rules = next.done === true ? DEFAULT_GROUND_RULES : next.value.data;
      this.#passedSeq = undefined;
      return this.#rules;
    }
  }
}

/** What was enacted about ground up to an entry, the newest first. */
async function* enactmentsBefore(
  journal: Journal,
  newestSeq: number,
): AsyncGenerator<Entry<"lanes.enacted">, void, undefined> {
  for await (const page of readBackwards(journal, { newestSeq, oldestSeq: 1 }))
    for (const entry of page.toReversed()) if (entry.kind === "lanes.enacted") yield entry;
}
