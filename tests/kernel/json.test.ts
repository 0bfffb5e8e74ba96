import canonicalize from "canonicalize";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { isOrderedJson } from "../../src/kernel/json.ts";
import { canonicalCopy, canonicalText } from "../../src/runtime/canonical.ts";

test("what is in order is written in canonical form by JSON.stringify", () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 6 }), (value) => {
      fc.pre(isOrderedJson(value));
      expect(JSON.stringify(value)).toBe(canonicalize(value));
    }),
  );
});

test("a canonical copy is in order unless its keys look like numbers", () => {
  const keys = fc.string().filter((key) => !/^\d+$/.test(key) && key.isWellFormed());
  const values = fc.letrec((tie) => ({
    any: fc.oneof(
      fc.boolean(),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.string(),
      fc.array(tie("any"), { maxLength: 3 }),
      fc.dictionary(keys, tie("any"), { maxKeys: 4 }),
    ),
  })).any;
  fc.assert(
    fc.property(values, (value) => {
      expect(isOrderedJson(canonicalCopy(value))).toBe(true);
    }),
  );
});

test("a canonical text is the same whether or not there was something to sort", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      expect(canonicalText(value)).toBe(canonicalize(value));
      expect(canonicalText(canonicalCopy(value))).toBe(canonicalize(value));
    }),
  );
});

class Made {
  readonly a = 1;
}

class MadeArray extends Array<number> {
  toJSON(): string {
    return "another";
  }
}

let deep: unknown = 1;
for (let level = 0; level < 100; level += 1) deep = [deep];

test.each<[string, unknown]>([
  ["keys out of order", { b: 1, a: 2 }],
  ["keys out of order below", { a: [{ d: 1, c: 2 }] }],
  ["numbers as keys, which objects order as numbers", { 9: 1, 10: 2 }],
  ["a field that is undefined", { a: undefined }],
  ["nothing in an array", [1, undefined]],
  ["a function", { a: () => 1 }],
  ["a number that is none", [Number.NaN]],
  ["an infinite number", [Number.POSITIVE_INFINITY]],
  ["half of a surrogate pair", ["\ud800"]],
  ["half of a surrogate pair in a key", { "\ud800": 1 }],
  ["a big integer", 1n],
  ["a date", new Date(0)],
  ["an instance of a class", new Made()],
  ["an array that says it is something else", new MadeArray(1, 2)],
  ["a boxed text", Object("a")],
  ["deep nesting", deep],
])("not taken for in order: %s", (_, value) => {
  expect(isOrderedJson(value)).toBe(false);
});
