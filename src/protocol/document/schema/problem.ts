import { z } from "zod";
import { anyObject, count, fields, named, words, yesOrNo } from "./shape.ts";

/** The schema of `../problem.ts`. */
export const problemSchema = named("Problem", "A no of any kind, as RFC 9457 has it.", {
  type: words,
  title: words,
  status: z.int().min(400).max(599),
  detail: words,
  code: words,
  retryable: yesOrNo,
  facts: anyObject.optional(),
  seq: count.optional(),
  problems: z.array(fields({ path: words, expected: words, got: words })).optional(),
});
