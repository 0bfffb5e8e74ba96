import * as fc from "fast-check";
import { expect, test } from "vitest";
import { checkCondition, evaluateCondition } from "../../../src/kernel/condition/condition.ts";
import { LIMITS } from "../../../src/kernel/limits.ts";
import { answerOf, contextOf, problemOf } from "./context.ts";

const triggered = { triggered: true };
const clear = { triggered: false };

test.each([
  ["nope > 1", 'unknown name "nope" at character 1'],
  ["depth > 1 && nope", 'unknown name "nope" at character 14'],
  ["parent.children > 1", 'unknown name "children"'],
  ["has(parent.children)", 'unknown name "children"'],
  ['root["deep"] == 1', 'unknown name "deep"'],
  ["parent.budget.cpu > 1", 'unknown name "cpu"'],
  ["contract.max_deep > 1", 'unknown name "max_deep"'],
  ["contract.budget.cpu > 1", 'unknown name "cpu"'],
  ["has(budget.cpu)", 'unknown name "cpu"'],
  ["state.list.exists(x, y > 1)", 'unknown name "y"'],
  ["x > 1 || state.list.exists(x, x > 1)", 'unknown name "x" at character 1'],
  ["int == int", 'unknown name "int"'],
  ["constructor == null", 'unknown name "constructor"'],
])("[CD1] a condition with an unknown name is refused: %s", (source, problem) => {
  expect(problemOf(source)).toContain(problem);
});

test.each([
  ["active_count", "condition must be bool, got int"],
  ["name", "condition must be bool, got string"],
  ["state", "condition must be bool, got map<string, dyn>"],
  ["1.5", "condition must be bool, got double"],
  ["null", "condition must be bool, got null"],
  ["[true]", "condition must be bool, got list<bool>"],
  ["state.stop", "condition must be bool, got dyn; compare the value"],
  ["true ? state.stop : false", "condition must be bool, got dyn; compare the value"],
])("[CD1] a condition that is not bool is refused with its type: %s", (source, problem) => {
  expect(problemOf(source)).toContain(problem);
});

test.each([
  ["active_count >", "Unexpected token: EOF"],
  ["", "Unexpected token: EOF"],
  ["depth = 1", "Unexpected character: = at character 7"],
  ["depth > 'a'", "no such overload: int > string at character 1"],
  ["name + 1 == name", "no such overload: string + int"],
  ["active_count == 1.0", "no such overload: int == double"],
  ["contract.max_depth == name", "no such overload: int == string"],
  ["depth && true", "Logical operator requires bool operands, got 'int'"],
  ["depth.exists(x, true)", "cannot be range of a comprehension"],
  ["name in [1, 2]", "no such overload: string in list<int>"],
  ["9223372036854775808 > 1", "whole numbers of at most 64 bits; got 9223372036854775808"],
  ["state.list.exists(depth, true)", 'a new name for each element; got "depth"'],
])("[CD1] a condition that is no well-typed CEL is refused: %s", (source, problem) => {
  expect(problemOf(source)).toContain(problem);
  expect(answerOf(source, {})).toBe(problemOf(source));
});

test.each([
  ["active_count >= 5", triggered],
  ["active_count > 5", clear],
  ["total_count == 9 && depth == 2", triggered],
  ["name == 'api' && reason.startsWith('sub')", triggered],
  ["budget.cpu_milli >= 500 && budget.units.tokens == 5", triggered],
  ["has(budget.memory_bytes)", clear],
  ["parent.name == 'planner' && parent.state.phase == 'split'", triggered],
  ["parent.children_count >= 2 && parent.budget.cpu_milli == 1000", triggered],
  ["root.depth == 0 && root.id != parent.id", triggered],
  ["depth >= contract.max_depth", clear],
  ["contract.silent_alive == 'flag' && size(contract.stop) == 0", triggered],
])("[CD1] every name of the admission context can be used: %s", (source, verdict) => {
  expect(checkCondition(source)).toEqual({ ok: true });
  expect(evaluateCondition(source, contextOf())).toEqual(verdict);
});

test("[CD1] parent and root are null for a root, which a condition can ask", () => {
  const context = contextOf({ parent: null, root: null, depth: 0 });
  expect(evaluateCondition("parent == null && root == null", context)).toEqual(triggered);
  expect(evaluateCondition("parent != null && parent.depth > 0", context)).toEqual(clear);
  expect(evaluateCondition("has(parent.name)", context)).toEqual(clear);
});

test.each([
  ["state.missing == 1", 'field "missing" must be present, got nothing'],
  ["state.text > 1", '">" must compare two numbers, strings or bools, got string and int'],
  ["state.list[9] == 1", "an index must be below the size of its list, 3, got 9"],
  ["state.list[-1] == 1", "an index must be below the size of its list, 3, got -1"],
  ["state.list['a'] == 1", "an index must be an int into a list or a string into a map"],
  ["state.text + 1 == 2", '"+" must have two values of one type'],
  ["!state.text", '"!" must negate a bool, got string'],
  ["-state.text == 1", '"-" must negate an int or double, got string'],
  ["state.text && true", "a condition must be a bool, got string"],
  ["state.text ? true : false", '"?" must follow a bool, got string'],
  ["1 in state.text", '"in" must search a list or map, got string'],
  ["state.text.all(x, true)", "a macro must visit a list or map, got string"],
  ["state.list.all(x, state.text)", "a condition must be a bool, got string"],
  ["state.list.exists_one(x, x / 0 > 1)", "divided by another number than 0, got 0"],
  ["state.list.map(x, x / 0) == []", "divided by another number than 0, got 0"],
  ["depth / 0 == 1", "divided by another number than 0, got 0"],
  ["depth % 0 == 1", "divided by another number than 0, got 0"],
  ["9223372036854775807 + depth > 1", "an int must fit 64 bits, got 9223372036854775809"],
  ["-9223372036854775807 * 2 < 1", "an int must fit 64 bits"],
  ["int(state.text) == 1", "int must be given an int, a finite double or a text of digits"],
  ["int(1e300) == 1", "an int must fit 64 bits"],
  ["double(state.text) == 1.0", "double must be given a number or a decimal text, got string"],
  ["string(state.list) == ''", "string must be given a string, number or bool, got list"],
  ["size(state.number) == 1", "size must be given a string, list or map, got int"],
  ["state.list.contains(1)", "contains must be given a string, got list"],
  ["root.state.missing.deeper == 1", 'field "missing" must be present, got nothing'],
])(
  "[CD2] an error while deciding is returned, not thrown and not false: %s (replication A18)",
  (source, error) => {
    const state = { text: "text", list: [1, 2, 3], number: 1 };
    expect(problemOf(source)).toBe("none");
    expect(answerOf(source, { state })).toContain(error);
  },
);

