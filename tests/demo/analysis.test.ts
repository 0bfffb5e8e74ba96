import { assert, integer, nat, property } from "fast-check";
import { expect, test } from "vitest";
import { divide, merge, nothing } from "../../src/demo/tree/analysis.ts";
import { languageOf } from "../../src/demo/tree/languages.ts";
import { countLines } from "../../src/demo/tree/lines.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

test("[DM5] lines are counted as a reader counts them, and binary files have none", () => {
  expect(countLines(bytes(""))).toBe(0);
  expect(countLines(bytes("one"))).toBe(1);
  expect(countLines(bytes("one\n"))).toBe(1);
  expect(countLines(bytes("one\n\n"))).toBe(2);
  expect(countLines(bytes("one\ntwo"))).toBe(2);
  expect(countLines(bytes("one\0\ntwo\n"))).toBe(0);
});

test("[DM6] the parts of a division are the whole, without a gap or an overlap", () => {
  assert(
    property(nat(500), nat(500), integer({ min: 1, max: 9 }), (from, length, count) => {
      const parts = divide({ from, to: from + length }, count);
      expect(parts).toHaveLength(count);
      expect(parts[0]?.from).toBe(from);
      expect(parts.at(-1)?.to).toBe(from + length);
      expect(parts.slice(1).map((part) => part.from)).toEqual(
        parts.slice(0, -1).map((part) => part.to),
      );
    }),
  );
});

test("findings without git have no churn, whatever they are merged with", () => {
  expect(merge(nothing(true), nothing(true)).churn).toBe(0);
  expect(merge(nothing(true), nothing(false)).churn).toBeNull();
  expect(languageOf("a/b.TSX")).toBe("TypeScript");
  expect(languageOf("Makefile")).toBe("other");
});
