import type { Finding, Node, Rule, Source } from "./tree.ts";
import { listSources, nameOf, parse, walkSource } from "./tree.ts";

/** Packages that compute and do nothing else. */
const PURE_PACKAGES = ["@marcbachmann/cel-js", "@noble/hashes", "canonicalize"];

/** Names by which a function reaches outside its arguments. */
const AMBIENT = new Set(
  (
    "Date performance Temporal Intl setTimeout setInterval setImmediate queueMicrotask Promise " +
    "process globalThis console fetch crypto require WeakRef FinalizationRegistry"
  ).split(" "),
);

/** Methods whose answer depends on the machine's language or zone. */
const LOCAL_METHODS = /^(localeCompare|toLocale\w+)$/;

/** The kernel takes values and returns values: nothing ambient, nothing asynchronous. */
export const kernelIsPure: Rule = (tree) =>
  listSources(tree, "src/kernel").flatMap((path) => {
    const source = parse(tree, path);
    return [...listImpureImports(source), ...listAmbient(source)];
  });

function listImpureImports(source: Source): Finding[] {
  return source.imports
    .filter(({ specifier }) => !specifier.startsWith("."))
    .filter(({ specifier }) => !PURE_PACKAGES.some((name) => isOf(specifier, name)))
    .map(({ specifier, line }) => ({
      path: source.path,
      line,
      rule: "kernel-purity",
      advice: `the kernel must not import "${specifier}"; take its answer as an argument`,
    }));
}

function isOf(specifier: string, packageName: string): boolean {
  return specifier === packageName || specifier.startsWith(`${packageName}/`);
}

function listAmbient(source: Source): Finding[] {
  const findings: Finding[] = [];
  const scopes = listScopes(source);
  walkSource(source, (node, parent, field) => {
    const name = nameOf(node);
    const isLocal = scopes.some(
      (one) => one.name === name && one.start <= node.start && node.end <= one.end,
    );
    const what = isLocal ? undefined : nameAmbient(node, parent, field);
    if (what === undefined) return;
    findings.push({
      path: source.path,
      line: source.lineAt(node.start),
      rule: "kernel-purity",
      advice: `the kernel must not use ${what}; take it as an argument, act in the runtime`,
    });
  });
  return findings;
}

type Scope = { readonly name: string; readonly start: number; readonly end: number };

/** Where an ambient name is a variable's own: `const { process } = event` hides the global. */
function listScopes(source: Source): Scope[] {
  const scopes: Scope[] = [];
  const around = new Map<Node, Node>();
  walkSource(source, (node, parent, field) => {
    if (parent !== undefined) around.set(node, parent);
    const name = nameOf(node);
    if (name === undefined || !AMBIENT.has(name)) return;
    const block = blockOf(node, field, around);
    if (block !== undefined) scopes.push({ name, start: block.start, end: block.end });
  });
  return scopes;
}

/** The block or function in which an identifier is declared; undefined if it is only used. */
function blockOf(name: Node, field: string, around: Map<Node, Node>): Node | undefined {
  let [node, inField] = [name, field];
  for (;;) {
    const parent = around.get(node);
    if (parent === undefined) return undefined;
    const isPattern = /Pattern$|^Property$|^RestElement$/.test(parent.type);
    const isDeclared = inField === "params" || (inField === "id" && parent.type.startsWith("Var"));
    if (isDeclared) return enclosing(parent, around);
    // In `{ at = Date }` and `{ [Date]: at }` the name is used, not declared.
    if (!isPattern || inField === "right" || inField === "key") return undefined;
    inField = fieldOf(parent, around.get(parent));
    node = parent;
  }
}

function fieldOf(node: Node, parent: Node | undefined): string {
  const fields = Object.entries(parent ?? {});
  return fields.find(([, value]) => value === node || [value].flat().includes(node))?.[0] ?? "";
}

function enclosing(node: Node, around: Map<Node, Node>): Node | undefined {
  let block: Node | undefined = node;
  while (block !== undefined && !/Function|^BlockStatement$|^For/.test(block.type))
    block = around.get(block);
  return block;
}

function nameAmbient(node: Node, parent: Node | undefined, field: string): string | undefined {
  if (node["async"] === true) return "async";
  if (node.type === "AwaitExpression" || node["await"] === true) return "await";
  if (node.type === "MetaProperty") return "import.meta";
  if (node.type === "ImportExpression") return "import()";
  if (node.type === "MemberExpression") {
    const [object, property] = [nameOf(node["object"]), nameOf(node["property"])];
    if (object === "Math" && property === "random") return "Math.random";
    if (property !== undefined && LOCAL_METHODS.test(property)) return property;
  }
  const name = nameOf(node);
  return name !== undefined && AMBIENT.has(name) && !isMember(parent, field) ? name : undefined;
}

/** True where an identifier only names a field: `row.process`, `{ process: 1 }`. */
function isMember(parent: Node | undefined, field: string): boolean {
  if (parent === undefined || parent["computed"] === true) return false;
  return field === "key" || (field === "property" && parent.type === "MemberExpression");
}