test.each([
  ["state.missing == 1 || depth == 2", triggered],
  ["depth == 2 || state.missing == 1", triggered],
  ["state.missing == 1 && depth == 3", clear],
  ["state.list.exists(x, 6 / (x - 1) == 6)", triggered],
  ["state.list.all(x, 6 / (x - 1) == 9)", clear],
])("[CD2] an error that another operand outvotes does not count: %s", (source, verdict) => {
  const context = contextOf({ state: { list: [1, 2, 3] } });
  expect(evaluateCondition(source, context)).toEqual(verdict);
});

test("[CD2] every source has a verdict or an error, whatever it is made of", () => {
  const signs = "( ) [ ] { } . , ? : ! - + * / % < > = & | ' \" \\ 1 a x".split(" ");
  const words = "in state depth has( .all(x, size( 0x 1e9 null b' r' //".split(" ");
  const scrap = fc.constantFrom(...signs, ...words);
  const source = fc.array(scrap, { maxLength: 40 }).map((parts) => parts.join(""));
  fc.assert(
    fc.property(fc.oneof(source, fc.string({ unit: "binary" })), (text) => {
      const check = checkCondition(text);
      const verdict = evaluateCondition(text, contextOf());
      const isDecided = "triggered" in verdict || verdict.error.length > 0;
      expect(check.ok ? isDecided : verdict).toEqual(check.ok ? true : { error: check.problem });
    }),
    { numRuns: 1_000 },
  );
});

test.each([
  ["state.whole == 3 && state.whole / 2 == 1", triggered],
  ["state.ratio == 2.5 && state.ratio * 2.0 == 5.0", triggered],
  ["state.huge > 9007199254740991 && string(state.huge) == '9007199254740992'", triggered],
  ["state.huge + 1.0 > 1.0", triggered],
  ["state.safe + 1 == 9007199254740992", triggered],
  ["dyn(state.whole) == 3.0 && state.whole < 3.5", triggered],
  ["state.list.exists(x, x % 2 == 0)", triggered],
  ["[1.0, 2.5].map(x, x * 2.0)[0] == 2.0", triggered],
  ["active_count / 2 == 2", triggered],
  ["size(state.text) == 2", triggered],
])("[CD4] whole numbers are ints, others doubles: %s", (source, verdict) => {
  const state = {
    whole: 3,
    ratio: 2.5,
    huge: 2 ** 53,
    safe: 2 ** 53 - 1,
    list: [1, 2],
    text: "é🙂",
  };
  expect(evaluateCondition(source, contextOf({ state }))).toEqual(verdict);
});

test("[CD4] int and double are not mixed in arithmetic", () => {
  const state = { whole: 3, ratio: 2.5 };
  expect(answerOf("state.whole + state.ratio > 1.0", { state })).toContain("got int and double");
});

test("[CD4] the order in which an object was built decides nothing", () => {
  const built = contextOf({ state: { a: 1, b: 2 } });
  const rebuilt = contextOf({ state: { b: 2, a: 1 } });
  const source = "state.map(k, k)[0] == 'a' && state.map(k, k) == ['a', 'b']";
  expect(evaluateCondition(source, built)).toEqual(triggered);
  expect(evaluateCondition(source, rebuilt)).toEqual(triggered);
});

test("[CD4] a verdict changes nothing and depends on no earlier verdict (replication A18)", () => {
  const context = contextOf({ state: { list: [3, 1, 2] } });
  const before = JSON.stringify(context);
  const sources = Array.from({ length: 600 }, (_, index) => `size(state.list) == ${index}`);
  const twice = [...sources, ...sources].map((source) => evaluateCondition(source, context));
  expect(twice.slice(600)).toEqual(twice.slice(0, 600));
  expect(twice.filter((verdict) => "triggered" in verdict && verdict.triggered)).toHaveLength(2);
  expect(JSON.stringify(context)).toBe(before);
});

test("[CD3] a source is refused beyond its bytes, counted in UTF-8", () => {
  const most = LIMITS.conditionSourceBytesMax;
  const padded = (text: string, bytes: number) => `${text}'${"é".repeat(bytes / 2)}' != name`;
  const empty = new TextEncoder().encode(padded("", 0)).length;
  const fitting = padded("", most - empty);
  expect(new TextEncoder().encode(fitting)).toHaveLength(most);
  expect(checkCondition(fitting)).toEqual({ ok: true });
  expect(checkCondition(` ${fitting}`)).toEqual({
    ok: false,
    problem: `condition must have at most ${most} bytes, got ${most + 1}`,
  });
});
