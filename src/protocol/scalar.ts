import { z } from "zod";
import type { Json, JsonObject } from "../kernel/json.ts";
import { LIMITS } from "../kernel/limits.ts";
import { isPlainObject } from "./input.ts";
import { copyJson, isJsonObject, type JsonLimits } from "./json.ts";
import { utf8Bytes } from "./text.ts";

/** What a schema makes of a shape of fields. */
type Fields<S extends z.ZodRawShape> = z.ZodPipe<
  z.ZodCustom<Readonly<Record<string, unknown>>>,
  z.ZodObject<S, z.core.$strict>
>;

/**
 * An object of exactly these fields; every other key is a problem, and so is an instance of a
 * class. The message of an unknown key lists the known ones, for the hint that `parse.ts` makes.
 */
export function record<S extends z.ZodRawShape>(shape: S): Fields<S> {
  return plainObject.pipe(fieldsOf(shape));
}

/** The same with every field optional. */
export function partialRecord<S extends z.ZodRawShape>(
  shape: S,
): Fields<{ [K in keyof S]: z.ZodOptional<S[K]> }> {
  return plainObject.pipe(fieldsOf(shape).partial());
}

const plainObject = z.custom<Readonly<Record<string, unknown>>>(isPlainObject, {
  error: "an object",
});

function fieldsOf<S extends z.ZodRawShape>(shape: S): z.ZodObject<S, z.core.$strict> {
  const known = Object.keys(shape).join(" ");
  return z.strictObject(shape, {
    error: ({ code }) => (code === "unrecognized_keys" ? known : "an object"),
  });
}

/**
 * An integer from `min` to `max`, both included and safe. NaN, infinities, fractions, -0, booleans
 * and numeric strings are no integers here.
 */
export function integer(min: number, max: number): z.ZodType<number> {
  const error = `an integer from ${min} to ${max}`;
  return z
    .int({ error })
    .min(min, { error })
    .max(max, { error })
    .refine((value) => !Object.is(value, -0), { error });
}

/** An instant of journal time, ms since 1970. */
export const instant: z.ZodType<number> = integer(0, Number.MAX_SAFE_INTEGER);

/** A count or a duration in ms that nothing but the number format bounds. */
export const magnitude: z.ZodType<number> = integer(0, Number.MAX_SAFE_INTEGER);

/** One of some words. */
export function oneOf<const T extends readonly [string, ...string[]]>(
  words: T,
): z.ZodType<T[number]> {
  const quoted = words.map((word) => `"${word}"`);
  const error = quoted.length === 1 ? String(quoted[0]) : `one of ${quoted.join(", ")}`;
  return z.enum(words, { error });
}

/** True or false. */
export const flag: z.ZodType<boolean> = z.boolean({ error: "true or false" });

/** Well-formed text of at most so many UTF-8 bytes; empty only if `bytesMin` is 0. */
export function text(bytesMax: number, bytesMin: 0 | 1 = 0): z.ZodType<string> {
  const error = `text of ${bytesMin} to ${bytesMax} bytes`;
  return z
    .string({ error })
    .refine((value) => value.isWellFormed(), {
      error: "well-formed text (no lone surrogates)",
      abort: true,
    })
    .min(bytesMin, { error })
    .superRefine((value, context) => {
      // A character has one to three bytes, so most texts are measured without being encoded.
      if (value.length * 3 <= bytesMax) return;
      const bytes = value.length > bytesMax ? value.length : utf8Bytes(value);
      if (bytes <= bytesMax) return;
      const got = value.length > bytesMax ? `${value.length} characters` : `${bytes} bytes`;
      context.addIssue({ code: "custom", message: error, params: { tooLarge: true, got } });
    });
}

/** Text of a form. */
export function pattern(form: RegExp, error: string): z.ZodType<string> {
  return z.string({ error }).regex(form, { error });
}

/** The name of a fleet or worker, or a fleet's id: safe in paths, URLs and shells. */
export const plainName: z.ZodType<string> = pattern(
  new RegExp(`^[A-Za-z0-9][A-Za-z0-9._-]{0,${LIMITS.nameCharsMax - 1}}$`),
  `1 to ${LIMITS.nameCharsMax} letters, digits, ".", "_" or "-", the first a letter or digit`,
);

/** A worker's instance id. */
export const workerId: z.ZodType<string> = pattern(
  /^w-[a-z2-7]{16}$/,
  'a worker id ("w-" and 16 letters a to z or digits 2 to 7)',
);

/** Any text that can be looked up as a worker's id; one that no worker has is refused later. */
export const workerReference: z.ZodType<string> = text(LIMITS.commandIdCharsMax, 1);

/** SHA-256 as lowercase hex. */
export const sha256Hex: z.ZodType<string> = pattern(/^[0-9a-f]{64}$/, "64 lowercase hex digits");

/**
 * An object of values by name, as many as there are. `error` is the expectation of the whole; a
 * name that is not of its form is a problem of the whole too.
 */
export function byName<V>(
  name: z.ZodType<string>,
  value: z.ZodType<V>,
  error: string,
): z.ZodType<Readonly<Record<string, V>>> {
  return z
    .custom<Readonly<Record<string, unknown>>>(isPlainObject, { error })
    .superRefine((given, context) => {
      // zod leaves this one name out in silence, so that it is looked for before zod sees it.
      if (!Object.hasOwn(given, "__proto__")) return;
      const message = name.safeParse("__proto__").error?.issues[0]?.message;
      const params = { got: '"__proto__"' };
      context.addIssue({ code: "custom", message: message ?? 'no name "__proto__"', params });
    })
    .pipe(
      z.record(name, value, {
        error: ({ code }) => (code === "invalid_key" ? undefined : error),
      }),
    );
}

/** A JSON object, copied and frozen. */
export function jsonObject(limits: JsonLimits): z.ZodType<JsonObject> {
  return z.unknown().transform((value, context): JsonObject => {
    const copy = takeJson(value, limits, context);
    if (copy !== undefined && isJsonObject(copy)) return copy;
    if (copy !== undefined) context.addIssue({ code: "custom", message: "a JSON object" });
    return z.NEVER;
  });
}

/** A JSON value, copied and frozen. */
export function jsonValue(limits: JsonLimits): z.ZodType<Json> {
  return z.unknown().transform((value, context): Json => {
    const copy = takeJson(value, limits, context);
    return copy === undefined ? z.NEVER : copy;
  });
}

function takeJson(
  value: unknown,
  limits: JsonLimits,
  context: z.core.$RefinementCtx,
): Json | undefined {
  // Said plainly before the walk finds something inside of a wrong value to object to.
  const copy = copyJson(value, limits);
  if (copy.ok) return copy.value;
  const { path, expected, got, tooLarge } = copy.problem;
  context.addIssue({
    code: "custom",
    path: [...path],
    message: expected,
    params: { tooLarge, got },
  });
  return undefined;
}

/** The limits of a worker's state. */
export const STATE_LIMITS: JsonLimits = {
  bytesMax: LIMITS.stateBytesMax,
  nestingMax: LIMITS.stateNestingMax,
};

/** The limits of evidence that a command brings along. */
export const EVIDENCE_LIMITS: JsonLimits = {
  bytesMax: LIMITS.evidenceBytesMax,
  nestingMax: LIMITS.stateNestingMax,
};
