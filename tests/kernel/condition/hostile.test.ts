import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";
import { checkCondition, evaluateCondition } from "../../../src/kernel/condition/condition.ts";
import type { Verdict } from "../../../src/kernel/rules/judge.ts";
import type { Json, JsonObject } from "../../../src/kernel/json.ts";
import { LIMITS } from "../../../src/kernel/limits.ts";
import { answerOf, contextOf, problemOf } from "./context.ts";

const triggered = { triggered: true };
const elementsMax = LIMITS.conditionMacroElementsMax;
const stepsMax = LIMITS.conditionNodesMax * elementsMax;
const tooManySteps = { error: `condition must be decided in ${stepsMax} steps, got more` };
const tooManyNodes = /^condition must have at most 200 nodes in 32 levels, got more/;

function verdictOn(source: string, state: JsonObject): Verdict {
  expect(checkCondition(source)).toEqual({ ok: true });
  return evaluateCondition(source, contextOf({ state }));
}

test.each([
  ["name.matches('^(a+)+$')", "matches"],
  ["matches(name, '^(a+)+$')", "matches"],
  ["cel.bind(x, name + name, x == name)", "bind"],
  ["name.split('a').size() > 1", "split"],
  ["['a'].join(name) == ''", "join"],
  ["name.substring(1) == ''", "substring"],
  ["name.lowerAscii() == ''", "lowerAscii"],
  ["bytes(name).hex() == ''", "hex"],
  ["type(name) == type(name)", "type"],
  ["optional.none() == null", "none"],
  ["timestamp('2024-01-01T00:00:00Z').getHours() > 1", "getHours"],
  ["timestamp('2024-01-01T00:00:00Z') > timestamp(0)", "timestamp"],
  ["duration('1h') > duration('1m')", "duration"],
  ["state.all(x)", "all"],
  ["has(state)", "has"],
  ["size(state, state) > 1", "size"],
])("[CD3] a function off the list is refused: %s", (source, name) => {
  expect(problemOf(source)).toContain(`condition must use only the functions has, size,`);
  expect(problemOf(source)).toContain(`got "${name}" in "`);
});

test.each([
  "state.l.all(x, state.l.all(y, y == x))",
  "state.l.exists(x, x.exists(y, y))",
  "state.l.map(x, state.l.map(y, y)).size() > 1",
  "state.l.filter(x, state.l.exists_one(y, y == x)) == []",
  "state.l.map(x, x > 1, state.l.filter(y, y > x)) == []",
  "state.l.exists(x, [state.l.filter(y, y > x)].size() > 1)",
])("[CD3] a macro inside of a macro is refused: %s", (source) => {
  expect(problemOf(source)).toMatch(/one level of macros; got "\w+" inside of another macro/);
});

test("[CD3] macros may follow each other", () => {
  const state = { list: [1, 2, 3] };
  expect(verdictOn("state.list.filter(x, x > 1).map(x, x * x).exists(x, x == 9)", state)).toEqual(
    triggered,
  );
});

test("[CD3] a condition has at most 32 levels", () => {
  const ofLevels = (count: number) => `${"(".repeat(count - 1)}true${")".repeat(count - 1)}`;
  expect(checkCondition(ofLevels(32))).toEqual({ ok: true });
  expect(problemOf(ofLevels(33))).toMatch(tooManyNodes);
});

test("[CD3] a condition has at most 200 nodes", () => {
  // "true" is one node, each "|| true" two.
  const ofNodes = (count: number) =>
    `${"!".repeat(1 - (count % 2))}true${" || true".repeat((count - 1) >> 1)}`;
  expect(checkCondition(ofNodes(199))).toEqual({ ok: true });
  expect(checkCondition(ofNodes(200))).toEqual({ ok: true });
  expect(problemOf(ofNodes(201))).toMatch(tooManyNodes);
});

