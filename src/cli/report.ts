import type { JsonObject } from "../kernel/json.ts";
import { Refused } from "../library/refused.ts";
import { toWire } from "../library/names.ts";
import { Fault } from "../ports/fault.ts";
import { InputError } from "../protocol/input.ts";
import { PROBLEMS } from "../protocol/problem.ts";
import type { Said } from "./call.ts";
import { messageForPeople } from "./text/amounts.ts";

/** How a call ends: what is printed on which stream, and the exit code. */
export interface Report {
  readonly exit: number;
  /** The one JSON object of the answer. */
  readonly json: JsonObject;
  /** For people; empty where nothing is to be said. */
  readonly text: string;
}

/** What was typed cannot be understood; the message is for people and names the nearest name. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** That an option was given twice; not what it was given as, for that may be a token. */
export function givenAgain(flag: string): UsageError {
  return new UsageError(`${flag} must be given once, got it again`);
}

/** Reports what a verb has to say. */
export function reportSaid({ data, text, seq, exit = 0 }: Said): Report {
  return { exit, json: { ok: true, data, ...(seq === undefined ? {} : { seq }) }, text };
}

/**
 * Reports what a verb has thrown: a refusal, bad input, a fault, or a bug of ours. The exit code is
 * that of the one table of problems. `explainWith`: the command that says why it was refused;
 * `hints`: lines for a person who was refused.
 */
export function reportError(
  error: unknown,
  explainWith?: string,
  hints: readonly string[] = [],
): Report {
  if (error instanceof Refused) return reportRefused(error, explainWith, hints);
  if (error instanceof InputError) {
    const problems = error.problems.map((one) => ({ ...one }));
    return reportProblem(error.code, error.message, { retryable: false, problems });
  }
  if (error instanceof Fault) {
    return reportProblem(error.code, error.message, { retryable: error.retryable });
  }
  if (error instanceof UsageError) {
    return reportProblem("usage", error.message, { retryable: false });
  }
  return reportBug(error);
}

function reportRefused(
  { refusal, seq }: Refused,
  explainWith: string | undefined,
  hints: readonly string[],
): Report {
  const { code, message } = refusal;
  const facts = inWireForm(refusal.facts);
  return {
    exit: PROBLEMS[code].exit,
    json: {
      ok: false,
      refusal: { code, message, facts },
      ...(seq === undefined ? {} : { seq }),
    },
    text: [
      `refused (${code}): ${messageForPeople(refusal)}`,
      ...hints,
      ...(explainWith === undefined ? [] : [`why: \`${explainWith}\``]),
    ].join("\n"),
  };
}

/** Facts were renamed for the library; on stdout they have the names of the journal again. */
function inWireForm(facts: JsonObject): JsonObject {
  try {
    return toWire(facts, "facts") as JsonObject;
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    // A name that is somebody's own, with a "_" in it: then all stay as they are.
    return facts;
  }
}

function reportProblem(code: keyof typeof PROBLEMS, message: string, more: JsonObject): Report {
  const { exit, kind } = PROBLEMS[code];
  return {
    exit,
    json: { ok: false, error: { code, message, ...more } },
    text: kind === "input" ? message : `${code}: ${message}`,
  };
}

/** A bug ends in one line; with STINT_DEBUG set, in where it happened too. */
function reportBug(error: unknown): Report {
  const message = error instanceof Error ? error.message : String(error);
  const [line = ""] = message.split("\n", 1);
  const stack = error instanceof Error ? error.stack : undefined;
  const isDebug = (process.env["STINT_DEBUG"] ?? "") !== "";
  return {
    exit: PROBLEMS.bug.exit,
    json: { ok: false, error: { code: "bug", message, retryable: false } },
    text: isDebug && stack !== undefined ? `bug: ${stack}` : `bug in stint: ${line}`,
  };
}
