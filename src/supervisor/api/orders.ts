import { createHash } from "node:crypto";
import { isAbsolute } from "node:path";
import { z } from "zod";
import type { Actor } from "../../kernel/actor.ts";
import { LIMITS } from "../../kernel/limits.ts";
import { hashShownToken } from "../../library/ground/shown-token.ts";
import type { CommandOrder, StartOrder } from "../../ports/supervision.ts";
import { parseCommand } from "../../protocol/command.ts";
import { describeValue, InputError, isPlainObject } from "../../protocol/input.ts";
import { parserOf, type Parser } from "../../protocol/parse.ts";
import { byName, integer, magnitude, oneOf, record, text } from "../../protocol/scalar.ts";
import { pattern } from "../../protocol/scalar.ts";
import { workerCommands } from "../../protocol/worker.ts";
import { base32 } from "../../runtime/base32.ts";

/** How many arguments a program may have; each may be as long as Linux takes (`MAX_ARG_STRLEN`). */
const argumentsMax = 4_096;
const argumentBytesMax = 131_071;
const variablesMax = 1_024;

const commandId = text(LIMITS.commandIdCharsMax, 1);

const actorText = text(LIMITS.actorTextCharsMax, 1).optional();

const actor = record({
  kind: oneOf(["operator", "worker", "supervisor", "system"]),
  id: actorText,
  via: oneOf(["library", "socket", "cli", "http", "runtime"]),
  host: actorText,
  uid: integer(0, 2 ** 32 - 1).optional(),
  user: actorText,
  claimed: z
    .array(text(LIMITS.nameCharsMax, 1), { error: "an array of names" })
    .max(8, { error: "an array of at most 8 names" })
    .optional(),
});

const variableName = pattern(/^[A-Za-z_][A-Za-z0-9_]*$/, 'letters, digits and "_"');

const folder = text(argumentBytesMax, 1).refine(isAbsolute, { error: "an absolute path" });

const program = {
  run: z
    .array(text(argumentBytesMax), { error: "an array of texts" })
    .min(1, { error: "a program and its arguments" })
    .max(argumentsMax, { error: `at most ${argumentsMax} texts` }),
  cwd: folder,
  env: byName(variableName, text(argumentBytesMax), "an object of texts by name").refine(
    (env) => Object.keys(env).length <= variablesMax,
    { error: `an object of at most ${variablesMax} variables` },
  ),
};

const parseBy = parserOf("by", actor as unknown as z.ZodType<Actor>);
const parseId = parserOf("id", commandId);
const parseAsked = parserOf(
  "admission",
  workerCommands["worker.admit"] as unknown as z.ZodType<StartOrder["admission"]>,
);
const parseProgram = parserOf(
  "order",
  record({ id: commandId, ...program }) as unknown as z.ZodType<
    Pick<StartOrder, "id" | "run" | "cwd" | "env">
  >,
);

/** A command, and the folder that its giver stands in, where he says so; an absolute path. */
export interface PlacedOrder extends CommandOrder {
  readonly cwd: string | undefined;
}

const parseCwd = parserOf("order.cwd", folder.optional());

/** What the supervisor says itself, or takes from nobody: no order may bring it. */
const NOT_ASKED: readonly string[] = ["degraded", "verdicts", "parent_use"];

/** Parses what an operator has carried. Throws an InputError. */
export function parseOperatorCommand(body: unknown): PlacedOrder {
  const { id, command, by, cwd, ...others } = fieldsOf(body);
  demandNone(others);
  const parsed = parseCommand(hashShownToken(command).given);
  const from = { cwd: parseCwd(cwd) };
  return { id: parseId(id), command: parsed, by: authenticated(parseBy(by)), ...from };
}

/** Parses what a worker has carried: who it is is known already. Throws an InputError. */
export function parseWorkerCommand(body: unknown, by: Actor): PlacedOrder {
  const { id, command, cwd, ...others } = fieldsOf(body);
  demandNone(others);
  const parsed = parseCommand(hashShownToken(command).given);
  // A worker's word about its own containment, or about what its parent uses, is worth nothing.
  if (parsed.kind === "worker.admit") demandUnsaid(parsed.data, "command.data");
  return { id: parseId(id), command: parsed, by, cwd: parseCwd(cwd) };
}

