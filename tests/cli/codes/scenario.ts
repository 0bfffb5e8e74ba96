import { expect, test } from "vitest";
import { PROBLEMS, type ProblemCode } from "../../../src/protocol/problem.ts";
import type { Called } from "../../support/cli.ts";

/** How a code is brought about by the built program, and what it then says. */
export interface Scenario {
  /** Brings about what must be answered so; answers that call, which was made with `--json`. */
  readonly play: () => Promise<Called>;
  /** The message: what must be, and what is. */
  readonly says: RegExp;
}

/** Scenarios by the code that they bring about. */
export type Scenarios = Readonly<Partial<Record<ProblemCode, Scenario>>>;

/** How a code could be brought about by no command, and which test has it instead. */
export interface Elsewhere {
  readonly why: string;
  /** Path below `tests/`, and the beginning of the test's name. */
  readonly file: string;
  readonly test: string;
}

/** A message says what must be, or may, and after it what is. */
const SENTENCE = /\b(must|may)\b.+(, |: |; ).+/s;

/** A receipt says what was found instead of an end. */
const FINDING = /^\d+ workers? .+: .+/;

/** Plays scenarios as one test for each code. */
export function playAll(about: string, scenarios: Scenarios): void {
  test.each(Object.entries(scenarios))(`[CV36] ${about} %s`, async (name, { play, says }) => {
    const code = name as ProblemCode;
    const called = await play();
    const { text, ...answer } = answerOf(called, code);
    expect(answer).toEqual({ exit: PROBLEMS[code].exit, code, stderr: "" });
    expect(text).toMatch(says);
    expect(text).toMatch(code === "unproven" ? FINDING : SENTENCE);
  });
}

interface Told {
  readonly exit: number | null;
  readonly code: unknown;
  readonly stderr: string;
  readonly text: unknown;
}

function answerOf(called: Called, code: ProblemCode): Told {
  const { exit, stderr } = called;
  const answer = called.json();
  // What is not proven is an answer all the same: it is in the receipt.
  if (code === "unproven") {
    const { proven, why } = answer.data.receipt;
    return { exit, stderr, code: proven === false ? code : proven, text: why.join("; ") };
  }
  const key = PROBLEMS[code].kind === "refusal" ? "refusal" : "error";
  return { exit, stderr, code: answer[key]?.code ?? answer, text: answer[key]?.message };
}
