import { Environment } from "@marcbachmann/cel-js";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { checkCondition, evaluateCondition } from "../../../src/kernel/condition/condition.ts";
import { contextOf } from "./context.ts";

/*
 * Our evaluator against the library's, which has no limits: on generated expressions both must
 * give the same truth, or both an error.
 */
const library = new Environment({ homogeneousAggregateLiterals: false });
const context = contextOf({
  state: {
    count: 3,
    empty: [],
    flag: true,
    list: [4, 1, 3, 3, 2],
    map: { a: 1, b: null, c: "c" },
    nothing: null,
    ratio: 1.5,
    rows: [{ id: 1, ok: true }, { id: 2, ok: false }, { id: 3 }],
    text: "héllo wörld 🙂",
    words: ["api", "web", ""],
  },
});
for (const [name, type] of [
  ["active_count", "int"],
  ["depth", "int"],
  ["name", "string"],
  ["state", "map<string, dyn>"],
  ["parent", "dyn"],
] as const) {
  library.registerVariable(name, type);
}
const names = ["active_count", "depth", "name", "state", "parent"] as const;
const libraryContext = new Map(names.map((name) => [name, bindForLibrary(context[name])]));

function bindForLibrary(value: unknown): unknown {
  if (typeof value === "number") return Number.isSafeInteger(value) ? BigInt(value) : value;
  if (Array.isArray(value)) return value.map(bindForLibrary);
  if (typeof value !== "object" || value === null) return value;
  return new Map(Object.entries(value).map(([key, field]) => [key, bindForLibrary(field)]));
}

const grammar = fc.letrec<{
  int: string;
  bool: string;
  text: string;
  list: string;
  element: string;
}>((tie) => ({
  int: fc.oneof(
    { maxDepth: 4, depthIdentifier: "d" },
    fc.constantFrom("0", "1", "3", "-2", "active_count", "depth", "state.count", "parent.depth"),
    fc.constantFrom("state.list[1]", "state.missing", "state.rows[0].id", "state.nothing"),
    fc.tuple(tie("int"), fc.constantFrom("+", "-", "*", "/", "%"), tie("int")).map(infix),
    tie("list").map((list) => `size(${list})`),
    tie("text").map((text) => `${text}.size()`),
    fc.tuple(tie("bool"), tie("int"), tie("int")).map(([c, a, b]) => `(${c} ? ${a} : ${b})`),
  ),
  text: fc.oneof(
    { maxDepth: 4, depthIdentifier: "d" },
    fc.constantFrom('"api"', '""', "name", "state.text", "state.words[1]", "state.map.c"),
    fc.tuple(tie("text"), fc.constant("+"), tie("text")).map(infix),
    tie("int").map((int) => `string(${int})`),
  ),
  list: fc.oneof(
    { maxDepth: 4, depthIdentifier: "d" },
    fc.constantFrom("state.list", "state.empty", "[1, 2]", "state.map"),
    tie("element").map((body) => `state.list.filter(x, ${body})`),
    tie("element").map((body) => `state.list.map(x, ${body}, x * 2)`),
  ),
  element: fc.oneof(
    fc.constantFrom("x > 2", "x == depth", "x / (x - 3) > 0", "x in [1, 3]", "x > state.ratio"),
    fc.constantFrom("state.flag", "x == 1 || state.missing", "x < 9", "x + 1 == state.count"),
  ),
  bool: fc.oneof(
    { maxDepth: 4, depthIdentifier: "d" },
    fc.constantFrom("true", "false", "has(state.count)", "has(state.map.d)", "has(state.x.y)"),
    fc.constantFrom("state.flag == true", "parent == null", "state.nothing == null", "!state.flag"),
    fc.constantFrom("state.rows.exists(r, r.ok)", "state.rows.all(r, r.ok)", '"a" in state.map'),
    fc.constantFrom("state.map.exists(k, k == 'b')", "state.rows.all(r, r.id > 1 || r.ok)"),
    fc.tuple(tie("bool"), fc.constantFrom("&&", "||"), tie("bool")).map(infix),
    tie("bool").map((bool) => `!${bool}`),
    fc.tuple(tie("int"), fc.constantFrom("<", "<=", ">", ">=", "==", "!="), tie("int")).map(infix),
    fc.tuple(tie("text"), fc.constantFrom("<", ">=", "==", "!="), tie("text")).map(infix),
    fc.tuple(tie("int"), fc.constant("in"), tie("list")).map(infix),
    fc.tuple(tie("int"), fc.constantFrom("<", ">"), fc.constant("state.ratio")).map(infix),
    fc
      .tuple(tie("text"), fc.constantFrom("contains", "startsWith", "endsWith"), tie("text"))
      .map(([text, method, sought]) => `${text}.${method}(${sought})`),
    fc
      .tuple(fc.constantFrom("all", "exists", "exists_one"), tie("element"))
      .map(([macro, body]) => `state.list.${macro}(x, ${body})`),
  ),
}));

function infix([left, operator, right]: readonly [string, string, string]): string {
  return `(${left} ${operator} ${right})`;
}

function libraryVerdict(source: string): boolean | "error" {
  try {
    const value: unknown = library.evaluate(source, libraryContext);
    return typeof value === "boolean" ? value : "error";
  } catch {
    // The library throws for an error of the expression.
    return "error";
  }
}

test("[CD2] [CD4] a condition has the value that the CEL library gives it, or both err", () => {
  let agreedCount = 0;
  fc.assert(
    fc.property(grammar.bool, (source) => {
      fc.pre(checkCondition(source).ok);
      const verdict = evaluateCondition(source, context);
      expect("triggered" in verdict ? verdict.triggered : "error").toBe(libraryVerdict(source));
      agreedCount += 1;
    }),
    { numRuns: 2_000 },
  );
  expect(agreedCount).toBe(2_000);
});
