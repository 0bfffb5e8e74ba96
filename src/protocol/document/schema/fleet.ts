import { z } from "zod";
import { anyObject, count, fields, instantMs, named, texts, words, yesOrNo } from "./shape.ts";

/** The schema of `../fleet.ts`. */
export const fleetSchema = named("Fleet", "A fleet at one moment.", {
  fleet: words,
  name: words,
  status: z.enum(["open", "paused", "killed"]),
  seq: count,
  at_ms: instantMs,
  live_count: count,
  total_count: count,
  contract_hash: words,
  version: words,
});

/** The schema of `../fleet.ts`. */
export const supervisorSchema = named("Supervisor", "The supervisor; null: none answers.", {
  supervisor: fields({
    fleet: words,
    pid: count,
    version: words,
    started_at_ms: instantMs,
    worker_count: count,
    rung: words,
    degraded: texts,
    is_draining: yesOrNo,
  }).nullable(),
});

/** The schema of `../fleet.ts`. */
export const contractSchema = named("Contract", "The contract that is in force.", {
  contract: anyObject,
  contract_hash: words,
  worktrees: z.enum(["one_ground", "own_ground"]),
  require_lease: yesOrNo,
  seq: count,
});

/** The schema of `../fleet.ts`. */
export const receiptSchema = z
  .looseObject({
    type: words,
    order: z.enum(["kill", "stop"]),
    fleet: words,
    seq: count.nullable(),
    reason: words,
    stopped_count: count,
    survivor_count: count,
    proven: yesOrNo,
    why: texts,
    key_id: words,
    signature: words,
  })
  .meta({ id: "Receipt", description: "The signed proof of a stop or a kill." });
