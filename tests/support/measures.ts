// What a supervisor could have measured of the worker a of a play, and of its fleet.
import type {
  FleetMeasures,
  Measures,
  WorkerMeasures,
} from "../../src/kernel/condition/context/measure.ts";
import type { Actor } from "../../src/kernel/actor.ts";
import type { CommandMap } from "../../src/kernel/command.ts";
import type { KillCondition } from "../../src/kernel/fleet/contract.ts";
import { ask, idOf, SUPERVISOR, type Ask } from "./scenario.ts";

const FLEET: FleetMeasures = {
  status: "open",
  active_count: 1,
  total_count: 1,
  quarantined_count: 0,
  refusals_per_minute: 0,
  ended_per_minute: 0,
  failures_per_minute: 0,
  error_rate_percent: 0,
  units: {},
};

const WORKER: WorkerMeasures = {
  id: idOf("a"),
  name: "a",
  depth: 0,
  stale: false,
  age_ms: 5_000,
  refusals_per_minute: 0,
  units: {},
  budget: {},
};

/** Measures that differ from a quiet fleet's in some fields; without a worker it is the fleet's. */
export function measuresOf(
  so: {
    readonly fleet?: Partial<FleetMeasures>;
    readonly worker?: Partial<WorkerMeasures>;
  } = {},
): Measures {
  const fleet = { ...FLEET, ...so.fleet };
  return so.worker === undefined ? { fleet } : { fleet, worker: { ...WORKER, ...so.worker } };
}

/** Conditions of a contract, one of each action about a worker and one about the fleet. */
export const HOGS: readonly KillCondition[] = [
  hog("hog", "quarantine"),
  hog("hog-stop", "stop"),
  hog("hog-pause", "pause"),
  hog("hog-kill", "kill"),
  { name: "storm", when: "fleet.refusals_per_minute >= 10", for_ms: 0, action: "pause" },
  { name: "crowd", when: "fleet.active_count >= 3", for_ms: 500, action: "kill" },
];

function hog(name: string, action: KillCondition["action"]): KillCondition {
  return { name, when: "worker.memory_bytes > 1000", for_ms: 1_000, action };
}

/** A supervisor says that a condition has held about a worker that uses much. */
export function trip(
  name: string,
  so: Partial<CommandMap["condition.trip"]> & { readonly by?: Actor; readonly ended?: string } = {},
): Ask {
  const { by = SUPERVISOR, ended, ...others } = so;
  const worker = idOf(name);
  const measures = measuresOf({ worker: { id: worker, memory_bytes: 2_000 } });
  const data = { condition: "hog", worker, measures, held_ms: 1_000, ...others };
  return ask("condition.trip", data, { by, ...(ended === undefined ? {} : { ended }) });
}

/** A supervisor says that a condition has held about the fleet. */
export function tripFleet(
  condition: string,
  fleet: Partial<FleetMeasures>,
  so: Partial<CommandMap["condition.trip"]> = {},
): Ask {
  const data = { condition, measures: measuresOf({ fleet }), held_ms: 1_000, ...so };
  return ask("condition.trip", data, { by: SUPERVISOR });
}

/** A supervisor says that a condition could not be decided. */
export function failCondition(condition: string): Ask {
  return ask("condition.fail", { condition, problem: "no gauge" }, { by: SUPERVISOR });
}
