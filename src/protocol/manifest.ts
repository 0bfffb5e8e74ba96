import { z } from "zod";
import { LIMITS } from "../kernel/limits.ts";
import { MANIFEST_VERSION, NETWORKS, type Manifest } from "../kernel/worker/manifest.ts";
import { budgetSchema } from "./budget.ts";
import {
  instant,
  integer,
  jsonObject,
  oneOf,
  record,
  sha256Hex,
  STATE_LIMITS,
  text,
  workerId,
  plainName,
} from "./scalar.ts";

/** The schema of manifest v1: the form only; what it says is compared with what was admitted. */
export const manifestSchema = record({
  version: integer(MANIFEST_VERSION, MANIFEST_VERSION),
  fleet: plainName,
  instance: workerId,
  name: plainName,
  parent: workerId.nullable(),
  root: workerId,
  depth: integer(LIMITS.depthMin, LIMITS.depthMax),
  state: jsonObject(STATE_LIMITS),
  budget: budgetSchema,
  regions: z
    .array(text(LIMITS.regionPatternBytesMax, 1), { error: "an array of patterns" })
    .max(LIMITS.regionPatternsMax, {
      error: `an array of at most ${LIMITS.regionPatternsMax} patterns`,
    }),
  network: oneOf(NETWORKS),
  issued_at_ms: instant,
  register_by_ms: instant,
  expires_at_ms: instant,
  contract_hash: sha256Hex,
  key_id: text(LIMITS.nameCharsMax, 1),
}) as unknown as z.ZodType<Manifest>;
