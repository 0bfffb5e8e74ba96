import type { ProblemDocument } from "../../protocol/document/problem.ts";

/** The server said no: thrown by every method, with the problem as it came. */
export class ClientProblem extends Error {
  override readonly name = "ClientProblem";
  readonly problem: ProblemDocument;
  /** How long the server asks to be left alone, ms; undefined where it does not say. */
  readonly retryAfterMs: number | undefined;

  constructor(problem: ProblemDocument, retryAfterMs?: number) {
    super(`${problem.code}: ${problem.detail}`);
    this.problem = problem;
    this.retryAfterMs = retryAfterMs;
  }

  /** The problem's code. */
  get code(): ProblemDocument["code"] {
    return this.problem.code;
  }
}

const secondMs = 1_000;

/** Reads what a server answered that said no; what is no problem of Stint's becomes one. */
export async function readProblem(response: Response): Promise<ClientProblem> {
  const seconds = Number(response.headers.get("Retry-After") ?? Number.NaN);
  const retryAfterMs = Number.isFinite(seconds) ? seconds * secondMs : undefined;
  const text = await response.text();
  try {
    const given = JSON.parse(text) as Partial<ProblemDocument>;
    if (typeof given.code === "string" && typeof given.detail === "string")
      return new ClientProblem(given as ProblemDocument, retryAfterMs);
  } catch {
    // It is somebody else's answer, a proxy's say.
  }
  return new ClientProblem(strangeProblem(response.status, text), retryAfterMs);
}

const shownChars = 200;

function strangeProblem(status: number, text: string): ProblemDocument {
  const detail = `the answer must be one of Stint's, got ${status} ${text.slice(0, shownChars)}`;
  const title = "No Stint answered.";
  const retryable = status >= 500;
  return { type: "about:blank", title, status, detail, code: "usage", retryable };
}
