import { createHash } from "node:crypto";
import type { State } from "../../kernel/state.ts";

/** How many answers are kept, and how many characters all of them may have. */
const answersMax = 64;
const charsMax = 16 * 2 ** 20;

const tagChars = 12;

/** What is asked for. */
interface Asked {
  readonly state: State;
  /** What decides the answer together with the state. */
  readonly key: string;
  /** Makes the answer, as a document or as its JSON. */
  readonly make: () => object | string;
}

/** An answer that is written already. */
interface Written {
  readonly seq: number;
  readonly body: string;
}

/**
 * Answers that follow from the state alone, each with the tag of the entry that it includes: as
 * long as no entry comes nothing is made again, and who has it is told so.
 */
export class WrittenAnswers {
  readonly #version: string;
  readonly #kept = new Map<string, Written>();
  #chars = 0;

  constructor(version: string) {
    this.#version = version;
  }

  /**
   * Answers a request by its key, path and query say, which must decide the answer together with
   * the state; 304 to who has just this.
   */
  answer(request: Request, so: Asked): Response {
    const { state, key, make } = so;
    const tag = this.#tagOf(state, key);
    const headers = { ETag: tag, "Cache-Control": "private, no-cache" };
    if (isTagged(request.headers.get("If-None-Match"), tag))
      return new Response(null, { status: 304, headers });
    const body = this.#bodyOf(key, state.seq, make);
    return new Response(body, { headers: { ...headers, "Content-Type": "application/json" } });
  }

  /** Seqs are never used twice in a fleet; another version may write the same state otherwise. */
  #tagOf({ fleet, seq }: State, key: string): string {
    const digest = createHash("sha256").update(`${this.#version}\n${key}`).digest("base64url");
    return `"${fleet}.${seq}.${digest.slice(0, tagChars)}"`;
  }

  #bodyOf(key: string, seq: number, make: Asked["make"]): string {
    const kept = this.#kept.get(key);
    if (kept?.seq === seq) return kept.body;
    const made = make();
    const body = typeof made === "string" ? made : JSON.stringify(made);
    this.#drop(key);
    this.#kept.set(key, { seq, body });
    this.#chars += body.length;
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= answersMax && this.#chars <= charsMax) break;
      this.#drop(oldest);
    }
    return body;
  }

  #drop(key: string): void {
    this.#chars -= this.#kept.get(key)?.body.length ?? 0;
    this.#kept.delete(key);
  }
}

function isTagged(header: string | null, tag: string): boolean {
  if (header === null) return false;
  const given = header.split(",").map((one) => one.trim().replace(/^W\//, ""));
  return given.includes(tag) || given.includes("*");
}
