import canonicalize from "canonicalize";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { LIMITS } from "../../src/kernel/limits.ts";
import { InputError } from "../../src/protocol/input.ts";
import { copyJson } from "../../src/protocol/json.ts";
import { parseState } from "../../src/protocol/worker.ts";

const LIMITS_OF_TESTS = { bytesMax: 1_000, nestingMax: 4 };

function problemOf(value: unknown): string {
  try {
    parseState(value);
  } catch (error) {
    if (error instanceof InputError) return `${error.code}: ${error.message}`;
    throw error;
  }
  return "taken";
}

const cycle: Record<string, unknown> = { a: {} };
(cycle["a"] as Record<string, unknown>)["b"] = cycle;

const symbolKeyed = { [Symbol("s")]: 1 };

describe("what is no JSON", () => {
  test.each([
    [{ a: Number.NaN }, "state.a must be a finite number, got NaN"],
    [{ a: Infinity }, "state.a must be a finite number, got Infinity"],
    [{ a: -0 }, "state.a must be 0 (JSON has no negative zero), got -0"],
    [{ a: undefined }, "state.a must be a JSON value, got undefined"],
    [{ a: [1, undefined] }, "state.a[1] must be a JSON value, got undefined"],
    [{ a: Array(2) }, "state.a[0] must be a JSON value, got undefined"],
    [{ a: () => 1 }, "state.a must be a JSON value, got a function"],
    [{ a: Symbol("s") }, "state.a must be a JSON value, got a symbol"],
    [{ a: 1n }, "state.a must be a JSON value, got 1n"],
    [{ a: new Date(0) }, "state.a must be a JSON value, got an object of class Date"],
    [{ a: new Map([[1, 2]]) }, "state.a must be a JSON value, got an object of class Map"],
    [{ a: new Uint8Array(2) }, "state.a must be a JSON value, got an object of class Uint8Array"],
    [symbolKeyed, "state must be an object without symbol keys, got {}"],
    [cycle, "state.a.b must be JSON that does not contain itself, got an object with a"],
    [
      { a: "\ud800x" },
      String.raw`state.a must be well-formed text (no lone surrogates), got "\ud800x"`,
    ],
    [{ "\udfff": 1 }, String.raw`state["\udfff"] must be a key of well-formed text, got "\udfff"`],
    [
      JSON.parse('{"__proto__": {"admin": true}}'),
      'state.__proto__ must be a key other than "__proto__", got "__proto__"',
    ],
    [{ "a b": { "c.d": 1n } }, 'state["a b"]["c.d"] must be a JSON value, got 1n'],
    [[], "state must be a JSON object, got []"],
    [null, "state must be a JSON object, got null"],
    ["{}", 'state must be a JSON object, got "{}"'],
    [7, "state must be a JSON object, got 7"],
    [undefined, "state must be a JSON value, got undefined"],
  ])(
    "[LM3] what JSON cannot hold is refused, not dropped or converted (case %#, replication G1)",
    (value, message) => {
      expect(problemOf(value)).toBe(`usage: ${message}`);
    },
  );

  test("[LM3] a getter or proxy that throws is a problem of the input, not of ours", () => {
    const throwing = {
      get a(): number {
        throw new Error("no");
      },
    };
    expect(problemOf(throwing)).toBe(
      "usage: state must be readable data, got an object that cannot be read",
    );
  });
});

describe("what is taken", () => {
  test("[LM6] a state is taken as a frozen copy that shares nothing with the caller's", () => {
    const given = { a: { b: [1, { c: "x" }] } };
    const taken = parseState(given);
    expect(taken).toStrictEqual(given);
    given.a.b.push(2);
    (given.a.b[1] as { c: string }).c = "y";
    expect(taken).toStrictEqual({ a: { b: [1, { c: "x" }] } });
    expect(Object.isFrozen((taken["a"] as { b: object }).b)).toBe(true);
  });

  test("[LM6] every property is read once: what was checked is what is kept", () => {
    let reads = 0;
    const shifty = {
      get a(): number {
        reads += 1;
        return reads === 1 ? 1 : Number.NaN;
      },
    };
    expect(parseState(shifty)).toStrictEqual({ a: 1 });
    expect(reads).toBe(1);
  });

  test("[LM3] an object without a prototype, or of another realm, is an object", () => {
    const bare = Object.assign(Object.create(null) as object, { a: 1 });
    expect(parseState(bare)).toEqual({ a: 1 });
  });

  test("[LM4] bytes are counted as the canonical form has them", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 3 }), (value) => {
        const plain = JSON.parse(
          JSON.stringify(value, (_, one: unknown) => (Object.is(one, -0) ? 0 : one)),
        ) as unknown;
        const copy = copyJson(plain, { bytesMax: 10 ** 6, nestingMax: 64 });
        if (!copy.ok) return /__proto__|surrogate|well-formed/.test(copy.problem.expected);
        expect(copy.value).toStrictEqual(plain);
        expect(copy.bytes).toBe(Buffer.byteLength(String(canonicalize(plain))));
        return true;
      }),
    );
  });
});

describe("size", () => {
  const sized = (bytes: number) => ({ a: "x".repeat(bytes - 8) });

  test.each([
    { bytes: LIMITS.stateBytesMax - 1, answer: "taken" },
    { bytes: LIMITS.stateBytesMax, answer: "taken" },
    {
      bytes: LIMITS.stateBytesMax + 1,
      answer:
        "limit_exceeded: state must be at most 65536 bytes of canonical JSON, got 65537 bytes",
    },
  ])("[LM4] a state of $bytes bytes: $answer", ({ bytes, answer }) => {
    expect(problemOf(sized(bytes))).toBe(answer);
  });

  test("[LM4] UTF-8 bytes count, not characters", () => {
    expect(problemOf({ a: "ü".repeat(32_764) })).toBe("taken");
    expect(problemOf({ a: "ü".repeat(32_765) })).toContain("got 65538 bytes");
  });

  const nested = (levels: number): unknown => (levels === 1 ? {} : { a: nested(levels - 1) });

  test.each([
    { levels: LIMITS.stateNestingMax, answer: "taken" },
    {
      levels: LIMITS.stateNestingMax + 1,
      answer: "nested at most 64 levels deep, got more levels",
    },
    { levels: 5_000, answer: "nested at most 64 levels deep, got more levels" },
  ])("[LM4] a state nested $levels levels deep: $answer", ({ levels, answer }) => {
    expect(problemOf(nested(levels))).toContain(answer);
  });

  test("[LM4] a small value that would be endless when written out ends the walk early", () => {
    let shared: unknown = "xx";
    for (let level = 0; level < 40; level += 1) shared = [shared, shared];
    const copy = copyJson(shared, { bytesMax: 65_536, nestingMax: 64 });
    expect(copy).toMatchObject({ ok: false, problem: { tooLarge: true } });
    expect(copyJson([[[[1]]]], LIMITS_OF_TESTS).ok).toBe(true);
    expect(copyJson([[[[[1]]]]], LIMITS_OF_TESTS).ok).toBe(false);
  });
});
