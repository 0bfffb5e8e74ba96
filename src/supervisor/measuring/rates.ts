import { actorKey } from "../../kernel/actor.ts";
import type { Entry } from "../../kernel/entry.ts";
import type { EventMap } from "../../kernel/event.ts";
import { MinuteCount } from "./minute.ts";

/** What has happened within the last minute. */
export interface MinuteRates {
  /** By the key of the actor that was refused. */
  readonly refusals: ReadonlyMap<string, number>;
  readonly refusalCount: number;
  readonly endedCount: number;
  readonly failureCount: number;
}

/**
 * Counts refusals and ends as they are journaled, whoever journals them: so it knows of none before
 * it began. Refusals that were only counted come with the entry that tells how many.
 */
export class Rates {
  readonly #refusals = new MinuteCount();
  readonly #ends = new MinuteCount();

  /** Takes in an entry that was heard at an instant of the monotonic clock, ms. */
  hear(entry: Entry, nowMs: number): void {
    const { kind, data, actor } = entry;
    if (kind === "command.refused") this.#refusals.add(actorKey(actor), nowMs);
    else if (kind === "refusals.suppressed") this.#refusals.add(data.actor_key, nowMs, data.count);
    else if (kind === "worker.stopped") this.#ends.add(hasFailed(data) ? FAILED : ENDED, nowMs);
  }

  /** What has happened in the minute before an instant. */
  at(nowMs: number): MinuteRates {
    const refusals = this.#refusals.counts(nowMs);
    const ends = this.#ends.counts(nowMs);
    const failureCount = ends.get(FAILED) ?? 0;
    return {
      refusals,
      refusalCount: [...refusals.values()].reduce((sum, count) => sum + count, 0),
      endedCount: failureCount + (ends.get(ENDED) ?? 0),
      failureCount,
    };
  }
}

const FAILED = "failed";
const ENDED = "ended";

/** Whether a worker ended badly: by itself, or by a limit that it ran into. */
function hasFailed({ reason, outcome }: EventMap["worker.stopped"]): boolean {
  const isLimited = outcome.oom_killed === true || outcome.timed_out === true;
  return reason === "failed" || reason === "budget_spent" || isLimited;
}
