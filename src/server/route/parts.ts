import { z } from "zod";
import { LIMITS } from "../../kernel/limits.ts";
import { fields } from "../../protocol/document/schema/shape.ts";
import { text } from "../../protocol/scalar.ts";

/** Names a thing by its id in a path. */
export const idParams: z.ZodType<{ readonly id: string }> = fields({
  id: text(LIMITS.commandIdCharsMax, 1),
});

/** A reason, for the record. */
export const reasonText: z.ZodType<string> = text(LIMITS.reasonBytesMax, 1).meta({
  description: "why, for the record",
});

/** A number that is written in a path or a query. */
export function typedInteger(min: number, max: number): z.ZodType<number> {
  const error = `an integer from ${min} to ${max}`;
  return z
    .string({ error })
    .regex(/^(0|[1-9][0-9]{0,15})$/, { error })
    .transform(Number)
    .refine((value) => value >= min && value <= max, { error })
    .meta({ type: "integer", minimum: min, maximum: max });
}

/** True or false, as it is written in a query. */
export const typedFlag: z.ZodType<boolean> = z
  .enum(["true", "false"], { error: "true or false" })
  .transform((word) => word === "true")
  .meta({ type: "boolean" });

/** How many items a page may have. */
export const pageSizeMax = 10_000;

/** Which part of a list is asked for. */
export const pageQuery = {
  after: text(LIMITS.commandIdCharsMax, 1)
    .optional()
    .meta({ description: "`next` of the part before; absent: the first part" }),
  limit: typedInteger(1, pageSizeMax).optional(),
};

/** An object without any field. */
export const nothing: z.ZodType = fields({});