test.each([
  ["parentheses", "(".repeat(2_000) + "true" + ")".repeat(2_000)],
  ["open parentheses", "(".repeat(4_000)],
  ["lists", "[".repeat(2_000) + "]".repeat(2_000)],
  ["maps", "{".repeat(4_000)],
  ["negations", "!".repeat(4_000) + "true"],
  ["minus signs", "-".repeat(4_000) + "1 == 1"],
  ["spaced minus signs", "- ".repeat(2_000) + "1 == 1"],
  ["choices", "true ? ".repeat(250) + "true" + " : true".repeat(250)],
  ["selections", `state${".a".repeat(2_000)} == 1`],
  ["indexes", `state${"[0".repeat(1_000)}${"]".repeat(1_000)} == 1`],
  ["calls", "size(".repeat(500) + "name" + ")".repeat(500) + " == 1"],
  ["operands", "true" + " || true".repeat(400)],
])("[CD3] a deep or long source is a problem, never a crash: %s", (_, source) => {
  expect(problemOf(source)).toMatch(tooManyNodes);
  expect(evaluateCondition(source, contextOf())).toHaveProperty("error");
});

test("[CD3] a source that exhausts the stack is a problem as well", () => {
  const module = new URL("../../../src/kernel/condition/condition.ts", import.meta.url).href;
  const script = `
    import { checkCondition } from ${JSON.stringify(module)};
    console.log(JSON.stringify(checkCondition("!".repeat(4_000) + "true").problem));
  `;
  // A quarter of the usual stack: the parser runs out of it before it has counted the nodes.
  const args = ["--stack-size=240", "--input-type=module", "-e", script];
  const child = spawnSync(process.execPath, args, { encoding: "utf8", timeout: 20_000 });
  expect(child.stderr).toBe("");
  expect(JSON.parse(child.stdout)).toMatch(tooManyNodes);
});

const ints = (count: number) => Array.from({ length: count }, (_, index) => index);

test.each([
  "state.list.all(x, x >= 0)",
  "state.list.exists(x, x < 0) || true",
  "state.list.exists_one(x, x == 1)",
  "state.list.map(x, x).size() > 0",
  "state.list.filter(x, x > 1).size() > 0",
  "-1 in state.list || true",
  "state.list == state.list",
  "state.list + [1] != []",
  "state.map.all(k, k != '')",
  "state.map == state.map",
])("[CD3] a list or map of more than 1 000 elements is not walked: %s", (source) => {
  const ofSize = (count: number) => ({
    list: ints(count),
    map: Object.fromEntries(ints(count).map((index) => [`k${index}`, index])),
  });
  // "+ [1]" makes a list of one more than it is given.
  const most = source.includes("+ [1]") ? elementsMax - 1 : elementsMax;
  expect(verdictOn(source, ofSize(most))).toEqual(triggered);
  expect(verdictOn(source, ofSize(elementsMax + 1))).toEqual({
    error: `a list or map must have at most 1000 elements to be walked, got ${
      source.includes("+ [1]") ? elementsMax + 2 : elementsMax + 1
    }`,
  });
});

test("[CD3] the size of a long list may be asked, it costs nothing", () => {
  const state = { list: ints(20_000) };
  expect(verdictOn("size(state.list) == 20000 && state.list[19999] == 19999", state)).toEqual(
    triggered,
  );
});

const text = "a".repeat(LIMITS.stateBytesMax - 1_024);
const half = text.slice(text.length / 2);

test.each([
  ["a long text joined again and again", `size(state.text${" + state.text".repeat(60)}) > 1`],
  ["a long text joined in a macro", "state.list.exists(x, size(state.text + state.text) < x)"],
  ["a long text collected in a macro", "state.list.map(x, state.text + state.text).size() > 1"],
  ["a long text compared in a macro", "state.list.exists(x, state.text != state.same)"],
  ["a long text ordered in a macro", "state.list.exists(x, state.text < state.same)"],
  ["a long text searched in a macro", "state.list.exists(x, state.text.contains('b'))"],
  ["a long text for a long text", "state.text.contains(state.needle)"],
  ["a long text measured in a macro", "state.list.exists(x, size(state.text) < x)"],
  ["a long prefix in a macro", "state.list.exists(x, !state.text.startsWith(state.half))"],
  ["a long suffix in a macro", "state.list.exists(x, !state.text.endsWith(state.half))"],
])("[CD3] %s ends at the limit of steps (replication A18)", (_, source) => {
  const state = {
    text,
    same: "a".repeat(text.length),
    half,
    needle: `b${half}`,
    list: ints(elementsMax),
  };
  expect(verdictOn(source, state)).toEqual(tooManySteps);
});

