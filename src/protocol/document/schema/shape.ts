// What the schemas of documents are made of. They are read by people and by programs that never
// see our code, so each field that is not plain by its name has a description.

import { z } from "zod";

/** An object of exactly these fields, under the name that it has among the API's schemas. */
export function named<S extends z.ZodRawShape>(
  id: string,
  description: string,
  shape: S,
): z.ZodObject<S, z.core.$strict> {
  return z.strictObject(shape, { error: knownKeys(shape) }).meta({ id, description });
}

/** An object of exactly these fields that has no name of its own. */
export function fields<S extends z.ZodRawShape>(shape: S): z.ZodObject<S, z.core.$strict> {
  return z.strictObject(shape, { error: knownKeys(shape) });
}

/** The message of an unknown key lists the known ones: `parse.ts` makes its hint of it. */
function knownKeys(shape: z.ZodRawShape): z.core.$ZodErrorMap {
  const known = Object.keys(shape).join(" ");
  return ({ code }) => (code === "unrecognized_keys" ? known : "an object");
}

/** An object whose content is not ours to describe: a worker's state, say. */
export const anyObject: z.ZodType<Record<string, unknown>> = z
  .record(z.string(), z.unknown(), { error: "an object" })
  .meta({ type: "object" });

/** A whole number from 0 on. */
export const count: z.ZodType<number> = z
  .int({ error: "an integer from 0 on" })
  .min(0, { error: "an integer from 0 on" })
  .max(Number.MAX_SAFE_INTEGER, { error: "an integer from 0 on" });

/** An instant, ms since 1970. */
export const instantMs: z.ZodType<number> = count.meta({ description: "ms since 1970" });

/** Some text. */
export const words: z.ZodType<string> = z.string({ error: "a text" });

/** True or false. */
export const yesOrNo: z.ZodType<boolean> = z.boolean({ error: "true or false" });

/** A list of texts. */
export const texts: z.ZodType<string[]> = z.array(z.string(), { error: "a list of texts" });
