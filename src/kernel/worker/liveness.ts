import type { Observation } from "../command.ts";
import type { Contract } from "../fleet/contract.ts";
import { findLive, grant, type Ruling } from "../decision.ts";
import type { Event } from "../event.ts";
import { stopping } from "./life.ts";
import { LIMITS } from "../limits.ts";
import type { State, Worker } from "../state.ts";

/** How long a worker may be silent before it is stale, ms; at the bound it is stale. */
export function staleAfterMs(contract: Pick<Contract, "beat_every_ms">): number {
  return LIMITS.staleBeats * contract.beat_every_ms;
}

/**
 * Decides `worker.observe`: what follows from what a watcher saw.
 *
 * Silence makes stale, which stops nothing. Silence for `reap_after` reaps a worker whose sandbox
 * is not seen alive; one that is seen alive is flagged, and stopped only if the contract says so.
 * No row in the pulse store means unknown, never stale. In quarantine nothing is concluded.
 */
export function decideObserve(state: State, seen: Observation, ended: string | undefined): Ruling {
  const found = findLive(state, seen.worker, ended);
  if (!found.ok) return found;
  const { worker } = found;
  if (worker.status !== "running" || worker.quarantine !== null) return grant();
  return grant(...conclude(state.contract, worker, seen));
}

function conclude(contract: Contract, worker: Worker, seen: Observation): readonly Event[] {
  const heard = seen.beat_count !== undefined;
  const silent = seen.silent_ms >= staleAfterMs(contract);
  if (heard && !silent)
    return worker.stale || worker.flagged ? [said("worker.recovered", seen)] : [];
  const events: Event[] = [];
  if (heard && !worker.stale) events.push(said("worker.staled", seen));
  const { reap_after_ms } = contract;
  if (seen.silent_ms < reap_after_ms || seen.watched_ms < reap_after_ms) return events;
  if (seen.seen !== "alive") return [...events, ...stopping([worker], "reaped")];
  if (heard && !worker.flagged) events.push(said("worker.flagged", seen));
  if (heard && contract.silent_alive === "stop") events.push(...stopping([worker], "silent"));
  return events;
}

function said(
  kind: "worker.staled" | "worker.recovered" | "worker.flagged",
  data: Observation,
): Event {
  return { kind, data };
}
