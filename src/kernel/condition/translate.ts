/*
 * From the library's syntax tree to an Expression, by an allow list: a new version of the library
 * cannot widen the language. Two things are never admitted: what costs more than its size
 * (`matches`, nested macros, `cel.bind`), and what depends on the host (`timestamp`, `duration`:
 * the library reads texts without a zone in the zone of the process).
 */
import type { ASTNode } from "@marcbachmann/cel-js";
import { unreachable } from "../assert.ts";
import type { Expression, FunctionName, LoopName } from "./expression.ts";
import type { CelFields, CelType, Vocabulary } from "./vocabulary.ts";

const int64Max = 2n ** 63n - 1n;

/** Functions by name, with the count of arguments they take in call and in dot form. */
const functions: Readonly<Record<FunctionName, { readonly call?: 1; readonly method?: 0 | 1 }>> = {
  size: { call: 1, method: 0 },
  int: { call: 1 },
  double: { call: 1 },
  string: { call: 1 },
  dyn: { call: 1 },
  contains: { method: 1 },
  startsWith: { method: 1 },
  endsWith: { method: 1 },
};

/** Macros by name, with the counts of arguments they take. */
const loops: Readonly<Record<LoopName, readonly number[]>> = {
  all: [2],
  exists: [2],
  exists_one: [2],
  filter: [2],
  map: [2, 3],
};

/** Thrown for a source beyond the admitted part of CEL; its message is the problem. */
export class NotAdmitted extends Error {
  override readonly name = "NotAdmitted";
}

/**
 * Translates a parsed condition, whose types need not be checked yet.
 * Throws {@link NotAdmitted} for whatever the allow list does not hold.
 */
export function translate(root: ASTNode, source: string, { types }: Vocabulary): Expression {
  return translateNode(root, { variable: undefined, source, types });
}

/** What is visible at a node: the variable of the macro around it, if there is one. */
interface Surroundings {
  readonly variable: string | undefined;
  readonly source: string;
  /** The names of the context. */
  readonly types: CelFields;
}

function translateNode(node: ASTNode, around: Surroundings): Expression {
  switch (node.op) {
    case "value":
      return translateLiteral(node);
    case "id":
      return translateName(node.args, node, around);
    case ".":
      return translateField(node.args[0], node.args[1], around);
    case "[]": {
      const [of, at] = node.args;
      if (at.op === "value" && typeof at.args === "string") checkField(of, at.args, around);
      return { op: "index", of: translateNode(of, around), at: translateNode(at, around) };
    }
    case "list":
      return { op: "list", items: node.args.map((item) => translateNode(item, around)) };
    case "!_":
      return { op: "not", of: translateNode(node.args, around) };
    case "-_":
      return { op: "negate", of: translateNode(node.args, around) };
    case "&&":
      return { op: "and", ...translatePair(node.args, around) };
    case "||":
      return { op: "or", ...translatePair(node.args, around) };
    case "?:": {
      const [when, consequent, alternative] = node.args;
      return {
        op: "choose",
        when: translateNode(when, around),
        consequent: translateNode(consequent, around),
        alternative: translateNode(alternative, around),
      };
    }
    case "call":
      return translateCall(node.args[0], node.args[1], { node, around });
    case "rcall":
      return translateMethod(node.args[0], [node.args[1], ...node.args[2]], { node, around });
    case "map":
    case ".?":
    case "[?]":
      throw reject(node, "operators, lists and fields", `"${cut(node, around)}"`);
    default:
      return unreachable(node);
    case "==":
    case "!=":
    case "<":
    case "<=":
    case ">":
    case ">=":
    case "in":
    case "+":
    case "-":
    case "*":
    case "/":
    case "%":
      return { op: "binary", operator: node.op, ...translatePair(node.args, around) };
  }
}

function translatePair(
  [left, right]: readonly [ASTNode, ASTNode],
  around: Surroundings,
): { readonly left: Expression; readonly right: Expression } {
  return { left: translateNode(left, around), right: translateNode(right, around) };
}

function translateLiteral(node: ASTNode & { readonly op: "value" }): Expression {
  const value = node.args;
  if (typeof value === "bigint" && value > int64Max) {
    throw reject(node, "whole numbers of at most 64 bits", String(value));
  }
  if (typeof value === "object" && value !== null) {
    throw reject(node, "null, bool, int, double and string literals", "another kind of literal");
  }
  return { op: "literal", value };
}

