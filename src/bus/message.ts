import { z } from "zod";
import type { JsonObject } from "../kernel/json.ts";
import type { ActingService, BusIdentity, BusMessage } from "../ports/bus.ts";
import { describeValue, InputError, isPlainObject } from "../protocol/input.ts";
import { parserOf, type Parser } from "../protocol/parse.ts";
import { integer, record } from "../protocol/scalar.ts";
import { jsonBytes } from "./beat.ts";
import { isToken, TOKEN_FORM } from "./subject.ts";

/** The longest body of a message, bytes of JSON: a line of a stream holds it. */
export const BODY_BYTES_MAX = 32 * 1_024;

/** How long a message may wait to be read, ms. */
export const TTL_MS_MAX = 3_600_000;

/** Beats of one request. */
export const BEATS_MAX = 1_000;

const token = z.custom<string>(isToken, { error: TOKEN_FORM });

const as = record({ service: token }).optional();

const body = z
  .custom<JsonObject>(isPlainObject, { error: "an object" })
  .refine((value) => jsonBytes(value) <= BODY_BYTES_MAX, {
    error: `an object of at most ${BODY_BYTES_MAX} bytes as JSON`,
    params: { tooLarge: true, got: "more" },
  });

/** What is published, and as whom. */
export interface PublishOrder extends BusMessage {
  readonly as?: ActingService;
}

/** Parses the body of `POST /v1/bus`; the subject is parsed where it is published. */
export const parsePublish: Parser<PublishOrder> = parserOf(
  "message",
  record({
    subject: z.custom<string>((value) => typeof value === "string", { error: "a subject" }),
    body,
    ttl_ms: integer(1, TTL_MS_MAX).optional(),
    as,
  }) as unknown as z.ZodType<PublishOrder>,
);

const parseAs = parserOf("as", as as unknown as z.ZodType<ActingService | undefined>);

/** The body of `POST /v1/beats`: its beats are read one by one, and none spoils the others. */
export function readBeatsOrder(value: unknown): {
  readonly beats: readonly unknown[];
  readonly as: ActingService | undefined;
} {
  const given = isPlainObject(value) ? value : {};
  const { beats } = given;
  if (!Array.isArray(beats) || beats.length > BEATS_MAX) {
    const expected = `an array of at most ${BEATS_MAX}`;
    throw new InputError("usage", [{ path: "beats", expected, got: describeValue(beats) }]);
  }
  return { beats, as: parseAs(given["as"]) };
}

/** Who an operator's request acts as. Throws an InputError for a service that cannot be one. */
export function identityAs(service: ActingService | undefined): BusIdentity {
  return service === undefined ? { kind: "operator" } : { kind: "service", id: service.service };
}

/** Parses the service of a query, which has it as a text; undefined where there is none. */
export function readAs(service: string | undefined): ActingService | undefined {
  return service === undefined ? undefined : parseAs({ service });
}
