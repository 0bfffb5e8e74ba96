import { z } from "zod";
import type { AdmissionRequest } from "../../protocol/admission.ts";
import { describeValue, InputError } from "../../protocol/input.ts";
import { parserOf } from "../../protocol/parse.ts";
import { byName, record, text } from "../../protocol/scalar.ts";
import { parseAdmission } from "../../protocol/worker.ts";
import type { JsonObject } from "../../kernel/json.ts";
import type { Network } from "../../kernel/worker/manifest.ts";
import type { BudgetOptions } from "../fleet/contract.ts";
import { toCamel, toWire } from "../names.ts";

/** What a worker is asked for. Whatever is left out is the contract's to say. */
export interface WorkerOptions {
  /** A label; it may be reused. Default: `worker`, or one made of the parent's. */
  readonly name?: string;
  /** The worker's recorded state, JSON of at most 64 KiB; default `{}`. */
  readonly state?: JsonObject;
  readonly budget?: BudgetOptions;
  readonly regions?: readonly string[];
  readonly network?: Network;
  /** What the caller believes the depth to be; refused if the journal says another. */
  readonly depth?: number;
  /** A program and its arguments: the worker is then a process that has to join the fleet. */
  readonly run?: readonly string[];
  /** Where that process starts; default: where this one is. */
  readonly cwd?: string;
  /** Added to the small environment of that process; never secrets. */
  readonly env?: Readonly<Record<string, string>>;
}

/** What a child is asked for: why, and as what. */
export interface ReplicateOptions extends WorkerOptions {
  readonly reason: string;
}

/** A worker's request, checked: what the rules are asked, and what is to be run. */
export interface WorkerRequest {
  readonly admission: AdmissionRequest;
  readonly run?: readonly [string, ...string[]];
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** A start is known by it again: under the same one the same worker is meant. */
  readonly runId?: string;
  /** Gives the start up. */
  readonly signal?: AbortSignal;
}

/** How many arguments a program may have; each may be as long as Linux takes (`MAX_ARG_STRLEN`). */
const argumentsMax = 4_096;
const argumentBytesMax = 131_071;
const variablesMax = 1_024;

const program = record({
  run: z
    .array(text(argumentBytesMax), { error: "an array of texts" })
    .min(1, { error: "a program and its arguments" })
    .max(argumentsMax, { error: `at most ${argumentsMax} texts` })
    .optional(),
  cwd: text(argumentBytesMax, 1).optional(),
  env: byName(text(argumentBytesMax, 1), text(argumentBytesMax), "an object of texts by name")
    .refine((env) => Object.keys(env).length <= variablesMax, {
      error: `an object of at most ${variablesMax} variables`,
    })
    .optional(),
}) as unknown as z.ZodType<Omit<WorkerRequest, "admission">>;

const parseProgram = parserOf("options", program);

/** What a request is completed with before it is checked. */
export interface RequestDefaults {
  /** What the caller calls the options, for messages. */
  readonly path: string;
  readonly name: string;
  readonly parent: string | null;
  /** The reason where the caller need not give one. */
  readonly reason?: string;
  /** What the driver cannot hold, should a process be asked for. */
  readonly degraded: readonly string[] | undefined;
  /** Why there is no driver, where there is none. */
  readonly whyNoSandboxes: string;
}

/**
 * Checks what a user asks for a worker. Throws an InputError that names each wrong field as the
 * user wrote it; nothing has been asked of the rules then and nobody is harmed.
 */
export function parseRequest(options: unknown, defaults: RequestDefaults): WorkerRequest {
  const { path, name, parent, reason } = defaults;
  const wire = toWire(options ?? {}, path);
  const place = { path, rename: toCamel };
  if (typeof wire !== "object" || wire === null || Array.isArray(wire))
    throw new InputError("usage", [{ path, expected: "an object", got: describeValue(wire) }]);
  const { run, cwd, env, ...asked } = wire as Readonly<Record<string, unknown>>;
  for (const own of ["parent", "degraded"])
    if (asked[own] !== undefined) throw notYours(`${path}.${own}`, asked[own]);
  const given = Object.fromEntries(
    Object.entries(asked).filter(([, field]) => field !== undefined),
  );
  const filled = { name, state: {}, budget: {}, ...(reason === undefined ? {} : { reason }) };
  const started = parseProgram({ run, cwd, env }, place);
  const weak = started.run === undefined ? {} : { degraded: demandDriver(defaults) };
  const admission = parseAdmission({ ...filled, ...given, parent, ...weak }, place);
  return { ...started, admission };
}

function notYours(path: string, got: unknown): InputError {
  return new InputError("usage", [{ path, expected: "absent", got: describeValue(got) }]);
}

function demandDriver({ degraded, whyNoSandboxes, path }: RequestDefaults): readonly string[] {
  // Supervisors mount ground, and say so themselves: here a worker would write to all of it.
  if (degraded !== undefined) return [...new Set([...degraded, "leases"])];
  const expected = `absent (${whyNoSandboxes})`;
  throw new InputError("usage", [{ path: `${path}.run`, expected, got: "a program" }]);
}
