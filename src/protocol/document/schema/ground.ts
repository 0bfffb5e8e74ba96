import { z } from "zod";
import { anyObject, count, instantMs, named, texts, words, yesOrNo } from "./shape.ts";

/** The schema of `../ground.ts`. */
export const leaseSchema = named("Lease", "A live lease at one moment.", {
  id: words,
  fence: count,
  mode: z.enum(["exclusive", "shared", "slot"]),
  lane: words.nullable(),
  region: texts,
  alone: yesOrNo,
  holder: words,
  holder_kind: z.enum(["worker", "outside"]),
  ttl_ms: count,
  granted_at_ms: instantMs,
  expires_at_ms: instantMs,
  key: words.nullable(),
  run_id: words.nullable(),
  lender: words.nullable(),
  worktree: words.nullable(),
  taken_over: anyObject.nullable(),
  orphaned: yesOrNo,
});

/** The schema of `../ground.ts`. */
export const laneSchema = named("Lane", "A region with a name, and who holds it.", {
  name: words,
  region: texts,
  slots: count.optional(),
  alone: yesOrNo.optional(),
  aliases: texts.optional(),
  description: words.optional(),
  leases: texts,
});
