import { z } from "zod";
import type { ParentUse, ProcessIdentity, Verdicts } from "../kernel/command.ts";
import type { JsonObject } from "../kernel/json.ts";
import { LIMITS } from "../kernel/limits.ts";
import { GRADES, type Evidence, type Outcome, type Severity } from "../kernel/worker/evidence.ts";
import { HIT_LIMITS, type LimitHit } from "../kernel/worker/limit.ts";
import { NETWORKS } from "../kernel/worker/manifest.ts";
import type { AdmissionRequest } from "./admission.ts";
import { budgetSchema, chargeSchema } from "./budget.ts";
import { manifestSchema } from "./manifest.ts";
import { parserOf, type Parser } from "./parse.ts";
import {
  byName,
  EVIDENCE_LIMITS,
  flag,
  integer,
  jsonObject,
  magnitude,
  oneOf,
  record,
  STATE_LIMITS,
  text,
  workerId,
  plainName,
  workerReference,
} from "./scalar.ts";

const reason = text(LIMITS.reasonBytesMax, 1);
const severities: readonly [Severity, ...Severity[]] = ["low", "medium", "high", "critical"];

const stateSchema = jsonObject(STATE_LIMITS);

/** Patterns, understood only where they are decided. */
const regionsSchema: z.ZodType<readonly string[]> = z
  .array(text(LIMITS.regionPatternBytesMax, 1), { error: "an array of patterns" })
  .max(LIMITS.regionPatternsMax, {
    error: `an array of at most ${LIMITS.regionPatternsMax} patterns`,
  });

const verdict = z.union([z.boolean(), text(LIMITS.reasonBytesMax)], {
  error: "true, false or the text of an error",
});

/** What functions said, by the names of their conditions. */
const verdicts = byName(plainName, verdict, "an object of verdicts by condition").refine(
  (given) => Object.keys(given).length <= LIMITS.stopConditionsMax,
  {
    error: `an object of at most ${LIMITS.stopConditionsMax} verdicts`,
  },
) as unknown as z.ZodType<Verdicts>;

const processIdentity = record({
  host_id: text(LIMITS.actorTextCharsMax, 1),
  pid: integer(1, 2 ** 31 - 1),
  started: text(LIMITS.actorTextCharsMax),
}) as unknown as z.ZodType<ProcessIdentity>;

const evidence = record({
  grade: oneOf(GRADES),
  facts: jsonObject(EVIDENCE_LIMITS),
}) as unknown as z.ZodType<Evidence>;

const outcome = record({
  exit_code: integer(0, 255).optional(),
  signal: text(LIMITS.nameCharsMax, 1).optional(),
  timed_out: flag.optional(),
  oom_killed: flag.optional(),
  killed_by: text(LIMITS.actorTextCharsMax).optional(),
  peak_memory_bytes: magnitude.optional(),
  cpu_ms: magnitude.optional(),
  error: text(LIMITS.noteBytesMax).optional(),
}) as unknown as z.ZodType<Outcome>;

const limitsHit = z
  .array(record({ limit: oneOf(HIT_LIMITS), value: magnitude, use: magnitude, count: magnitude }), {
    error: "an array of limits that were hit",
  })
  .max(HIT_LIMITS.length, { error: `at most ${HIT_LIMITS.length} limits` })
  .superRefine((hits, context) => {
    for (const [index, { limit }] of hits.entries())
      if (hits.findIndex((one) => one.limit === limit) !== index)
        context.addIssue({ code: "custom", path: [index, "limit"], message: "unlike the others" });
  }) as unknown as z.ZodType<readonly LimitHit[]>;

const admission = {
  name: plainName,
  parent: workerReference.nullable(),
  reason: text(LIMITS.reasonBytesMax),
  state: stateSchema,
  budget: budgetSchema,
  regions: regionsSchema.optional(),
  network: oneOf(NETWORKS).optional(),
  depth: magnitude.optional(),
  degraded: z
    .array(text(LIMITS.nameCharsMax, 1), { error: "an array of names" })
    .max(LIMITS.nameCharsMax, { error: `an array of at most ${LIMITS.nameCharsMax} names` })
    .optional(),
};

const parentUse = record({
  memory_bytes: magnitude.optional(),
  processes: magnitude.optional(),
}) as unknown as z.ZodType<ParentUse>;

/** The schemas of the bodies of commands about workers. */
export const workerCommands = {
  "worker.admit": record({
    instance: workerId,
    ...admission,
    parent_use: parentUse.optional(),
    verdicts: verdicts.optional(),
  }),
  "worker.register": record({
    manifest: manifestSchema.nullable(),
    envelope: oneOf(["valid", "form", "signature", "version", "key"]),
    process: processIdentity.optional(),
    verdicts: verdicts.optional(),
  }),
  "worker.checkpoint": record({ worker: workerReference, state: stateSchema }),
  "worker.observe": record({
    worker: workerReference,
    beat_count: magnitude.optional(),
    silent_ms: magnitude,
    watched_ms: magnitude,
    seen: oneOf(["alive", "gone", "unknown"]),
  }),
  "worker.stop": record({
    worker: workerReference,
    // The other reasons are findings of the kernel, which nobody can claim.
    reason: oneOf(["requested", "completed", "failed", "quarantine_stopped"]),
    tree: flag,
    detail: text(LIMITS.noteBytesMax).optional(),
    grace_ms: integer(0, LIMITS.stopGraceMsMax).optional(),
  }),
  "worker.exited": record({
    worker: workerReference,
    evidence,
    outcome,
    limits_hit: limitsHit.optional(),
  }),
  "worker.hit_limit": record({ worker: workerReference, limits_hit: limitsHit }),
  "worker.write_off": record({ worker: workerReference, reason }),
  "worker.quarantine": record({
    worker: workerReference,
    reason,
    source: text(LIMITS.actorTextCharsMax, 1),
    severity: oneOf(severities),
    evidence: jsonObject(EVIDENCE_LIMITS).optional(),
  }),
  "worker.unquarantine": record({ worker: workerReference, resolution: reason }),
  "worker.note": record({
    worker: workerReference,
    text: text(LIMITS.noteBytesMax, 1),
    evidence: jsonObject(EVIDENCE_LIMITS).optional(),
  }),
  "budget.charge": record({ worker: workerReference, amounts: chargeSchema }),
};

/** Parses what a caller asks for a worker to be admitted. */
export const parseAdmission: Parser<AdmissionRequest> = parserOf(
  "admission",
  record(admission) as unknown as z.ZodType<AdmissionRequest>,
);

/** Parses a worker's state. */
export const parseState: Parser<JsonObject> = parserOf("state", stateSchema);

/** Parses a worker's name. */
export const parseName: Parser<string> = parserOf("name", plainName);

/** Parses a reason; it may not be empty. */
export const parseReason: Parser<string> = parserOf("reason", reason);