/** Parses an operator's start. Throws an InputError. */
export function parseOperatorStart(body: unknown): StartOrder {
  const { by, admission, ...others } = fieldsOf(body);
  return { ...parseProgram(others), admission: admissionOf(admission), by: ofOperator(by) };
}

function ofOperator(by: unknown): Actor {
  return authenticated(parseBy(by));
}

/**
 * Parses a worker's start of a child. What it leaves out of the admission is completed: itself as
 * the parent, no state and no wishes, and an instance id that follows from the order's own id, so
 * that the same order given again means the same child. Throws an InputError.
 */
export function parseWorkerStart(body: unknown, by: Actor & { readonly id: string }): StartOrder {
  const { admission, env = {}, ...others } = fieldsOf(body);
  const parsed = parseProgram({ ...others, env });
  const given = isPlainObject(admission) ? admission : undefined;
  const completed = given && {
    instance: instanceOf(by.id, parsed.id),
    parent: by.id,
    state: {},
    budget: {},
    ...given,
  };
  return { ...parsed, admission: admissionOf(completed ?? admission), by };
}

function admissionOf(value: unknown): StartOrder["admission"] {
  const admission = parseAsked(value);
  demandUnsaid(admission, "admission");
  return admission;
}

function demandUnsaid(admission: object, path: string): void {
  for (const name of NOT_ASKED) {
    const got: unknown = Reflect.get(admission, name);
    if (got === undefined) continue;
    const expected = "absent (the supervisor says it)";
    throw new InputError("usage", [{ path: `${path}.${name}`, expected, got: describeValue(got) }]);
  }
}

/** As many random bits as an instance id has; from a digest they are as good as random. */
const instanceIdBytes = 10;

function instanceOf(worker: string, id: string): string {
  const digest = createHash("sha256").update(`stint/v1/child\n${worker}\n${id}`).digest();
  return `w-${base32(digest.subarray(0, instanceIdBytes))}`;
}

/** The fields of an actor that an operator's token does not vouch for. */
const UNVOUCHED = ["id", "host", "uid", "user"] as const;

/** An actor as the operator's socket lets it through: what nothing has authenticated is claimed. */
function authenticated(by: Actor): Actor {
  const claimed = new Set<string>(by.kind === "operator" ? [] : ["kind"]);
  for (const name of UNVOUCHED) if (by[name] !== undefined) claimed.add(name);
  const { claimed: _, ...rest } = by;
  return claimed.size === 0 ? rest : { ...rest, claimed: [...claimed] };
}

/** Parses the body of `POST /v1/leave`. Throws an InputError. */
export const parseLeave: Parser<{ readonly stop_grace_ms?: number }> = parserOf(
  "order",
  record({
    stop_grace_ms: integer(0, LIMITS.stopGraceMsMax).optional(),
  }) as unknown as z.ZodType<{ readonly stop_grace_ms?: number }>,
);

/** Parses the body of `POST /v1/worker/beat`. Throws an InputError. */
export const parseBeat: Parser<{ readonly progress?: number }> = parserOf(
  "beat",
  record({ progress: magnitude.optional() }) as unknown as z.ZodType<{
    readonly progress?: number;
  }>,
);

function fieldsOf(body: unknown): Readonly<Record<string, unknown>> {
  if (isPlainObject(body)) return body;
  throw new InputError("usage", [
    { path: "the body of a request", expected: "an object", got: describeValue(body) },
  ]);
}

function demandNone(others: Readonly<Record<string, unknown>>): void {
  const [name] = Object.keys(others);
  if (name === undefined) return;
  const expected = "absent (no such field)";
  throw new InputError("usage", [
    { path: `order.${name}`, expected, got: describeValue(others[name]) },
  ]);
}
