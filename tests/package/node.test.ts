// The package on a Node that is too old for it: a sentence, and nothing else is loaded.
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, realpathSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { expect, test } from "vitest";
import { listDoors } from "../../scripts/doors.ts";
import { parse, walkSource } from "../tidy/tree.ts";
import { addNative, installCopy, makeFolder } from "./copies.ts";

const ROOT = join(import.meta.dirname, "../..");
const BIN = join(ROOT, "bin/stint.cjs");

/** A Node that is too old, or one that says so of itself. */
interface OldNode {
  readonly version: string;
  readonly command: readonly [string, ...string[]];
}

/**
 * This Node, which says of itself that it is another: what it is asked for is all we look at, and
 * what an older one does not have that is used before anybody looks.
 */
function pretender(version: string): OldNode {
  const text = `data:text/javascript,
    for (const [name, value] of [["version", "v${version}"],
        ["versions", { ...process.versions, node: "${version}" }]])
      Object.defineProperty(process, name, { value });
    if (${String(Number.parseInt(version) < 20)}) process.getBuiltinModule = undefined;`;
  return { version, command: [process.execPath, "--import", text.replaceAll(/\s+/g, " ")] };
}

/** The Nodes on the PATH that are too old in truth: often the system's own. */
function findOldNodes(): readonly OldNode[] {
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  const files = folders.map((dir) => join(dir, "node")).filter((file) => existsSync(file));
  return [...new Set(files.map((file) => realpathSync(file)))].flatMap((file): OldNode[] => {
    const { status, stdout } = spawnSync(file, ["--version"], { encoding: "utf8" });
    const version = stdout?.trim().slice(1) ?? "";
    const [major = 0, minor = 0] = version.split(".").map(Number);
    // A program of this name that does not say what it is, is none.
    const isOld = status === 0 && (major < 22 || (major === 22 && minor < 18));
    return isOld ? [{ version, command: [file] }] : [];
  });
}

const OLD = [...["9.11.2", "20.0.0", "22.17.1"].map(pretender), ...findOldNodes()];
const RECENT = ["22.18.0", "24.0.0", "100.0.0"].map(pretender);

function run({ command: [file, ...options] }: OldNode, args: readonly string[], cwd: string) {
  return spawnSync(file, [...options, ...args], { cwd, encoding: "utf8" });
}

/** A package of which nothing but the program's first file may be looked at. */
function makePoisoned(): string {
  const dir = makeFolder();
  mkdirSync(join(dir, "bin"));
  mkdirSync(join(dir, "dist"));
  cpSync(BIN, join(dir, "bin/stint.cjs"));
  writeFileSync(join(dir, "package.json"), '{ "type": "module" }');
  writeFileSync(join(dir, "dist/cli.js"), 'console.log("loaded");');
  return dir;
}

test.each(OLD)("[PK7] on Node $version the program says one sentence and exits 2", (old) => {
  const dir = makePoisoned();
  const done = run(old, [join(dir, "bin/stint.cjs"), "--version"], dir);
  expect(done).toMatchObject({ status: 2, stdout: "" });
  const [file] = old.command;
  expect(done.stderr).toBe(`stint needs Node 22.18 or newer, this is v${old.version} at ${file}\n`);
});

test.each(RECENT)("[PK7] on Node $version the program is loaded", (recent) => {
  const dir = makePoisoned();
  const done = run(recent, [join(dir, "bin/stint.cjs")], dir);
  expect(done).toMatchObject({ status: 0, stdout: "loaded\n", stderr: "" });
});

test.each(OLD)(
  "[PK8] on Node $version no door but the client's opens, and nothing native is loaded",
  async (old) => {
    const copy = await installCopy();
    addNative(copy);
    for (const { specifier } of listDoors()) {
      const program = `import("${specifier}").then(
      () => console.log('"it opened"'),
      ({ code, message }) => {
        const loaded = process.report.getReport().sharedObjects.join();
        console.log(JSON.stringify({ code, message, isNative: loaded.includes("sqlite") }));
      });`;
      const done = run(old, ["--input-type=module", "--eval", program], copy.dir);
      expect(done).toMatchObject({ status: 0, stderr: "" });
      const refused = {
        code: "sqlite_unsupported",
        message: `Node must be 22.18 or newer, got ${old.version}`,
        isNative: false,
      };
      // Browsers are to load it, too: it has nothing of Node's, and nothing native.
      const isClient = specifier === "stint/client";
      expect(JSON.parse(done.stdout)).toEqual(isClient ? "it opened" : refused);
    }
  },
);

