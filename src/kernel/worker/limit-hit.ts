import type { CommandMap } from "../command.ts";
import { findLive, grant, type Ruling } from "../decision.ts";
import type { Event } from "../event.ts";
import { LIMITS } from "../limits.ts";
import type { State, Worker } from "../state.ts";
import type { LimitHit, RecordedHits } from "./limit.ts";

/**
 * Decides `worker.hit_limit`: what a supervisor has seen a worker come up against. One entry a
 * minute for each limit, and none where its count has not grown, so that a repeated one writes
 * nothing.
 */
export function decideHitLimit(
  state: State,
  request: CommandMap["worker.hit_limit"],
  so: { readonly atMs: number; readonly ended: string | undefined },
): Ruling {
  const found = findLive(state, request.worker, so.ended);
  if (!found.ok) return found;
  const { worker } = found;
  const isDue = ({ limit }: LimitHit): boolean => {
    const told = worker.limits_hit[limit];
    return told === undefined || so.atMs - told.at_ms >= LIMITS.limitHitEveryMs;
  };
  return grant(...newHits(worker, request.limits_hit.filter(isDue)));
}

/** The events for hits that are not on record yet: the last of a worker wait for no minute. */
export function newHits(worker: Worker, hits: readonly LimitHit[]): readonly Event[] {
  return hits
    .filter(({ limit, count }) => count > (worker.limits_hit[limit]?.count ?? 0))
    .map((hit) => ({ kind: "worker.limit_hit", data: { worker: worker.id, ...hit } }));
}

/** What is on record of a worker's hits after one more. */
export function recordHit(worker: Worker, hit: LimitHit, atMs: number): RecordedHits {
  const { limit, value, use, count } = hit;
  return { ...worker.limits_hit, [limit]: { value, use, count, at_ms: atMs } };
}
