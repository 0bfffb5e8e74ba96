import { LIMITS } from "../limits.ts";

/** How an instance stands in the roll; `unknown`: nobody has heard it yet. */
export type RollStatus = "ok" | "stale" | "unknown" | "stopping" | "stopped";

/** How an instance that was heard stands. */
export type JudgedStatus = Exclude<RollStatus, "unknown">;

/** What a newest beat said: it goes on, it is about to end, or it was the goodbye. */
export type SaidByBeat = "up" | "stopping" | "stopped";

/**
 * What a watcher heard of one instance, on its own monotonic clock: no instant of the sender's
 * clock enters a decision (I11).
 */
export interface Sighting {
  readonly name: string;
  readonly instance: string;
  /** How often it beats, ms, as it declared, or the default. */
  readonly every_ms: number;
  /** How long the watcher has seen the same count, whole ms. */
  readonly silent_ms: number;
  /** What its newest beat said. */
  readonly said: SaidByBeat;
  /** Beats counted. */
  readonly beat_count?: number;
}

/** A verdict on a sighting, with why in words. */
export interface Judgement {
  readonly status: JudgedStatus;
  readonly why: string;
}

/** How long an instance may be silent before it is stale, ms; at the bound it is stale. */
export function rollStaleAfterMs(everyMs: number): number {
  return LIMITS.staleBeats * everyMs;
}

/**
 * How an instance stands by what was heard of it. Who said goodbye has stopped, for however long
 * it is silent; who said that it is about to end and then went silent did not get there.
 */
export function judge({ said, silent_ms }: Sighting, everyMs: number): Judgement {
  if (said === "stopped") return { status: "stopped", why: "it said that it has stopped" };
  const boundMs = rollStaleAfterMs(everyMs);
  if (silent_ms >= boundMs) {
    const before = said === "stopping" ? ", it had said that it is stopping" : "";
    const why = `silent for ${silent_ms} ms, it must beat within ${boundMs} ms${before}`;
    return { status: "stale", why };
  }
  if (said === "stopping") return { status: "stopping", why: "it said that it is stopping" };
  return { status: "ok", why: `it beats within ${boundMs} ms` };
}
