import type { Json, JsonObject } from "../kernel/json.ts";
import { describeValue, isPlainObject } from "./input.ts";
import { utf8Bytes } from "./text.ts";

/** How large a JSON value may be. */
export interface JsonLimits {
  /** UTF-8 bytes of the canonical form (RFC 8785). */
  readonly bytesMax: number;
  /** Levels of objects and arrays, the outermost included. */
  readonly nestingMax: number;
}

/** What keeps a value from being taken as JSON, and where in it. */
export interface JsonProblem {
  readonly path: readonly (string | number)[];
  readonly expected: string;
  readonly got: string;
  /** True when the value is JSON but larger than the limits. */
  readonly tooLarge: boolean;
}

/** A copy that shares nothing with the original and is frozen, or the first problem. */
export type JsonCopy =
  | { readonly ok: true; readonly value: Json; readonly bytes: number }
  | { readonly ok: false; readonly problem: JsonProblem };

/**
 * Copies a value that must be JSON: finite numbers but no -0, well-formed text, plain objects and
 * full arrays. Nothing is dropped or converted in silence: `undefined`, functions, BigInts, dates,
 * class instances, symbols, holes and cycles are problems. Every property is read once, so what
 * was checked is what is kept, whatever getters or proxies the caller brings.
 */
export function copyJson(value: unknown, limits: JsonLimits): JsonCopy {
  const copier = new Copier(limits);
  const copy = copier.copy(value);
  const problem = copier.problem ?? copier.oversize();
  return problem === null ? { ok: true, value: copy, bytes: copier.bytes } : { ok: false, problem };
}

/** Whether a JSON value is an object. */
export function isJsonObject(value: Json): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** How many times the limit is counted on, so that a message can say how large a value is. */
const countedOn = 16;

/** One walk. It stops at the first problem, and always after `bytesMax` × {@link countedOn}. */
class Copier {
  /** Canonical bytes of what has been copied. */
  bytes = 0;
  problem: JsonProblem | null = null;
  readonly #limits: JsonLimits;
  readonly #path: (string | number)[] = [];
  readonly #around: object[] = [];

  constructor(limits: JsonLimits) {
    this.#limits = limits;
  }

  copy(value: unknown): Json {
    switch (typeof value) {
      case "boolean":
        return this.#took(value ? "true" : "false", value);
      case "number":
        if (!Number.isFinite(value)) return this.#object("a finite number", value);
        if (Object.is(value, -0)) return this.#object("0 (JSON has no negative zero)", value);
        return this.#took(String(value), value);
      case "string":
        if (!value.isWellFormed())
          return this.#object("well-formed text (no lone surrogates)", value);
        return this.#took(JSON.stringify(value), value);
      case "object":
        return value === null ? this.#took("null", null) : this.#copyObject(value);
      case "undefined":
      case "function":
      case "bigint":
      case "symbol":
        return this.#object("a JSON value", value);
    }
  }

  #copyObject(value: object): Json {
    if (this.#around.includes(value))
      return this.#object("JSON that does not contain itself", value);
    if (this.#around.length >= this.#limits.nestingMax)
      return this.#fail({
        expected: `nested at most ${this.#limits.nestingMax} levels deep`,
        got: "more levels",
        tooLarge: true,
      });
    if (!Array.isArray(value) && !isPlainObject(value)) return this.#object("a JSON value", value);
    if (Object.getOwnPropertySymbols(value).length > 0)
      return this.#object("an object without symbol keys", value);
    this.#around.push(value);
    // The opening bracket, and one closing bracket or comma for every item.
    this.#grow(2);
    const copy = Array.isArray(value) ? this.#copyArray(value) : this.#copyFields(value);
    this.#around.pop();
    return Object.freeze(copy);
  }

  #copyArray(value: readonly unknown[]): Json {
    const copy: Json[] = [];
    const length = value.length;
    for (let index = 0; index < length && this.problem === null; index += 1) {
      if (index > 0) this.#grow(1);
      this.#path.push(index);
      copy.push(this.copy(value[index]));
      this.#path.pop();
    }
    return copy;
  }

  #copyFields(value: object): Json {
    const copy: Record<string, Json> = {};
    let first = true;
    for (const key of Object.keys(value)) {
      if (this.problem !== null) break;
      this.#path.push(key);
      if (!key.isWellFormed()) this.#object("a key of well-formed text", key);
      // As a key it would be lost, or worse, where a value is rebuilt by assignment.
      if (key === "__proto__") this.#object('a key other than "__proto__"', key);
      this.#grow(utf8Bytes(JSON.stringify(key)) + (first ? 1 : 2));
      first = false;
      copy[key] = this.copy((value as Readonly<Record<string, unknown>>)[key]);
      this.#path.pop();
    }
    return copy;
  }

  #took(text: string, value: Json): Json {
    this.#grow(utf8Bytes(text));
    return value;
  }

  #grow(bytes: number): void {
    this.bytes += bytes;
    if (this.bytes > this.#limits.bytesMax * countedOn) this.problem ??= this.oversize();
  }

  /** The problem with the size of what was copied, if there is one. */
  oversize(): JsonProblem | null {
    const { bytesMax } = this.#limits;
    if (this.bytes <= bytesMax) return null;
    const more = this.bytes > bytesMax * countedOn ? "more than " : "";
    const got = `${more}${this.bytes} bytes`;
    const expected = `at most ${bytesMax} bytes of canonical JSON`;
    return { path: [], expected, got, tooLarge: true };
  }

  #object(expected: string, value: unknown): Json {
    const got = value === undefined ? "undefined" : describeValue(value);
    return this.#fail({ expected, got, tooLarge: false });
  }

  #fail(problem: Omit<JsonProblem, "path">): Json {
    this.problem ??= { path: [...this.#path], ...problem };
    return null;
  }
}
