import { rollKey } from "../../kernel/roster/roll.ts";
import { everyOf, expectedOf } from "../../kernel/roster/roster.ts";
import type { RollDocument } from "../../ports/bus.ts";
import type { Reading } from "../reading.ts";
import { rollDocument, type InstanceSight } from "./document.ts";
import { workerSights } from "./worker-sights.ts";

/** Why nothing is known where nobody listens. */
const NO_BUS = "no bus: no supervisor runs";

/**
 * The roll where no supervisor runs: who is on record and when each was last heard. How they
 * stand nobody can tell, so each is unknown.
 */
export function rollOnRecord(reading: Reading, why = NO_BUS): RollDocument {
  const { state, beats, instances, nowMs } = reading;
  const pulses = new Map(instances.map((one) => [rollKey(one), one]));
  const sights: InstanceSight[] = [];
  for (const { name, instance, since_ms, first_ms, every_ms } of state.roll.values()) {
    const pulse = pulses.get(rollKey({ name, instance }));
    sights.push({
      name,
      firstMs: first_ms,
      row: {
        instance,
        kind: "service",
        status: "unknown",
        why,
        since_ms,
        last_heard_at_ms: pulse?.receivedAtMs ?? null,
        age_ms: pulse === undefined ? null : Math.max(0, nowMs - pulse.receivedAtMs),
        count: pulse?.count ?? 0,
        every_ms: expectedOf(state.roster, name)?.every_ms ?? pulse?.everyMs ?? every_ms,
        ...(pulse?.progress === undefined ? {} : { progress: pulse.progress }),
        ...pulse?.about,
        history: [],
      },
    });
  }
  return rollDocument({
    atMs: nowMs,
    bus: { up: false, why },
    watchingSinceMs: null,
    roster: state.roster,
    own: [],
    services: sights,
    workers: workerSights(state, { pulses: beats, nowMs }),
    everyMs: (name) => everyOf(state.roster, name),
  });
}
