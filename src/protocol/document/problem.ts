import type { JsonObject } from "../../kernel/json.ts";
import type { InputProblem } from "../input.ts";
import type { ProblemCode } from "../problem.ts";

/** A no of any kind, as RFC 9457 has it (`application/problem+json`). */
export interface ProblemDocument {
  /** Where the code is explained. */
  readonly type: string;
  /** The code's meaning, in one sentence. */
  readonly title: string;
  /** The HTTP status. */
  readonly status: number;
  /** What was wrong this time, in sentences. */
  readonly detail: string;
  /** One of the codes of docs/operations.md. */
  readonly code: ProblemCode;
  /** Whether the same request may be answered otherwise in a while. */
  readonly retryable: boolean;
  /** Of a refusal: what it rests on, for programs. */
  readonly facts?: JsonObject;
  /** Of a refusal: the entry that records it, or the newest one where it was only counted. */
  readonly seq?: number;
  /** Of an input: every place that is wrong. */
  readonly problems?: readonly InputProblem[];
}
