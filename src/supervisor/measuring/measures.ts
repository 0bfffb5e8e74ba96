import { actorKey } from "../../kernel/actor.ts";
import type {
  FleetMeasures,
  UseMeasures,
  WorkerMeasures,
} from "../../kernel/condition/context/measure.ts";
import { isLive, type Amounts, type State, type Worker } from "../../kernel/state.ts";
import type { Gauge } from "./gauges.ts";
import type { MinuteRates } from "./rates.ts";

/** Units among flat budget keys. */
const UNIT = "units.";

/** What is said of a fleet that is not killed. */
export function measureFleet(
  state: State,
  so: { readonly rates: MinuteRates; readonly use: UseMeasures | undefined },
): FleetMeasures {
  const { refusalCount, endedCount, failureCount } = so.rates;
  const live = [...state.workers.values()].filter(isLive);
  const units: Record<string, number> = {};
  for (const worker of live)
    for (const [unit, amount] of unitsIn(worker.spent)) units[unit] = (units[unit] ?? 0) + amount;
  return {
    status: state.status === "paused" ? "paused" : "open",
    active_count: state.live_count,
    total_count: state.total_count,
    quarantined_count: live.filter(({ quarantine }) => quarantine !== null).length,
    refusals_per_minute: refusalCount,
    ended_per_minute: endedCount,
    failures_per_minute: failureCount,
    error_rate_percent: endedCount === 0 ? 0 : Math.floor((failureCount * 100) / endedCount),
    ...so.use,
    units,
  };
}

/** What is said of a worker that runs. */
export function measureWorker(
  worker: Worker,
  so: {
    readonly rates: MinuteRates;
    readonly gauge: Gauge;
    readonly silentMs: number | undefined;
    /** Wall time, ms since 1970. */
    readonly wallMs: number;
  },
): WorkerMeasures {
  const { id, name, depth, stale, granted, spent, registered_at_ms: sinceMs } = worker;
  const key = actorKey({ kind: "worker", id, via: "socket" });
  return {
    id,
    name,
    depth,
    stale,
    age_ms: Math.max(0, Math.floor(so.wallMs - (sinceMs ?? so.wallMs))),
    ...(so.silentMs !== undefined && { silent_ms: so.silentMs }),
    ...so.gauge,
    refusals_per_minute: so.rates.refusals.get(key) ?? 0,
    units: Object.fromEntries(unitsIn(spent)),
    budget: granted,
  };
}

function unitsIn(spent: Amounts): readonly (readonly [string, number])[] {
  return Object.entries(spent)
    .filter(([key]) => key.startsWith(UNIT))
    .map(([key, amount]) => [key.slice(UNIT.length), amount]);
}
