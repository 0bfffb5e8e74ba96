// Beats as they are taken: checked by hand, one pass over the fields, because there may be some ten
// thousands a second.

import type { JsonObject } from "../kernel/json.ts";
import { LIMITS } from "../kernel/limits.ts";
import { SUPERVISOR_NAME } from "../kernel/roster/roster.ts";
import type { SaidByBeat } from "../kernel/roster/sighting.ts";
import type { Beat, RefusedBeat } from "../ports/bus.ts";
import { describeValue, isPlainObject } from "../protocol/input.ts";
import { isToken, TOKEN_FORM } from "./subject.ts";

const { rollEveryMsMin: everyMsMin, rollEveryMsMax: everyMsMax } = LIMITS;

const TEXT_CHARS_MAX = 128;
const EXTRA_BYTES_MAX = 4_096;

const WORKER_ID = /^w-[a-z2-7]{16}$/;

const WORDS: readonly unknown[] = ["up", "stopping", "stopped"] satisfies readonly SaidByBeat[];

/** What is wrong with a beat. */
export type BeatProblem = RefusedBeat["problem"];

/** A beat, or what is wrong with it. */
export type BeatRead =
  { readonly beat: Beat; readonly problem?: undefined } | { readonly problem: BeatProblem };

/**
 * Reads a beat. Where `only` is given, it is the one name that its sender may beat for. Never
 * throws, whatever it is given.
 */
export function readBeat(value: unknown, only?: string): BeatRead {
  if (!isPlainObject(value)) return { problem: problemOf("beat", "an object", value) };
  for (const field in value) {
    const expected = FIELDS[field]?.(value[field]);
    if (expected === true) continue;
    // An absent rule is a field that there is not.
    return { problem: problemOf(field, expected ?? "absent (no such field)", value[field]) };
  }
  // Every field has passed its check; these two must be there.
  const beat = value as unknown as Beat;
  for (const field of ["name", "instance"] as const)
    if (beat[field] === undefined) return { problem: problemOf(field, TOKEN_FORM, undefined) };
  if (only !== undefined && beat.name !== only)
    return { problem: problemOf("name", `"${only}", the only one of this sender`, beat.name) };
  return { beat };
}

/** What a field must be: true where it is. */
type Check = (value: unknown) => true | string;

/** Without a prototype: a field called `constructor` has no rule. */
const FIELDS: Readonly<Record<string, Check | undefined>> = Object.assign(
  Object.create(null) as Record<string, Check | undefined>,
  {
    name: (value) => {
      if (!isToken(value)) return TOKEN_FORM;
      return (
        value !== SUPERVISOR_NAME || `another than "${SUPERVISOR_NAME}", which is the supervisor's`
      );
    },
    instance: (value) => {
      if (!isToken(value)) return TOKEN_FORM;
      return !WORKER_ID.test(value) || "not like the id of a worker";
    },
    interval_ms: (value) =>
      isIntegerFrom(value, everyMsMin, everyMsMax) ||
      `an integer from ${everyMsMin} to ${everyMsMax}`,
    progress: (value) =>
      isIntegerFrom(value, 0, Number.MAX_SAFE_INTEGER) || "a safe integer from 0 on",
    said: (value) => WORDS.includes(value) || 'one of "up", "stopping", "stopped"',
    sent_at_ms: (value) => Number.isFinite(value) || "a finite number of ms",
    pid: (value) => isIntegerFrom(value, 1, 2 ** 31 - 1) || `an integer from 1 to ${2 ** 31 - 1}`,
    host: isShortText,
    version: isShortText,
    extra: (value) =>
      (isPlainObject(value) && isSmall(value)) ||
      `an object of at most ${EXTRA_BYTES_MAX} bytes as JSON`,
  } satisfies Record<string, Check>,
);

function isIntegerFrom(value: unknown, min: number, max: number): boolean {
  return Number.isSafeInteger(value) && Number(value) >= min && Number(value) <= max;
}

function isShortText(value: unknown): true | string {
  const isFine =
    typeof value === "string" && value.length <= TEXT_CHARS_MAX && value.isWellFormed();
  return isFine || `a text of at most ${TEXT_CHARS_MAX} characters`;
}

function isSmall(value: Readonly<Record<string, unknown>>): boolean {
  return jsonBytes(value) <= EXTRA_BYTES_MAX;
}

/** How long a value is as JSON, bytes; endless where it is none. */
export function jsonBytes(value: object): number {
  try {
    return Buffer.byteLength(JSON.stringify(value));
  } catch {
    // It holds itself, or is nested deeper than the stack: no JSON.
    return Infinity;
  }
}

function problemOf(path: string, expected: string, value: unknown): BeatProblem {
  return { path, expected, got: describeValue(value) };
}

/** A beat as the body of a message: its fields are JSON already. */
export function bodyOf(beat: Beat): JsonObject {
  return beat as unknown as JsonObject;
}
