import { assert, property } from "fast-check";
import { describe, expect, test } from "vitest";
import { newEffort } from "../../../src/kernel/region/effort.ts";
import { parseRegion } from "../../../src/kernel/region/region.ts";
import { containmentOf, overlapOf } from "../../../src/kernel/region/relation.ts";
import { narrowTo } from "../../../src/kernel/region/rights.ts";
import { LIMITS } from "../../../src/kernel/limits.ts";
import { caselessRegionOf, regionOf } from "./ground.ts";
import { anyRegion } from "./arbitrary.ts";

/** Patterns that differ in their first name alone. */
function numbered(count: number, rest: string): string[] {
  return Array.from({ length: count }, (_, index) => `${index}/${rest}`);
}

describe("what a pattern means", () => {
  test.each([
    ["src/api/**", ["src/api/**"]],
    ["src/api/", ["src/api/**"]],
    ["./src/./api", ["src/api"]],
    ["a/**/**/b", ["a/**/b"]],
    ["src/*.{ts,tsx}", ["src/*.ts", "src/*.tsx"]],
    ["{a,b/{c,d}}/e", ["a/e", "b/c/e", "b/d/e"]],
    ["file:src", ["src"]],
    ["port:8080", ["port:8080"]],
    ["file:a:b", ["file:a:b"]],
    ["file:!a", ["file:!a"]],
    ["[b-da]", ["[a-d]"]],
    ["[^a]", ["[!a]"]],
    ["[]a]", ["[\\]a]"]],
    ["\\*\\{", ["\\*\\{"]],
    ["cafe\u0301", ["café"]],
    ["*:**", ["*:**"]],
  ])("[GR1] %s is %j", (text, patterns) => {
    expect(regionOf(text).patterns).toEqual(patterns);
    expect(regionOf(...patterns).patterns).toEqual(patterns);
  });

  test("[GR2] what is printed parses back to the same region", () => {
    assert(
      property(anyRegion, (texts) => {
        const { patterns } = regionOf(...texts);
        expect(regionOf(...patterns).patterns).toEqual(patterns);
      }),
    );
  });

  test.each([
    ["", "a path"],
    ["/src", "below the root"],
    ["a//b", "no empty segment"],
    ["a/../b", "no segment .."],
    ["..", "no segment .."],
    [".", "a segment besides ."],
    ["a\nb", "no control character"],
    ["a\u2028b", "no control character"],
    ["a\u2029b", "no control character"],
    ["a\u0085b", "no control character"],
    ["a\0", "no control character"],
    ["a**", "** as a whole segment"],
    ["***", "** as a whole segment"],
    ["[a", "a ] for every ["],
    ["[z-a]", "from a lower to a higher"],
    ["[a/b]", "no / between"],
    ["[[:alpha:]]", "no named class"],
    ["{a", "a } for every {"],
    ["{a}", "two alternatives in braces"],
    ["a}", "a { for every }"],
    ["a\\", "a character after"],
    ["port:", "a path"],
  ])("[GR3] %j is no pattern, and the answer says why", (text, expected) => {
    const parsed = parseRegion([text]);
    expect(parsed).toMatchObject({ ok: false, problem: { code: "region_invalid", pattern: text } });
    expect(parsed.ok ? "" : parsed.problem.expected).toContain(expected);
  });

  test("[GR3] a region has something that is not left out", () => {
    for (const texts of [[], ["!a"]])
      expect(parseRegion(texts)).toMatchObject({ ok: false, problem: { code: "region_invalid" } });
  });

  test.each([
    ["patterns", Array.from({ length: 10_000 }, (_, index) => `a${index}`)],
    ["bytes", ["ä".repeat(LIMITS.regionPatternBytesMax / 2 + 1)]],
    ["alternatives", ["{a,b}".repeat(11)]],
    ["alternatives, though all are the same", [`${"{a,a}".repeat(8)}x`, `${"{a,a}".repeat(8)}x`]],
    ["segments", [Array.from({ length: LIMITS.regionSegmentsMax + 1 }, () => "a").join("/")]],
  ])("[GR4] too many %s are region_too_large, at once", (_, texts) => {
    expect(parseRegion(texts)).toMatchObject({ ok: false, problem: { code: "region_too_large" } });
  });

  test("[GR4] a question that is too large is answered as such, never by a guess", () => {
    // Every name of twenty letters or more: to see that, both must remember the last twenty.
    const rest = "?".repeat(19);
    const [inner, outer] = [regionOf(`?${rest}*`), regionOf(`*a${rest}`, `*[!a]${rest}`)];
    expect(containmentOf(inner, outer).kind).toBe("too_large");
  });

  test("[GR4] a region of which it cannot be decided whether it has something is too large", () => {
    const deep = Array.from({ length: 70 }, (_, index) => `**/${"a/".repeat(50)}${index}`);
    const region = [...deep, ...deep.map((pattern) => `!${pattern}`)];
    expect(narrowTo(region, null)).toMatchObject({ kind: "too_large" });
  });

  test("[GR4] what was asked before costs as much again", () => {
    const region = ["src/**/*.ts", "!src/**/a*.ts"];
    const [first, again] = [newEffort(), newEffort()];
    expect(narrowTo(region, null, { effort: first }).kind).toBe("inside");
    expect(narrowTo(region, null, { effort: again }).kind).toBe("inside");
    expect(first.workLeft).toBeLessThan(newEffort().workLeft);
    expect(again.workLeft).toBe(first.workLeft);
    const work = newEffort().workLeft - first.workLeft;
    for (const [workMax, kind] of [
      [work, "too_large"],
      [work + 1, "inside"],
    ] as const)
      for (const patterns of [region, [...region, "src/**/*.ts"]])
        expect(narrowTo(patterns, null, { effort: newEffort(workMax) }).kind).toBe(kind);
  });

  test.each([
    ["a tree that goes on", ["**/a/**/a/**/a/b"], ["**/a/**/a/**/a/c"]],
    ["names of many wildcards", ["*a*a*a*a*b"], ["?????????"]],
    ["what is left out", ["a*/**", "!a?b*/**"], ["*a/**", "!*/*"]],
    ["many kinds of characters", ["*", "![abc]*", "![d-k]*"], ["?x*", "!*[l-z]", "!?*"]],
    ["very many patterns", numbered(40, "a/b"), numbered(40, "a/c")],
  ])(
    "[GR4] %s: with too little effort there is no answer, with enough always one",
    (_, ...both) => {
      const [left, right] = [regionOf(...both[0]), regionOf(...both[1])];
      for (const ask of [overlapOf, containmentOf]) {
        const effort = newEffort();
        const { kind } = ask(left, right, effort);
        expect(kind).not.toBe("too_large");
        const work = newEffort().workLeft - effort.workLeft;
        for (let share = 1; share <= 10; share += 1) {
          const little = newEffort(Math.floor((work * share) / 10));
          expect(ask(left, right, little).kind).toBe("too_large");
        }
        expect(ask(left, right, newEffort(work + 1)).kind).toBe(kind);
      }
    },
  );

  test("[GR4] many hard questions in one share one effort", () => {
    // Alone each would be decided by half of what one question may take.
    const hard = (sign: string): string[] => {
      const rest = "?".repeat(10);
      return [`${sign}?${rest}*`, `${sign}*a${rest}`, `${sign}*[!a]${rest}`];
    };
    const signs = ["b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p", "q"];
    const inner = signs.map((sign) => hard(sign)[0] ?? "");
    const outer = signs.flatMap((sign) => hard(sign).slice(1));
    expect(containmentOf(regionOf(...inner.slice(0, 1)), regionOf(...outer)).kind).toBe("inside");
    expect(containmentOf(regionOf(...inner), regionOf(...outer)).kind).toBe("too_large");
  });
});

