import * as fc from "fast-check";
import { InputError } from "../../src/protocol/input.ts";
import { expect, test } from "vitest";
import {
  asToken,
  isToken,
  matches,
  parsePattern,
  parseSubject,
  SUBJECT_TOKENS_MAX,
} from "../../src/bus/subject.ts";

const token = fc.constantFrom("a", "b", "A", "a-b", "a_b", "health", "9");
const wild = fc.oneof({ weight: 3, arbitrary: token }, { weight: 2, arbitrary: fc.constant("*") });
const subject = fc.array(token, { minLength: 1, maxLength: 6 });
const pattern = fc
  .tuple(fc.array(wild, { minLength: 1, maxLength: 6 }), fc.boolean())
  .map(([tokens, isOpen]) => (isOpen ? [...tokens.slice(0, 5), ">"] : tokens));

/** What a pattern means, said by a regular expression over the joined text. */
function expressionOf(tokens: readonly string[]): RegExp {
  const parts = tokens.map((one) => {
    if (one === "*") return String.raw`[^.]+`;
    return one === ">" ? String.raw`[^.]+(\.[^.]+)*` : one;
  });
  return new RegExp(`^${parts.join(String.raw`\.`)}$`);
}

test("[BU1] the matcher agrees with a regular expression on every pattern and subject", () => {
  fc.assert(
    fc.property(pattern, subject, (one, other) => {
      const [given, said] = [one.join("."), other.join(".")];
      const isMatch = matches(parsePattern(given), parseSubject(said));
      expect(isMatch).toBe(expressionOf(one).test(said));
    }),
    { numRuns: 5_000 },
  );
});

test.each([
  ["a.>", "a.b", true],
  ["a.>", "a.b.c", true],
  ["a.>", "a", false],
  [">", "a", true],
  ["*.>", "a", false],
  ["*.>", "a.b", true],
  ["a.*", "a", false],
  ["a.*", "a.b.c", false],
  ["system.*.*.health", "system.api.1.health", true],
  ["system.*.*.health", "system.api.health", false],
])("[BU1] %s and %s: %s", (one, other, isMatch) => {
  expect(matches(parsePattern(one), parseSubject(other))).toBe(isMatch);
});

test.each([
  "",
  ".",
  "a.",
  ".a",
  "a..b",
  "a b",
  "a.é",
  "a.\n",
  " a",
  "a.b ",
  `a.${"x".repeat(65)}`,
  Array.from({ length: SUBJECT_TOKENS_MAX + 1 }, () => "a").join("."),
  "a".repeat(10_000),
  null,
  1,
  {},
  ["a"],
  undefined,
])("[BU2] %j is refused as a subject and as a pattern", (given) => {
  expect(() => parseSubject(given)).toThrow(InputError);
  expect(() => parsePattern(given)).toThrow(InputError);
});

test.each(["a.>.c", ">.a", "a*", "*b", "a.>b", "**", ">>", "a.*b.c"])(
  "[BU2] %s is no pattern: a wildcard is a token of its own, and > the last",
  (given) => {
    expect(() => parsePattern(given)).toThrow(InputError);
  },
);

test.each(["a.*", "*", ">", "a.>"])("[BU2] %s is a pattern and no subject", (given) => {
  expect(parsePattern(given)).toEqual(given.split("."));
  expect(() => parseSubject(given)).toThrow(InputError);
});

test("[BU2] a refusal says what was expected and what was found", () => {
  expect(() => parseSubject("a b")).toThrow(
    'subject must be 1 to 16 tokens (1 to 64 letters, digits, "_" or "-" each) joined by dots, ' +
      'got "a b"',
  );
});

test("[BU2] whatever a text is, what is made of it is a token", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      expect(isToken(asToken(text))).toBe(true);
    }),
  );
});
