import type { Refusal } from "../../kernel/refusal.ts";
import { Fault } from "../../ports/fault.ts";
import type { Log } from "../../ports/log.ts";
import { InputError } from "../../protocol/input.ts";
import { PROBLEMS } from "../../protocol/problem.ts";

/** Answers what was done. */
export function answerData(data: object, seq?: number): Response {
  return Response.json({ ok: true, data, ...(seq === undefined ? {} : { seq }) });
}

/** Answers the rules' no. */
export function answerRefusal(refusal: Refusal, seq: number): Response {
  const { http: status } = PROBLEMS[refusal.code];
  return Response.json({ ok: false, refusal, seq }, { status });
}

/** Answers whatever the loop decided; `shown` makes the data of a granted answer. */
export function answerDecision<T extends { readonly seq: number }>(
  answer: ({ readonly ok: true } & T) | { ok: false; seq: number; refusal: Refusal },
  shown: (granted: T) => object,
): Response {
  return answer.ok
    ? answerData(shown(answer), answer.seq)
    : answerRefusal(answer.refusal, answer.seq);
}

/** An error as it crosses the wire. */
interface WireError {
  readonly code: string;
  readonly message: string;
  readonly retryable: boolean;
}

/** Answers an error with a status of its own; such are those of the door, before any rule. */
export function answerError(
  error: WireError,
  so: { readonly status: number; readonly headers?: Readonly<Record<string, string>> },
): Response {
  return Response.json({ ok: false, error }, so);
}

/**
 * Answers what was thrown: a fault, an input that was not understood, or a bug of ours, which is
 * told to the operator and not to the caller.
 */
export function answerThrown(thrown: unknown, log: Log): Response {
  if (thrown instanceof InputError) {
    const { code, message, problems } = thrown;
    const error = { code, message, retryable: false, problems };
    return answerError(error, { status: PROBLEMS[code].http });
  }
  if (thrown instanceof Fault) {
    const { code, message, retryable } = thrown;
    return answerError({ code, message, retryable }, { status: PROBLEMS[code].http });
  }
  log.warn("a request met a bug", { error: thrown });
  const message = "Stint itself failed; its log says more";
  return answerError({ code: "bug", message, retryable: false }, { status: PROBLEMS.bug.http });
}
