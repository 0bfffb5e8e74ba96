import type { z } from "zod";
import { LIMITS } from "../kernel/limits.ts";
import { GRADES } from "../kernel/worker/evidence.ts";
import { magnitude, oneOf, record, text } from "./scalar.ts";

/** The schemas of the bodies of commands about armed checks. */
export const armedCommands: { readonly "armed.check": z.ZodType } = {
  "armed.check": record({
    grade: oneOf(GRADES).nullable(),
    rung: text(LIMITS.actorTextCharsMax, 1),
    took_ms: magnitude,
    problem: text(LIMITS.armedProblemBytesMax, 1).optional(),
  }),
};
