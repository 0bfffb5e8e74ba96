import type { Entry } from "../../kernel/entry.ts";
import type { State } from "../../kernel/state.ts";
import { isLive } from "../../kernel/state.ts";
import { toEdge, type Camel } from "../names.ts";
import { describeArmed, type ArmedDocument } from "./armed.ts";
import type { FeedKind } from "./feed.ts";

/** A fleet in numbers, at one moment; a frozen copy. */
export interface Metrics {
  /** The newest entry that they include. */
  readonly seq: number;
  readonly status: State["status"];
  /** Workers and reservations that count against `maxReplicas`. */
  readonly liveCount: number;
  readonly maxReplicas: number;
  /** `liveCount / maxReplicas`; above 1 after a tighter contract was enacted. */
  readonly utilisation: number;
  readonly admittedCount: number;
  readonly runningCount: number;
  readonly stoppingCount: number;
  readonly staleCount: number;
  readonly quarantinedCount: number;
  /** Admissions over the fleet's life. */
  readonly totalCount: number;
  /** How the fleet stands with its armed checks, and the newest of them. */
  readonly armed: Camel<ArmedDocument>;
  /** Entries that this handle has seen since it was opened, by kind. */
  readonly entries: Readonly<Record<string, number>>;
  /** Refusals that this handle has seen since it was opened, by code. */
  readonly refusals: Readonly<Record<string, number>>;
  /** What the rings of this handle have dropped. */
  readonly dropped: Readonly<Record<FeedKind, number>>;
}

/** What the counts are put together with, besides the state. */
interface Beside {
  readonly dropped: Readonly<Record<FeedKind, number>>;
  /** Wall time, ms since 1970: ages are for display. */
  readonly nowMs: number;
}

/** Counts what a handle sees go by. */
export class Counters {
  readonly #entries = new Map<string, number>();
  readonly #refusals = new Map<string, number>();

  /** Takes in an entry of the journal. */
  count(entry: Entry): void {
    addOne(this.#entries, entry.kind);
    if (entry.kind === "command.refused") addOne(this.#refusals, entry.data.code);
  }

  /** Puts the counts together with what the state says. */
  measure(state: State, so: Beside): Metrics {
    const { dropped, nowMs } = so;
    const live = [...state.workers.values()].filter(isLive);
    const countOf = (status: string): number =>
      live.filter((worker) => worker.status === status).length;
    const { max_replicas: maxReplicas } = state.contract;
    return Object.freeze({
      seq: state.seq,
      status: state.status,
      liveCount: state.live_count,
      maxReplicas,
      utilisation: state.live_count / maxReplicas,
      admittedCount: countOf("admitted"),
      runningCount: countOf("running"),
      stoppingCount: countOf("stopping"),
      staleCount: live.filter(({ stale }) => stale).length,
      quarantinedCount: live.filter(({ quarantine }) => quarantine !== null).length,
      totalCount: state.total_count,
      armed: toEdge(describeArmed(state, nowMs)),
      entries: Object.freeze(Object.fromEntries(this.#entries)),
      refusals: Object.freeze(Object.fromEntries(this.#refusals)),
      dropped,
    });
  }
}

function addOne(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