test("[PK8] what a door imports of Node is as old as Node 16, or it could not look", async () => {
  const copy = await installCopy();
  const dist = join(copy.dir, "node_modules/stint/dist");
  const known = JSON.parse(
    readFileSync(join(ROOT, "tests/fixtures/node-16-exports.json"), "utf8"),
  ) as Readonly<Record<string, string>>;
  const reached = new Set(listDoors().map(({ name }) => join(dist, `${name}.js`)));
  const newer: string[] = [];
  for (const file of reached) {
    for (const { specifier, names } of importsOf(readFileSync(file, "utf8"))) {
      if (specifier.startsWith(".")) reached.add(join(file, "..", specifier));
      const since = new Set(known[specifier]?.split(" "));
      if (specifier.startsWith("node:"))
        newer.push(
          ...names.filter((name) => !since.has(name)).map((name) => `${specifier} ${name}`),
        );
    }
  }
  expect(reached.size).toBeGreaterThan(10);
  expect(newer).toEqual([]);
});

/** The imports at the top of a built file; a default import is what every Node has. */
function importsOf(text: string): { readonly specifier: string; readonly names: string[] }[] {
  return [...text.matchAll(/^(?:import|export) (?:(.*?) from )?"([^"]+)";$/gm)].map(
    ([, list = "", specifier = ""]) => ({
      specifier,
      names: (/\{(.*)\}/.exec(list)?.[1] ?? "")
        .split(",")
        .map((one) => one.trim().split(" as ")[0] ?? "")
        .filter((name) => name !== ""),
    }),
  );
}

test("[PK10] in a checkout the program is its source, not what was built there once", () => {
  const dir = makePoisoned();
  mkdirSync(join(dir, "src/cli"), { recursive: true });
  writeFileSync(join(dir, "src/cli/main.ts"), 'const text: string = "source"; console.log(text);');
  const done = spawnSync(process.execPath, [join(dir, "bin/stint.cjs")], { encoding: "utf8" });
  expect(done).toMatchObject({ status: 0, stdout: "source\n" });
});

/** What ECMAScript 5 has, as nodes of the tree, and `import()`, which Node has since version 13. */
const OLD_SYNTAX = new Set(
  (
    "Program Directive ExpressionStatement BlockStatement EmptyStatement ReturnStatement " +
    "IfStatement SwitchStatement SwitchCase ThrowStatement TryStatement CatchClause " +
    "WhileStatement DoWhileStatement ForStatement ForInStatement BreakStatement " +
    "ContinueStatement FunctionDeclaration FunctionExpression VariableDeclaration " +
    "VariableDeclarator ThisExpression ArrayExpression ObjectExpression Property Identifier " +
    "Literal UnaryExpression UpdateExpression BinaryExpression LogicalExpression " +
    "AssignmentExpression ConditionalExpression CallExpression NewExpression MemberExpression " +
    "SequenceExpression ImportExpression"
  ).split(" "),
);
const NEW_OPERATORS = new Set(["**", "**=", "??", "??=", "||=", "&&="]);

test.each(["bin/stint.cjs", "scripts/launch.cjs"])(
  "[PK6] %s is written in a syntax that Node 16 parses",
  (path) => {
    const text = readFileSync(join(ROOT, path), "utf8");
    const source = parse(new Map([[path, text]]), path);
    const newer: string[] = [];
    let count = 0;
    walkSource(source, (node) => {
      count += 1;
      const says = [node["async"], node["generator"], node["shorthand"], node["method"]];
      const isNew =
        (!OLD_SYNTAX.has(node.type) && node.type !== "ParenthesizedExpression") ||
        says.includes(true) ||
        (node.type === "Property" && node["computed"] === true) ||
        (node.type === "CatchClause" && node["param"] === null) ||
        (node.type === "VariableDeclaration" && node["kind"] !== "var") ||
        NEW_OPERATORS.has(String(node["operator"])) ||
        (node.type === "Literal" && !/^(['"\d/]|true|false|null)/.test(String(node["raw"]))) ||
        typeof node["bigint"] === "string" ||
        (typeof node["value"] === "number" && String(node["raw"]).includes("_"));
      if (isNew) newer.push(`line ${source.lineAt(node.start)}: ${node.type}`);
    });
    expect(count).toBeGreaterThan(100);
    expect(newer).toEqual([]);
  },
);
