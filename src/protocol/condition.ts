import type { z } from "zod";
import type { Measures } from "../kernel/condition/context/measure.ts";
import { LIMITS } from "../kernel/limits.ts";
import { budgetSchema } from "./budget.ts";
import {
  byName,
  flag,
  magnitude,
  oneOf,
  plainName,
  record,
  text,
  workerReference,
} from "./scalar.ts";

const use = {
  cpu_milli: magnitude.optional(),
  memory_bytes: magnitude.optional(),
  processes: magnitude.optional(),
};

/** What was charged, by unit: of more units than one budget has, where it is the fleet's. */
const units = byName(text(LIMITS.unitNameMax, 1), magnitude, "an object of amounts by unit name");

const workerMeasures = record({
  id: workerReference,
  name: plainName,
  depth: magnitude,
  stale: flag,
  age_ms: magnitude,
  silent_ms: magnitude.optional(),
  ...use,
  cpu_ms: magnitude.optional(),
  refusals_per_minute: magnitude,
  units,
  budget: budgetSchema,
});

const measures = record({
  fleet: record({
    status: oneOf(["open", "paused"]),
    active_count: magnitude,
    total_count: magnitude,
    quarantined_count: magnitude,
    refusals_per_minute: magnitude,
    ended_per_minute: magnitude,
    failures_per_minute: magnitude,
    error_rate_percent: magnitude,
    ...use,
    units,
  }),
  worker: workerMeasures.optional(),
}) as unknown as z.ZodType<Measures>;

/** The schemas of the bodies of commands about kill conditions. */
export const conditionCommands = {
  "condition.trip": record({
    condition: plainName,
    worker: workerReference.optional(),
    measures,
    held_ms: magnitude,
  }),
  "condition.fail": record({
    condition: plainName,
    worker: workerReference.optional(),
    problem: text(LIMITS.noteBytesMax, 1),
  }),
};
