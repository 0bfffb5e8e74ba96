import { z } from "zod";
import type { Expected, Roster } from "../../kernel/roster/roster.ts";
import { LIMITS } from "../../kernel/limits.ts";
import {
  integer,
  jsonObject,
  magnitude,
  oneOf,
  pattern,
  plainName,
  record,
  text,
} from "../scalar.ts";
import { parserOf, type Parser } from "../parse.ts";
import { utf8Bytes } from "../text.ts";

/** The name of a service, or of one of its instances: a token of the bus's subjects. */
export const serviceName: z.ZodType<string> = pattern(
  /^[A-Za-z0-9_-]{1,64}$/,
  '1 to 64 letters, digits, "_" or "-"',
);

/** How often an instance beats, ms. */
export const rollEveryMs: z.ZodType<number> = integer(LIMITS.rollEveryMsMin, LIMITS.rollEveryMsMax);

/** A command line: a program and its arguments. */
const commandLine = z
  .array(text(LIMITS.serviceArgumentBytesMax), { error: "an array of a program and its arguments" })
  .min(1, { error: "a program at least" })
  .max(LIMITS.serviceArgumentsMax, {
    error: `an array of at most ${LIMITS.serviceArgumentsMax} texts`,
  })
  .refine(([program]) => program !== "", { error: "a program that is not empty" })
  .refine((words) => words.every((word) => !word.includes("\0")), { error: "no NUL in it" });

/** The name of a systemd unit. It begins with no dash, so that it is never taken for an option. */
const unit = pattern(
  /^[A-Za-z0-9:_.\\@][A-Za-z0-9:_.\\@-]{0,254}$/,
  'the name of a systemd unit (letters, digits and ":_.\\@-", not led by "-")',
);

const expected = record({
  name: serviceName,
  every_ms: rollEveryMs,
  instances: integer(1, LIMITS.rosterInstancesMax),
  start: commandLine.optional(),
  stop: commandLine.optional(),
  unit: unit.optional(),
});

/** Who is expected to live. */
export const rosterSchema = record({
  expected: z
    .array(expected, { error: "an array of services" })
    .max(LIMITS.rosterMax, { error: `an array of at most ${LIMITS.rosterMax} services` })
    .superRefine((given, context) => {
      const bytes = utf8Bytes(JSON.stringify(given));
      if (bytes <= LIMITS.rosterBytesMax) return;
      const message = `services of at most ${LIMITS.rosterBytesMax} bytes`;
      const params = { tooLarge: true, got: `${bytes} bytes` };
      context.addIssue({ code: "custom", message, params });
    }),
}) as unknown as z.ZodType<Roster>;

/** Parses who is expected to live. */
export const parseRoster: Parser<Roster> = parserOf("roster", rosterSchema);

/** Parses one service that is expected. */
export const parseExpected: Parser<Expected> = parserOf(
  "service",
  expected as unknown as z.ZodType<Expected>,
);

const sighting = record({
  name: serviceName,
  instance: serviceName,
  every_ms: rollEveryMs,
  silent_ms: magnitude,
  said: oneOf(["up", "stopping", "stopped"]),
  beat_count: magnitude.optional(),
});

const instanceName = record({ name: serviceName, instance: serviceName });

function some<T>(one: z.ZodType<T>, what: string): z.ZodType<readonly T[]> {
  const max = LIMITS.rollPerDecisionMax;
  return z
    .array(one, { error: `an array of ${what}` })
    .min(1, { error: `an array of 1 to ${max} ${what}` })
    .max(max, { error: `an array of 1 to ${max} ${what}` });
}

/** The schemas of the bodies of commands about the roster and the roll. */
export const rosterCommands = {
  "roster.enact": rosterSchema,
  "roll.observe": record({ sightings: some(sighting, "sightings") }),
  "roll.forget": record({ instances: some(instanceName, "instances") }),
  "control.request": record({
    // A name of workers too, which may have dots.
    name: plainName.or(serviceName),
    instance: serviceName.optional(),
    action: plainName,
    ttl_ms: integer(LIMITS.controlTtlMsMin, LIMITS.controlTtlMsMax),
    data: jsonObject({
      bytesMax: LIMITS.controlDataBytesMax,
      nestingMax: LIMITS.stateNestingMax,
    }).optional(),
  }),
  "service.note": record({
    name: serviceName,
    action: oneOf(["start", "stop"]),
    outcome: oneOf([
      "started",
      "already_running",
      "stopped",
      "not_running",
      "not_installed",
      "failed",
    ]),
    detail: text(LIMITS.reasonBytesMax).optional(),
    took_ms: magnitude,
  }),
};
