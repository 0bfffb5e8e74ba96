import type { Entry } from "../kernel/entry.ts";
import type { JsonObject } from "../kernel/json.ts";
import type { Refusal } from "../kernel/refusal.ts";
import { Fault, FAULT_CODES, type FaultCode } from "../ports/fault.ts";
import type { CommandAnswer, LeaseSighting, StartAnswer } from "../ports/supervision.ts";
import {
  describeValue,
  InputError,
  isPlainObject,
  type InputCode,
  type InputProblem,
} from "../protocol/input.ts";
import type { Reply } from "./socket-line.ts";

/** What an answer holds that is no failure: data, or the rules' refusal. */
export type WireAnswer =
  | { readonly ok: true; readonly data: unknown; readonly seq: number }
  | { readonly ok: false; readonly refusal: Refusal; readonly seq: number };

const INPUT_CODES: readonly InputCode[] = ["usage", "limit_exceeded", "entry_unknown"];

/**
 * Reads what a supervisor answers. What it failed with is thrown as it was thrown there: a `Fault`
 * or an InputError; a token that it does not take, and anything that is no answer, as `Fault`
 * `supervisor_unreachable`.
 */
export function readAnswer({ status, body }: Reply): WireAnswer {
  if (status === 401)
    throw new Fault("supervisor_unreachable", "the supervisor must take our token, it did not", {
      retryable: true,
    });
  if (!isPlainObject(body)) throw noAnswer(status, body);
  const { ok, data, refusal, error, seq = 0 } = body;
  if (typeof seq !== "number") throw noAnswer(status, body);
  if (ok === true) return { ok, data, seq };
  if (ok === false && isPlainObject(error)) throw failureOf(error);
  // The supervisor is this very program: what it calls a refusal is one.
  if (ok === false && isPlainObject(refusal) && typeof refusal["code"] === "string")
    return { ok, refusal: refusal as unknown as Refusal, seq };
  throw noAnswer(status, body);
}

/** Reads what became of a command. */
export function readDecision(reply: Reply): CommandAnswer {
  const answer = readAnswer(reply);
  if (!answer.ok) return answer;
  const { seq, data } = answer;
  const { entries, sighting } = isPlainObject(data) ? data : {};
  if (!Array.isArray(entries)) throw noAnswer(reply.status, reply.body);
  // Entries of the journal, which this very program has checked on the other side.
  const decided = { ok: true, seq, entries: entries as readonly Entry[] } as const;
  const seen = sightingIn(sighting);
  return seen === undefined ? decided : { ...decided, sighting: seen };
}

/** The lease that a command has left, where the supervisor says so. */
function sightingIn(value: unknown): LeaseSighting | undefined {
  if (!isPlainObject(value)) return undefined;
  const { lease, remaining_ms } = value;
  if (!isPlainObject(lease) || typeof remaining_ms !== "number") return undefined;
  return { lease: lease as JsonObject, remaining_ms };
}

/** Reads what became of a start. */
export function readStart(reply: Reply): StartAnswer {
  const answer = readAnswer(reply);
  if (!answer.ok) return answer;
  const { seq, data } = answer;
  const worker = isPlainObject(data) ? data["worker"] : undefined;
  if (typeof worker === "string") return { ok: true, seq, worker };
  throw noAnswer(reply.status, reply.body);
}

/** The data of an answer that cannot be a refusal; one that is not an object is no answer. */
export function readData(reply: Reply): Readonly<Record<string, unknown>> {
  const answer = readAnswer(reply);
  if (answer.ok && isPlainObject(answer.data)) return answer.data;
  throw noAnswer(reply.status, reply.body);
}

/** The fault of an answer that lacks what it must have. */
export function noAnswer(status: number, got: unknown): Fault {
  const shown = `status ${status} with ${describeValue(got)}`;
  const message = `the supervisor must answer as this version of Stint does, got ${shown}`;
  return new Fault("supervisor_unreachable", message, { retryable: true });
}

function failureOf(error: Readonly<Record<string, unknown>>): Fault | InputError {
  const { code, message, retryable, problems } = error;
  const text = typeof message === "string" ? message : "it did not say why";
  const inputCode = INPUT_CODES.find((known) => known === code);
  if (inputCode !== undefined) return new InputError(inputCode, problemsOf(problems, text));
  const isKnown = (FAULT_CODES as readonly unknown[]).includes(code);
  // Another code is a bug of the other process: for this one it is a supervisor that is no use.
  const known = isKnown ? (code as FaultCode) : "supervisor_unreachable";
  return new Fault(known, isKnown ? text : `the supervisor failed: ${text}`, {
    retryable: retryable === true,
  });
}

function problemsOf(given: unknown, text: string): readonly InputProblem[] {
  const listed = Array.isArray(given) ? (given as readonly unknown[]) : [];
  const problems = listed.flatMap((one) => (isProblem(one) ? [one] : []));
  if (problems.length > 0) return problems;
  return [{ path: "the request", expected: "one that the supervisor understands", got: text }];
}

function isProblem(value: unknown): value is InputProblem & Readonly<Record<string, unknown>> {
  return (
    isPlainObject(value) &&
    ["path", "expected", "got"].every((field) => typeof value[field] === "string")
  );
}
