import { createHash } from "node:crypto";
import { describeValue, InputError } from "../../protocol/input.ts";
import { answerProblem } from "../answer/problem.ts";

/** How long an answer is kept for who asks the same again, ms, and how many are. */
const keptMs = 10 * 60_000;
const keptMax = 1_024;

/** What an `Idempotency-Key` may be: it is part of the id of a command. */
const KEY_FORM = /^[\x21-\x7e]{1,128}$/;

/** A request under a key of its sender's. */
export interface Keyed {
  /** Who sends it, how and where to. */
  readonly scope: string;
  readonly key: string;
  readonly body: string;
}

interface Kept {
  readonly bodyHash: string;
  readonly atMs: number;
  readonly answer: Promise<Response>;
}

/** The `Idempotency-Key` of a request; undefined without one. Throws an InputError. */
export function keyOf(request: Request): string | undefined {
  const key = request.headers.get("Idempotency-Key");
  if (key === null) return undefined;
  if (KEY_FORM.test(key)) return key;
  const expected = "1 to 128 printable characters without spaces";
  throw new InputError("usage", [{ path: "Idempotency-Key", expected, got: describeValue(key) }]);
}

/**
 * The id of the command that a request under a key gives: the loop decides it once and answers it
 * so for 24 hours, also through another server, and after this one has died.
 */
export function commandIdOf({ scope, key }: Omit<Keyed, "body">): string {
  return `http-${sha256(`stint/v1/http\n${scope}\n${key}`).slice(0, 40)}`;
}

/**
 * Answers who asks the same under the same key as before: also what is more than one command, and
 * what is still under way. What failed for us is not kept.
 */
export class OnceAnswers {
  readonly #kept = new Map<string, Kept>();
  readonly #nowMs: () => number;

  constructor(nowMs: () => number = () => performance.now()) {
    this.#nowMs = nowMs;
  }

  /** The answer that was given, or that `give` gives now. */
  async answer({ scope, key, body }: Keyed, give: () => Promise<Response>): Promise<Response> {
    const name = `${scope}\n${key}`;
    const bodyHash = sha256(body);
    this.#forget();
    const before = this.#kept.get(name);
    if (before !== undefined && before.bodyHash !== bodyHash) {
      const detail = "the Idempotency-Key must be new or come with the body as before, got another";
      return answerProblem("command_mismatch", { detail });
    }
    if (before !== undefined) return (await before.answer).clone();
    const answer = give();
    this.#kept.set(name, { bodyHash, atMs: this.#nowMs(), answer });
    const drop = (): void => void this.#kept.delete(name);
    answer.then(({ status }) => {
      if (status >= 500 || status === 429) drop();
    }, drop);
    return (await answer).clone();
  }

  #forget(): void {
    const oldestMs = this.#nowMs() - keptMs;
    for (const [name, { atMs }] of this.#kept) {
      if (atMs > oldestMs && this.#kept.size < keptMax) break;
      this.#kept.delete(name);
    }
  }
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
