import { readdirSync, readFileSync } from "node:fs";
import { extname, join, posix } from "node:path";
import { parseSync } from "vite";

const UNREAD_FOLDERS = new Set(["node_modules", "dist", "coverage", ".git", ".stint"]);
const READ_EXTENSIONS = new Set([".ts", ".cjs", ".mjs", ".md", ".json", ""]);

/** A source tree as path (with `/`, from the root) → text; text is "" for what is not read. */
export type Tree = ReadonlyMap<string, string>;

/** One thing that is not tidy. */
export interface Finding {
  readonly path: string;
  readonly line: number;
  /** What is broken, in a word or two. */
  readonly rule: string;
  /** What is wrong here and what to do instead. */
  readonly advice: string;
}

/** A property of the whole tree; an empty answer means that it holds. */
export type Rule = (tree: Tree) => Finding[];

/** A node of the syntax tree, open to every field. */
export interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [field: string]: unknown;
}

/** A place where one file names another: an import, or a path in a string. */
export interface Reference {
  readonly specifier: string;
  readonly line: number;
}

/** A comment: `value` is what stands between its marks. */
export interface Comment {
  readonly type: "Block" | "Line";
  readonly value: string;
  readonly start: number;
  readonly end: number;
}

/** A parsed source file. */
export interface Source {
  readonly path: string;
  readonly text: string;
  readonly body: readonly Node[];
  readonly comments: readonly Comment[];
  readonly imports: readonly Reference[];
  lineAt(offset: number): number;
}

/** Reads a folder of the disk as a tree, without what is generated or fetched. */
export function readTree(root: string): Tree {
  const tree = new Map<string, string>();
  collect(root, "", tree);
  return tree;
}

function collect(root: string, folder: string, tree: Map<string, string>): void {
  for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
    const path = posix.join(folder, entry.name);
    if (entry.isDirectory() && !UNREAD_FOLDERS.has(entry.name)) collect(root, path, tree);
    if (!entry.isFile()) continue;
    const isRead = READ_EXTENSIONS.has(extname(path)) && !path.startsWith("tests/fixtures/");
    tree.set(path, isRead ? readFileSync(join(root, path), "utf8") : "");
  }
}

/** Lists the paths of source files in a folder of the tree ("" for all), in order. */
export function listSources(tree: Tree, ...folders: readonly string[]): string[] {
  return [...tree.keys()]
    .filter((path) => /\.(ts|cjs|mjs)$/.test(path) && !path.startsWith("tests/fixtures/"))
    .filter((path) => folders.length === 0 || folders.some((name) => path.startsWith(`${name}/`)))
    .toSorted();
}

const parsed = new WeakMap<Tree, Map<string, Source>>();

/** Parses a source file of the tree; a file that does not parse has an empty body. */
export function parse(tree: Tree, path: string): Source {
  const known = parsed.get(tree) ?? new Map<string, Source>();
  parsed.set(tree, known);
  let source = known.get(path);
  if (source === undefined) {
    source = parseText(path, tree.get(path) ?? "");
    known.set(path, source);
  }
  return source;
}

function parseText(path: string, text: string): Source {
  const { program, comments } = parseSync(path, text);
  const lineStarts = [...text.matchAll(/\n/g)].map((match) => match.index + 1);
  const lineAt = (offset: number): number =>
    1 + lineStarts.filter((start) => start <= offset).length;
  // The parser's types name every node; the rules look for a few kinds among all of them.
  const body = program.body as unknown as Node[];
  const imports = body.flatMap((node) => listImports(node, lineAt));
  return { path, text, body, comments, imports, lineAt };
}

function listImports(root: Node, lineAt: (offset: number) => number): Reference[] {
  const found: Reference[] = [];
  walk(root, (node) => {
    const isImport =
      /^(Import|ExportNamed|ExportAll)Declaration$|^ImportExpression$|^TSImportType$/.test(
        node.type,
      );
    const specifier = isImport ? literalOf(node["source"]) : undefined;
    if (specifier !== undefined) found.push({ specifier, line: lineAt(node.start) });
  });
  return found;
}

/** Visits a node and all below it, parents first, each with its parent and the field it is in. */
export function walk(
  root: Node,
  visit: (node: Node, parent: Node | undefined, field: string) => void,
): void {
  const pending: { node: Node; parent: Node | undefined; field: string }[] = [
    { node: root, parent: undefined, field: "" },
  ];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const { node } = next;
    visit(node, next.parent, next.field);
    const below = Object.entries(node).flatMap(([field, value]) =>
      (Array.isArray(value) ? (value as unknown[]) : [value])
        .filter(isNode)
        .map((child) => ({ node: child, parent: node, field })),
    );
    pending.push(...below.toReversed());
  }
}

/** Visits every node of a file. */
export function walkSource(
  source: Source,
  visit: (node: Node, parent: Node | undefined, field: string) => void,
): void {
  for (const node of source.body) walk(node, visit);
}

/** Tells a syntax node from the plain values that hang on it. */
export function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && "type" in value && "start" in value;
}

/** Returns the text of a string literal or of a template's fixed parts; undefined for others. */
export function literalOf(value: unknown): string | undefined {
  if (!isNode(value)) return undefined;
  if (value.type === "Literal" && typeof value["value"] === "string") return value["value"];
  if (value.type !== "TemplateLiteral") return undefined;
  const parts = value["quasis"] as readonly { readonly value: { readonly cooked: string } }[];
  return parts.map((part) => part.value.cooked).join("${}");
}

/** Returns the name of an identifier, undefined for any other node. */
export function nameOf(value: unknown): string | undefined {
  return isNode(value) && value.type === "Identifier" ? String(value["name"]) : undefined;
}

/** Resolves a relative specifier of a file to a path of the tree, whether or not it exists. */
export function resolveFrom(path: string, specifier: string): string {
  return posix.join(posix.dirname(path), specifier);
}
