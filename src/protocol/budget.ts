import type { z } from "zod";
import type { Budget, Charge } from "../kernel/budget/budget.ts";
import { LIMITS } from "../kernel/limits.ts";
import { parserOf, type Parser } from "./parse.ts";
import { byName, integer, pattern, record } from "./scalar.ts";

const unitName = pattern(
  new RegExp(`^[a-z][a-z0-9_]{0,${LIMITS.unitNameMax - 1}}$`),
  `a unit name of 1 to ${LIMITS.unitNameMax} lowercase letters, digits or "_", a letter first`,
);

const amount = integer(0, LIMITS.unitAmountMax);

const units = byName(unitName, amount, "an object of amounts by unit name").superRefine(
  (value, context) => {
    const count = Object.keys(value).length;
    if (count <= LIMITS.unitsMax) return;
    context.addIssue({
      code: "custom",
      message: `an object of at most ${LIMITS.unitsMax} units`,
      params: { tooLarge: true, got: `${count} units` },
    });
  },
);

/** The schema of a budget: integers only, an absent key is unlimited. */
export const budgetSchema = record({
  // A worker needs some of each: none of it could not run, so 0 is an error and not a gift.
  cpu_milli: integer(1, LIMITS.cpuMilliMax).optional(),
  memory_bytes: integer(1, LIMITS.memoryBytesMax).optional(),
  processes: integer(1, LIMITS.processesMax).optional(),
  spawns: integer(0, LIMITS.spawnsMax).optional(),
  cpu_ms: integer(0, LIMITS.cpuMsMax).optional(),
  lifetime_ms: integer(LIMITS.lifetimeMsMin, LIMITS.lifetimeMsMax).optional(),
  wall_ms: integer(1, LIMITS.wallMsMax).optional(),
  units: units.optional(),
}) as unknown as z.ZodType<Budget>;

/** The schema of a charge: what was used, never what was given back. */
export const chargeSchema = record({
  cpu_ms: integer(0, LIMITS.cpuMsMax).optional(),
  units: units.optional(),
}).refine((charge) => Object.keys(charge).length > 0, {
  error: "an object with cpu_ms or units",
}) as unknown as z.ZodType<Charge>;

/** Parses the amounts of a charge. */
export const parseCharge: Parser<Charge> = parserOf("amounts", chargeSchema);
