import { z } from "zod";
import { anyObject, count, fields, instantMs, named, texts, words, yesOrNo } from "./shape.ts";

/** The schema of `../worker.ts`. */
export const workerSchema = named("Worker", "A worker at one moment.", {
  id: words,
  name: words,
  parent: words.nullable(),
  root: words,
  depth: count,
  status: z.enum(["admitted", "running", "stopping", "stopped"]),
  stale: yesOrNo,
  flagged: yesOrNo,
  quarantine: fields({
    reason: words,
    source: words,
    severity: words,
    at_ms: instantMs,
    until_ms: instantMs,
  }).nullable(),
  stopping: fields({ reason: words, at_ms: instantMs, grace_ms: count.optional() }).nullable(),
  process: fields({ host_id: words, pid: count, started: words }).nullable(),
  state: anyObject,
  budget: fields({
    granted: anyObject,
    reserved: anyObject,
    spent: anyObject,
    free: anyObject,
  }),
  regions: texts,
  network: words,
  degraded: texts,
  limits_hit: z.array(anyObject),
  children_count: count,
  admitted_at_ms: instantMs,
  expires_at_ms: instantMs,
  end: fields({
    reason: words,
    grade: words.nullable(),
    proven: yesOrNo,
    evidence: anyObject.nullable(),
    outcome: anyObject,
    at_ms: instantMs,
    seq: count,
  }).nullable(),
});

/** The schema of `../worker.ts`. */
export const doomedSchema = named("Doomed", "A worker that a stop would end.", {
  id: words,
  name: words,
  parent: words.nullable(),
  depth: count,
  status: words,
  because: z.enum(["named", "descendant", "orphaned"]),
});