function translateName(name: string, node: ASTNode, around: Surroundings): Expression {
  if (name !== around.variable && !Object.hasOwn(around.types, name)) {
    const known = Object.keys(around.types).join(", ");
    throw reject(node, `the names ${known}`, `unknown name "${name}"`);
  }
  return { op: "name", name };
}

function translateField(of: ASTNode, field: string, around: Surroundings): Expression {
  checkField(of, field, around);
  return { op: "field", of: translateNode(of, around), field };
}

/** Refuses a field that its record cannot have: the checker knows none of one that may be null. */
function checkField(of: ASTNode, field: string, around: Surroundings): void {
  const type = typeOf(of, around);
  if (typeof type !== "object" || Object.hasOwn(type, field)) return;
  const known = Object.keys(type).join(", ");
  throw reject(of, `the fields ${known} of "${cut(of, around)}"`, `unknown name "${field}"`);
}

function typeOf(node: ASTNode, around: Surroundings): CelType | undefined {
  if (node.op === "id" && node.args !== around.variable) return own(around.types, node.args);
  const field = fieldOf(node);
  return field === undefined ? undefined : own(typeOf(field.of, around), field.name);
}

function own(type: CelType | undefined, field: string): CelType | undefined {
  return typeof type === "object" && Object.hasOwn(type, field) ? type[field] : undefined;
}

function fieldOf(node: ASTNode): { readonly of: ASTNode; readonly name: string } | undefined {
  if (node.op === ".") return { of: node.args[0], name: node.args[1] };
  if (node.op !== "[]") return undefined;
  const [of, at] = node.args;
  return at.op === "value" && typeof at.args === "string" ? { of, name: at.args } : undefined;
}

/** Where a call stands. */
interface CallSite {
  readonly node: ASTNode;
  readonly around: Surroundings;
}

function translateCall(name: string, args: readonly ASTNode[], site: CallSite): Expression {
  const [first] = args;
  if (name === "has" && args.length === 1 && first?.op === ".") {
    checkField(first.args[0], first.args[1], site.around);
    return { op: "has", of: translateNode(first.args[0], site.around), field: first.args[1] };
  }
  if (!isFunction(name) || functions[name].call !== args.length) throw rejectCall(name, site);
  return { op: "call", name, args: args.map((arg) => translateNode(arg, site.around)) };
}

function translateMethod(name: string, args: readonly ASTNode[], site: CallSite): Expression {
  if (isLoop(name) && loops[name].includes(args.length - 1)) return translateLoop(name, args, site);
  if (!isFunction(name) || functions[name].method !== args.length - 1) throw rejectCall(name, site);
  return { op: "call", name, args: args.map((arg) => translateNode(arg, site.around)) };
}

function translateLoop(name: LoopName, args: readonly ASTNode[], site: CallSite): Expression {
  const [over, variable, ...rest] = args;
  const body = rest.at(-1);
  if (over === undefined || variable?.op !== "id" || body === undefined) {
    throw rejectCall(name, site);
  }
  if (site.around.variable !== undefined) {
    throw reject(site.node, "one level of macros", `"${name}" inside of another macro`);
  }
  if (Object.hasOwn(site.around.types, variable.args)) {
    throw reject(variable, "a new name for each element", `"${variable.args}"`);
  }
  const inside = { ...site.around, variable: variable.args };
  const [where] = rest.length === 2 ? rest : [];
  return {
    op: "loop",
    name,
    over: translateNode(over, site.around),
    variable: variable.args,
    where: where === undefined ? undefined : translateNode(where, inside),
    body: translateNode(body, inside),
  };
}

function isFunction(name: string): name is FunctionName {
  return Object.hasOwn(functions, name);
}

function isLoop(name: string): name is LoopName {
  return Object.hasOwn(loops, name);
}

function rejectCall(name: string, { node, around }: CallSite): NotAdmitted {
  const known = ["has", ...Object.keys(functions), ...Object.keys(loops)].join(", ");
  return reject(node, `the functions ${known}`, `"${name}" in "${cut(node, around)}"`);
}

function reject(node: ASTNode, expected: string, actual: string): NotAdmitted {
  const at = `at character ${node.start + 1}`;
  return new NotAdmitted(`condition must use only ${expected}; got ${actual} ${at}`);
}

/** The source of a node, short enough for a message. */
function cut(node: ASTNode, around: Surroundings): string {
  const text = around.source.slice(node.start, node.end);
  return text.length <= 40 ? text : `${text.slice(0, 39)}…`;
}
