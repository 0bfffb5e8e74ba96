import { z } from "zod";
import { anyObject, count, instantMs, named, words, yesOrNo } from "./shape.ts";

/** Its schema: what each kind has in `data` is in docs/journal.md. */
export const entrySchema = named("Entry", "An entry of the journal; see docs/journal.md.", {
  seq: count,
  at_ms: instantMs,
  fleet: words,
  rules: count,
  id: words.meta({ description: "the id of the command" }),
  kind: words,
  actor: anyObject,
  command: anyObject.nullable(),
  data: anyObject,
  prev: words,
  hash: words,
});

/** The schema of `../journal.ts`. */
export const explainedSchema = named("Explanation", "Why an entry is as it is.", {
  seq: count,
  kind: words,
  at_ms: instantMs,
  by: words,
  asked: words,
  by_time: yesOrNo,
  decided: words,
  because: words,
  would_pass: words.nullable(),
  code: words.nullable(),
  facts: anyObject,
  redecided: z.enum(["same", "other"]).nullable(),
  text: words,
});

/** The schema of `../journal.ts`. */
export const decidedSchema = named("Decided", "What a command has written.", {
  seq: count,
  entries: z.array(entrySchema),
});