test.each([
  ["lists compared in a macro", "state.list.exists(x, state.rows != state.rows2)"],
  ["maps compared in a macro", "state.list.exists(x, state.map != state.map2)"],
  ["lists searched in a macro", "state.list.exists(x, -1 in state.list)"],
  ["rows searched for a row in a macro", "state.list.exists(x, state.map in state.rows)"],
  ["lists joined in a macro", "state.list.exists(x, state.half + state.half == [])"],
  ["lists that differ at once in a macro", "state.list.exists(x, state.list == state.other)"],
  ["maps that differ at once in a macro", "state.list.exists(x, state.map == state.map3)"],
  ["lists searched for their first in a macro", "state.list.exists(x, !(0 in state.list))"],
  ["a wide map measured in a macro", "state.list.exists(x, size(state.wide) == x)"],
])("[CD3] %s end at the limit of steps (replication A18)", (_, source) => {
  const map = Object.fromEntries(ints(900).map((index) => [`k${index}`, index]));
  const rows = ints(elementsMax).map((index) => ({ id: index, on: true }));
  const wide = Object.fromEntries(ints(5_000).map((index) => [`k${index}`, 0]));
  const list = ints(elementsMax);
  const map3 = { ...map, k0: -1, k899: -1 };
  const other = [-1, ...list.slice(1, -1), -1];
  const state = {
    map,
    map2: { ...map },
    map3,
    other,
    rows,
    rows2: [...rows],
    wide,
    list,
    half: ints(500),
  };
  expect(verdictOn(source, state)).toEqual(tooManySteps);
});

test.each([
  "state.list.exists(x, state.text + state.text == '') || true",
  "!(state.list.exists(x, state.text + state.text == '') && false)",
  "true ? (state.list.all(x, state.text + state.text != '') || true) : false",
])("[CD2] [CD3] a spent limit is never outvoted: %s", (source) => {
  expect(verdictOn(source, { text, list: ints(elementsMax) })).toEqual(tooManySteps);
});

test("[CD2] [CD3] a list too long for one element is not outvoted by another element", () => {
  const state = { rows: [{ list: ints(elementsMax + 1) }, { list: [1] }] };
  expect(verdictOn("state.rows.exists(r, 1 in r.list)", state)).toHaveProperty("error");
  expect(verdictOn("state.rows.all(r, !(1 in r.list))", state)).toHaveProperty("error");
});

test("[CD3] the largest macro that the limits admit is decided", () => {
  // 1 for "all", 2 for "state.list", 195 in the body, visited a thousand times.
  const body = `x >= 0${" && x >= 0".repeat(48)}`;
  expect(verdictOn(`state.list.all(x, ${body})`, { list: ints(elementsMax) })).toEqual(triggered);
});

test("[CD3] state nested deeper than a stack is compared", () => {
  const nested = (depth: number) => JSON.parse("[".repeat(depth) + "]".repeat(depth)) as Json;
  const state = { left: nested(30_000), right: nested(30_000), other: nested(30_001) };
  expect(verdictOn("state.left == state.right && state.left != state.other", state)).toEqual(
    triggered,
  );
});

test.each([
  ["state.constructor == null", "constructor"],
  ["state.__proto__ == null", "__proto__"],
  ["state['__proto__'].polluted == 1", "__proto__"],
  ["state.list.constructor == null", "constructor"],
  ["state.toString == null", "toString"],
  ["state.list.length == 1", "length"],
  ["state['hasOwnProperty'] == null", "hasOwnProperty"],
])("[CD3] nothing of a JavaScript prototype can be reached: %s", (source, field) => {
  expect(problemOf(source)).toBe("none");
  expect(answerOf(source, { state: { list: [1] } })).toContain(`field "${field}" must be`);
});

test("[CD3] a key named like a part of a prototype is a key like any other", () => {
  const state = JSON.parse('{"__proto__": {}, "constructor": 1, "plain": {"a": 1}}') as JsonObject;
  expect(verdictOn("state.__proto__.size() == 0 && state.constructor == 1", state)).toEqual(
    triggered,
  );
  expect(verdictOn("'__proto__' in state && !('toString' in state)", state)).toEqual(triggered);
  expect(verdictOn("!has(state.toString) && has(state.constructor)", state)).toEqual(triggered);
  // By prototype chain, {"__proto__": {}} would equal any map of one key.
  const alike = JSON.parse('{"a": {"__proto__": {}}, "b": {"x": {}}}') as JsonObject;
  expect(verdictOn("state.a == state.b", alike)).toEqual({ triggered: false });
});
