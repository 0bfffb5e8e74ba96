import { Refused } from "../../library/refused.ts";
import { toWire } from "../../library/names.ts";
import type { JsonObject } from "../../kernel/json.ts";
import type { Refusal } from "../../kernel/refusal.ts";
import { Fault } from "../../ports/fault.ts";
import type { Log } from "../../ports/log.ts";
import type { ProblemDocument } from "../../protocol/document/problem.ts";
import { InputError } from "../../protocol/input.ts";
import { PROBLEMS, type ProblemCode } from "../../protocol/problem.ts";

/** What is said of a no besides its code. */
export interface Said extends Partial<Pick<ProblemDocument, "facts" | "seq" | "problems">> {
  readonly detail: string;
  readonly retryable?: boolean;
  /** Where HTTP has a status that says more than the code's own. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

/** The media type of a no. */
export const PROBLEM_TYPE = "application/problem+json";

/** A no as RFC 9457 has it, from the one table of codes. */
export function problemOf(code: ProblemCode, said: Said): ProblemDocument {
  const { http, meaning: title } = PROBLEMS[code];
  const { status = http, detail, retryable = false, headers: _headers, ...more } = said;
  const type = `/v1/docs#${code}`;
  return { type, title, status, detail, code, retryable, ...more };
}

/** Answers a no. */
export function answerProblem(code: ProblemCode, said: Said): Response {
  const document = problemOf(code, said);
  const headers = { ...said.headers, "Content-Type": PROBLEM_TYPE };
  return Response.json(document, { status: document.status, headers });
}

/** Answers the rules' no; `seq` is the entry that records it. */
export function answerRefusal(refusal: Refusal, seq: number): Response {
  const { code, message: detail, facts } = refusal;
  return answerProblem(code, { detail, facts, seq, retryable: code === "rate_limited" });
}

/**
 * Answers what was thrown: a refusal, a fault, an input that was not understood, or a bug of ours,
 * which the log is told and not the caller.
 */
export function answerThrown(thrown: unknown, log: Log): Response {
  if (thrown instanceof InputError) {
    const { code, message: detail, problems } = thrown;
    return answerProblem(code, { detail, problems });
  }
  if (thrown instanceof Refused) {
    const { code, message: detail, facts } = thrown.refusal;
    const place = thrown.seq === undefined ? {} : { seq: thrown.seq };
    return answerProblem(code, { detail, facts: wireFacts(facts), ...place });
  }
  if (thrown instanceof Fault) {
    const { code, message: detail, retryable } = thrown;
    log.warn("a request met a fault", { code, error: detail });
    return answerProblem(code, { detail, retryable });
  }
  log.warn("a request met a bug", { error: thrown });
  return answerProblem("bug", { detail: "Stint itself failed; its log says more" });
}

/** Facts are shown with the names that the journal has for them. */
function wireFacts(facts: JsonObject): JsonObject {
  try {
    return toWire(facts, "facts") as JsonObject;
  } catch {
    // A name with an underscore is somebody's own, and stands for itself.
    return facts;
  }
}