describe("pairs that prior algebras got wrong", () => {
  test.each([
    ["src/?.ts", "src/a.ts", "src/a.ts"],
    ["src/[ab].ts", "src/a.ts", "src/a.ts"],
    ["src/{a,b}/**", "src/a/x.ts", "src/a/x.ts"],
    ["./src/a", "src/a", "src/a"],
    ["src/caf\u00e9", "src/cafe\u0301", "src/café"],
    ["src/**", "**/*.md", "src/.md"],
    ["a*", "*b", "ab"],
  ])("[GR5] %s and %s share %s (leases H22)", (left, right, witness) => {
    for (const [one, other] of [
      [left, right],
      [right, left],
    ] as const)
      expect(overlapOf(regionOf(one), regionOf(other))).toEqual({ kind: "overlap", witness });
  });

  test.each([
    ["src/a", "src/ab"],
    ["src/api", "src/api-client/**"],
    ["*.py", "*.ts"],
    ["**/*.py", "**/*.pyi"],
    ["**/*.md", "src/**/*.ts"],
    ["src/A", "src/a"],
    ["port:8080", "8080"],
    ["port:8080", "branch:8080"],
    ["src/[!a]", "src/a"],
    ["Docs/**/*.MD", "docs/**/*.md"],
  ])("[GR5] %s and %s share nothing (leases H22b)", (left, right) => {
    for (const [one, other] of [
      [left, right],
      [right, left],
    ] as const)
      expect(overlapOf(regionOf(one), regionOf(other))).toEqual({ kind: "apart" });
  });

  test("[GR5] what is left out is not there (leases H22)", () => {
    const api = regionOf("src/api/**", "!src/api/gen/**");
    expect(overlapOf(api, regionOf("src/api/gen/x.ts")).kind).toBe("apart");
    expect(overlapOf(regionOf("src/api/gen/x.ts"), api).kind).toBe("apart");
    expect(overlapOf(api, regionOf("src/api/gen*/**"))).toMatchObject({ kind: "overlap" });
  });

  test("[GR5] one shared file is enough, however a region is padded (leases H22c)", () => {
    const padded = regionOf("docs/**", "tests/**", "src/api/x.ts");
    const shared = { kind: "overlap", witness: "src/api/x.ts" };
    expect(overlapOf(padded, regionOf("src/api/**"))).toEqual(shared);
  });

  test("[GR5] the order of asking changes nothing (leases H22d)", () => {
    const padded = regionOf("docs/**", "tests/**", "src/api/x.ts");
    const shared = { kind: "overlap", witness: "src/api/x.ts" };
    expect(overlapOf(regionOf("src/api/**"), padded)).toEqual(shared);
  });

  test.each(["//src", "src//a", "a/..", "/src/a"])("[GR5] %s is refused (leases H22)", (text) => {
    expect(parseRegion([text])).toMatchObject({ ok: false });
  });

  test.each([[[]], [["!a"]], [["a", "!a"]], [["src/*", "!src/**"]]])(
    "[GR3] %j is nobody's ground: it has nothing, so it would block nothing (leases H23)",
    (texts) => {
      for (const isCaseless of [false, true])
        expect(narrowTo(texts, null, { isCaseless })).toMatchObject({ kind: "invalid" });
    },
  );

  test("[GR9] where case does not count, rights do not count it either", () => {
    expect(narrowTo(["SRC/A"], ["src/**"], { isCaseless: true })).toMatchObject({ kind: "inside" });
    expect(narrowTo(["SRC/A"], ["src/**"])).toEqual({ kind: "outside", witness: "SRC/A" });
    const outer = ["**", "!secret/**"];
    expect(narrowTo(["Secret/x"], outer, { isCaseless: true })).toEqual({
      kind: "outside",
      witness: "secret/x",
    });
    expect(narrowTo(["Secret/x"], outer)).toMatchObject({ kind: "inside" });
  });

  test("[GR6] where case does not count, letters of either case are one", () => {
    const [upper, lower] = [caselessRegionOf("SRC/Ärger[A-C]"), caselessRegionOf("src/ärgerb")];
    expect(overlapOf(upper, lower)).toEqual({ kind: "overlap", witness: "src/ärgerb" });
    expect(containmentOf(lower, upper)).toEqual({ kind: "inside" });
    const not = caselessRegionOf("[!a]");
    expect(overlapOf(not, caselessRegionOf("A")).kind).toBe("apart");
    expect(overlapOf(not, caselessRegionOf("B"))).toEqual({ kind: "overlap", witness: "b" });
    // Kelvin, long s, final sigma: one letter has more than two forms.
    for (const [one, other] of [
      ["\u212a", "k"],
      ["\u017f", "S"],
      ["ς", "Σ"],
      ["ẞ", "ß"],
    ] as const)
      expect(overlapOf(caselessRegionOf(one), caselessRegionOf(other)).kind).toBe("overlap");
  });

  test("[GR6] the table folds what the letters' own rules fold", () => {
    for (let code = 0xa0; code < 0x1e944; code += 1) {
      if (code >= 0xd800 && code < 0xe000) continue;
      const char = String.fromCodePoint(code);
      const lower = char.toLowerCase();
      if (Array.from(lower).length !== 1 || lower === char || char.normalize("NFC") !== char)
        continue;
      const isOne = new RegExp(`^${char}$`, "iu").test(lower);
      const { literal } = segmentOf(char);
      expect([char, segmentOf(lower).literal === literal]).toEqual([char, isOne]);
    }
  });
});

function segmentOf(text: string): { readonly literal: string | undefined } {
  const step = caselessRegionOf(text).includes[0]?.steps[0];
  if (typeof step !== "object") throw new Error(`${text} must be a segment`);
  return step;
}

describe("what would take long", () => {
  const manyRuns = (count: number) => `*${"a*".repeat(count)}`;

  test.each([
    ["a segment longer than any file's name", ["x".repeat(256)]],
    [
      "more bytes in all",
      Array.from({ length: 20 }, (_, i) => `${i}/${"x/".repeat(450)}`.slice(0, 900)),
    ],
    ["more in wildcards", Array.from({ length: 12 }, (_, i) => `${i}/${manyRuns(100)}`)],
  ])("[GR4] %s is too large to be decided", (_, patterns) => {
    expect(parseRegion(patterns)).toMatchObject({
      ok: false,
      problem: { code: "region_too_large" },
    });
  });

  test("[GR4] what just fits is taken", () => {
    expect(parseRegion(["x".repeat(255), `y/${manyRuns(100)}`]).ok).toBe(true);
  });
});
