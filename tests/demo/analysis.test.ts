import fc from "fast-check";
import { expect, test } from "vitest";
import { countLines, divide, languageOf, merge, nothing } from "../../src/demo/analysis.ts";

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
  fc.assert(
    fc.property(fc.nat(500), fc.nat(500), fc.integer({ min: 1, max: 9 }), (from, length, count) => {
      const parts = divide({ from, to: from + length }, count);
      expect(parts).toHaveLength(count);
      expect(parts[0]?.from).toBe(from);
      expect(parts.at(-1)?.to).toBe(from + length);
      for (const [index, part] of parts.entries())
        if (index > 0) expect(part.from).toBe(parts[index - 1]?.to);
    }),
  );
});

test("findings without git have no churn, whatever they are merged with", () => {
  expect(merge(nothing(true), nothing(true)).churn).toBe(0);
  expect(merge(nothing(true), nothing(false)).churn).toBeNull();
  expect(languageOf("a/b.TSX")).toBe("TypeScript");
  expect(languageOf("Makefile")).toBe("other");
});
