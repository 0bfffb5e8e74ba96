// The tidy test, tested: every rule objects to a small tree that breaks it, and to nothing else.
import { expect, test } from "vitest";
import {
  everyFileIsUsed,
  importsFollowTheArrows,
  importsHaveNoCycle,
  onlyDoorsReExport,
  packagesAreDependencies,
} from "./imports.ts";
import { kernelIsPure } from "./kernel.ts";
import {
  codesAreExplained,
  eventsHaveFixtures,
  linksLeadSomewhere,
  rulesAreTested,
} from "./papers.ts";
import { sizesAreKept } from "./sizes.ts";
import type { Rule, Tree } from "./tree.ts";
import { readTree } from "./tree.ts";
import {
  everyTestRuns,
  exportsAreDocumented,
  filesAreNamedWell,
  nothingIsUnfinished,
  onlyProgramsPrint,
} from "./words.ts";

function findIn(rule: Rule, files: Readonly<Record<string, string>>): string[] {
  const tree: Tree = new Map(Object.entries(files));
  return rule(tree).map((one) => `${one.path}:${one.line}: ${one.rule} — ${one.advice}`);
}

test("a real folder is read as a tree without what is generated", () => {
  const tree = readTree(import.meta.dirname);
  expect(tree.get("rules.test.ts")).toContain("a real folder is read as a tree");
  expect(readTree(`${import.meta.dirname}/../..`).has("node_modules/vite/package.json")).toBe(
    false,
  );
});

test.each([
  ["src/kernel/a.ts", "../ports/clock.ts", "kernel must not import ports"],
  ["src/library/a.ts", "../journal/memory.ts", "library must not import journal"],
  ["src/journal/a.ts", "../pulse/memory.ts", "journal must not import pulse"],
  ["src/index.ts", "./journal/memory.ts", "a door must not import journal"],
  ["src/system/a.ts", "../kernel/json.ts", "system must not import kernel"],
  ["src/runtime/a.ts", "../index.ts", "runtime must not import src/index.ts"],
  ["src/library/a.ts", "../../tests/a.ts", "src must not import tests/a.ts"],
  ["src/attic/a.ts", "../kernel/json.ts", 'the room "attic" has no arrows'],
  ["src/odd.ts", "./kernel/json.ts", "src/ itself holds only the doors"],
  ["src/journal/sqlite/a.ts", "../memory/b.ts", "adapter sqlite must not import adapter memory"],
  ["examples/a.ts", "../src/index.ts", 'an example must import "stint"'],
])("%s may not import %s", (path, specifier, advice) => {
  const found = findIn(importsFollowTheArrows, { [path]: `\nimport { a } from "${specifier}";\n` });
  expect(found).toEqual([expect.stringContaining(`${path}:2: import-arrow — ${advice}`)]);
});

test.each([
  ['import type { A } from "../ports/a.ts";'],
  ['const a = await import("../ports/a.ts");'],
  ['type A = import("../ports/a.ts").A;'],
  ['export { a } from "../ports/a.ts";'],
])("an arrow is seen in %s", (text) => {
  expect(findIn(importsFollowTheArrows, { "src/kernel/a.ts": text })).toHaveLength(1);
});

test("imports along the arrows are fine", () => {
  const files = {
    "src/compose/library.ts": 'import { a } from "../journal/sqlite/a.ts";',
    "src/index.ts": 'import { a } from "./compose/library.ts";',
    "src/demo/main.ts": 'import { a } from "../index.ts";',
    "src/journal/sqlite/a.ts": 'import { a } from "../codec.ts"; import "./b.ts";',
    "tests/a.test.ts": 'import { a } from "../src/journal/codec.ts";',
  };
  expect(findIn(importsFollowTheArrows, files)).toEqual([]);
});

test("a cycle is told whole, once", () => {
  const files = {
    "src/kernel/a.ts": '// first\nimport { b } from "./b.ts";',
    "src/kernel/b.ts": 'import type { C } from "./c.ts";',
    "src/kernel/c.ts": 'import { a } from "./a.ts";',
    "src/kernel/d.ts": 'import { a } from "./a.ts";',
  };
  expect(findIn(importsHaveNoCycle, files)).toEqual([
    "src/kernel/a.ts:2: import-cycle — src/kernel/a.ts → src/kernel/b.ts → src/kernel/c.ts → " +
      "src/kernel/a.ts; move what both need into a file of its own",
  ]);
});

test("a package must be a dependency, of the package or of its build", () => {
  const files = {
    "package.json":
      '{ "dependencies": { "native": "1.0.0" }, "devDependencies": { "zod": "1.0.0" } }',
    "src/library/a.ts":
      'import "node:fs"; import "zod/mini"; import "native";\nimport { v } from "vite";',
  };
  expect(findIn(packagesAreDependencies, files)).toEqual([
    expect.stringContaining('src/library/a.ts:2: package — "vite" is no dependency'),
  ]);
});

test("a file that nobody reaches is found, one that only tests reach too", () => {
  const files = {
    "src/index.ts": 'import "./library/used.ts"; spawn(new URL("./demo/child.ts", base));',
    "src/library/used.ts": "",
    "src/demo/child.ts": "",
    "src/library/tested.ts": "",
    "src/library/lost.ts": 'import "./used.ts";',
    "tests/a.test.ts": 'import "../src/library/tested.ts"; import "./support/a.ts";',
    "tests/support/a.ts": "",
    "sim/main.ts": "",
    "sim/lost.ts": "",
  };
  expect(findIn(everyFileIsUsed, files).map((line) => line.split(":")[0])).toEqual([
    "sim/lost.ts",
    "src/library/lost.ts",
    "src/library/tested.ts",
  ]);
});

test("only a door re-exports", () => {
  const text =
    '/** A. */\nexport const a = 1;\nexport { b } from "./b.ts";\nexport * from "./c.ts";';
  const found = findIn(onlyDoorsReExport, { "src/kernel/a.ts": text, "src/index.ts": text });
  expect(found.map((line) => line.split(" ")[0])).toEqual([
    "src/kernel/a.ts:3:",
    "src/kernel/a.ts:4:",
  ]);
});

test.each([
  ["const at = Date.now();", "Date"],
  ["const at = new Date();", "Date"],
  ["const at = (now = Date) => now();", "Date"],
  ["const r = Math.random();", "Math.random"],
  ["setTimeout(f, 1);", "setTimeout"],
  ["const e = process.env;", "process"],
  ["const f = async () => 1;", "async"],
  ["async function f() {}", "async"],
  ["const f = { async g() {} };", "async"],
  ["const a = await b;", "await"],
  ["for await (const a of b) c(a);", "await"],
  ["function f(): Promise<void> {}", "Promise"],
  ["const u = import.meta.url;", "import.meta"],
  ['const m = import("./b.ts");', "import()"],
  ["const s = a.localeCompare(b);", "localeCompare"],
  ["const s = n.toLocaleString();", "toLocaleString"],
  ["const a = { now: performance };", "performance"],
  ["const g = globalThis;", "globalThis"],
  ["function f(process) {} process.exit();", "process"],
])("the kernel may not say %s", (text, what) => {
  expect(findIn(kernelIsPure, { "src/kernel/a.ts": `\n${text}` })).toEqual([
    `src/kernel/a.ts:2: kernel-purity — the kernel must not use ${what}; ` +
      "take it as an argument, act in the runtime",
  ]);
});

test.each(["node:fs", "zod", "better-sqlite3"])("the kernel may not import %s", (name) => {
  const found = findIn(kernelIsPure, { "src/kernel/a.ts": `import { a } from "${name}";` });
  expect(found).toEqual([expect.stringContaining(`must not import "${name}"`)]);
});

test("a pure kernel file is fine, and so are impure ones elsewhere", () => {
  const files = {
    "src/kernel/a.ts":
      'import c from "canonicalize"; import { s } from "@noble/hashes/sha2.js";\n' +
      "// Date.now() is named in a comment, Math.max is pure\n" +
      "const a = Math.max(row.process, { process: 1 }.process); type T = { Date: string };\n" +
      "function f({ process }: T) { return process; }\n" +
      "function g() { const { at: [Date], ...process } = row; return [Date, process]; }",
    "src/runtime/a.ts": "await Date.now();",
  };
  expect(findIn(kernelIsPure, files)).toEqual([]);
});

test("sizes are kept at the limit and refused above it", () => {
  const lines = (count: number): string => "a();\n".repeat(count);
  const callback = `test("a", () => {\n${lines(80)}});\n`;
  const files = {
    "src/kernel/at.ts": lines(400),
    "src/kernel/above.ts": lines(401),
    "tests/at.test.ts": `${lines(516)}${callback}${lines(2)}`,
    "tests/above.test.ts": lines(601),
    "src/journal/at.ts": `function f() {\n${lines(68)}}\n`,
    "src/journal/above.ts": `\nconst f = () => {\n${lines(69)}};\n`,
    "src/pulse/at.ts": `${"a".repeat(100)}\n// https://example.org/${"a".repeat(100)}\n`,
    "src/pulse/above.ts": `\n${"a".repeat(101)}\n`,
    ...Object.fromEntries(Array.from({ length: 15 }, (_, n) => [`src/library/a${n}.ts`, ""])),
    ...Object.fromEntries(Array.from({ length: 16 }, (_, n) => [`src/demo/a${n}.ts`, ""])),
  };
  expect(findIn(sizesAreKept, files).map((line) => line.split(";")[0])).toEqual([
    "src/journal/above.ts:2: function-size — at most 70 lines, got 71",
    "src/kernel/above.ts:401: file-size — at most 400 lines, got 401",
    "src/pulse/above.ts:2: line-size — at most 100 columns, got 101",
    "tests/above.test.ts:601: file-size — at most 600 lines, got 601",
    "src/demo:1: folder-size — at most 15 files, got 16",
  ]);
});

test("an unfinished note and a suppression without a reason are found in comments alone", () => {
  const text = [
    "// FIXME: later",
    "/* TODO */",
    'const a = "TODO";',
    "// oxlint-disable-next-line no-var",
    "// oxlint-disable-next-line no-var -- the launcher runs on old versions",
    "// @ts-expect-error",
    "// @ts-expect-error the wrong type is what is tested",
  ].join("\n");
  const found = findIn(nothingIsUnfinished, { "scripts/a.ts": text });
  expect(found.map((line) => line.split(" — ")[0])).toEqual([
    "scripts/a.ts:1: unfinished",
    "scripts/a.ts:2: unfinished",
    "scripts/a.ts:4: suppression",
    "scripts/a.ts:6: suppression",
  ]);
});

test("a test that hides others, or itself, is found", () => {
  const text = 'test.only("a");\ndescribe.concurrent.skip("b");\nit.todo("c");\ncontext.skip("d");';
  const found = findIn(everyTestRuns, { "tests/a.test.ts": text, "src/library/a.ts": text });
  expect(found.map((line) => line.split(";")[0])).toEqual([
    'tests/a.test.ts:1: unrun-test — ".only" hides tests',
    'tests/a.test.ts:2: unrun-test — ".skip" hides tests',
    'tests/a.test.ts:3: unrun-test — ".todo" hides tests',
  ]);
});

test("only programs print", () => {
  const text = 'console.log("a");';
  const speaking = ["src/cli/a.ts", "src/demo/a.ts", "sim/a.ts", "bench/a.ts", "examples/a.ts"];
  const silent = ["src/library/a.ts", "tests/a.test.ts", "src/kernel/cli.ts"];
  const files = Object.fromEntries([...speaking, ...silent].map((path) => [path, text]));
  const found = findIn(onlyProgramsPrint, files).map((line) => line.split(":")[0]);
  expect(found).toEqual(silent.toSorted());
});

test.each(["src/library/utils.ts", "src/core/a.ts", "tests/string-helpers.ts", "src/kernel/aB.ts"])(
  "%s is no good name",
  (path) => {
    expect(findIn(filesAreNamedWell, { [path]: "", "src/kernel/ordered-map.ts": "" })).toEqual([
      expect.stringContaining(`${path}:1: file-name`),
    ]);
  },
);

test.each([
  ["export const a = 1;", "must have a docstring"],
  ["// A comment.\nexport type A = 1;", "must have a docstring"],
  ["/** Stands apart. */\nconst b = 1;\nexport function a() {}", "must have a docstring"],
  ["/** the a */\nexport interface A {}", "must begin with a full sentence"],
  ["/** Words without an end */\nexport class A {}", "must begin with a full sentence"],
  ["/** @internal */\nexport class A {}", "must begin with a full sentence"],
])("%s lacks a docstring", (text, advice) => {
  expect(findIn(exportsAreDocumented, { "src/library/a.ts": text })).toEqual([
    expect.stringContaining(advice),
  ]);
});

test("a docstring is a full sentence, one for all overloads", () => {
  const text =
    "/** Adds two. */\nexport function add(a: 1): 1;\nexport function add(a: 2): 2;\n" +
    "export function add(a: 1 | 2) {}\n/**\n * A sum, at least 0\n * and at most 9.\n */\n" +
    "export type Sum = 1;\nconst c = 1;";
  expect(findIn(exportsAreDocumented, { "src/library/a.ts": text })).toEqual([]);
});

test("rules and tests match, both ways", () => {
  const files = {
    "SPEC.md":
      "# Rules\n- **AB1** One.\n- **AB2** Two.\n- **AB3** See [AB7].\n- **AB1** Once more.\n",
    "tests/a.test.ts":
      'test("[AB1] a fact", f);\ntest("[AB9, AB3] more", f);\n// "[AB2] no test"\n',
    "src/testing/a.ts": 'const suite = { "name": `[AB4] of ${adapter}` };',
    "src/kernel/a.ts": "\n/** Keeps [AB8]. */",
    "README.md": "A link [AB6](SPEC.md) and code:\n```\n[AB5]\n```\n",
  };
  expect(findIn(rulesAreTested, files)).toEqual([
    'SPEC.md:3: spec — AB2 is tested nowhere; name a test "[AB2] …"',
    "SPEC.md:5: spec — AB1 is defined twice; an id is never reused",
    "src/testing/a.ts:1: spec — AB4 is not defined in SPEC.md; add it",
    "tests/a.test.ts:2: spec — AB9 is not defined in SPEC.md; add it",
    "SPEC.md:4: spec — AB7 is not defined in SPEC.md; add it",
    "src/kernel/a.ts:2: spec — AB8 is not defined in SPEC.md; add it",
  ]);
  expect(findIn(rulesAreTested, {})).toEqual([expect.stringContaining("SPEC.md:1: spec")]);
});

test("codes stand in the table and in the glossary", () => {
  const files = {
    "src/kernel/refusal.ts": 'export const REFUSAL_CODES = ["a_code",\n"b_code"] as const;',
    "src/ports/fault.ts": 'export const FAULT_CODES = ["c_code"] as const;',
    "src/protocol/problem.ts":
      "export const PROBLEMS = Object.freeze({ a_code: 1, c_code: 3 }) satisfies T;",
    "GLOSSARY.md": "`a_code` and `b_code`",
  };
  expect(findIn(codesAreExplained, files)).toEqual([
    'src/kernel/refusal.ts:2: code — add "b_code" to src/protocol/problem.ts',
    "src/ports/fault.ts:1: code — explain `c_code` in GLOSSARY.md",
  ]);
  expect(findIn(codesAreExplained, {})).toEqual([
    expect.stringContaining("src/protocol/problem.ts:1: code — it must export the table PROBLEMS"),
  ]);
  expect(findIn(codesAreExplained, { ...files, "src/ports/fault.ts": "" })).toContainEqual(
    expect.stringContaining("src/ports/fault.ts:1: code — it must export the array FAULT_CODES"),
  );
});

test("every kind of event has a fixture, and every fixture a kind", () => {
  const files = {
    "src/kernel/event.ts": 'export const EVENT_KINDS = [\n"a.made",\n"b.made",\n] as const;',
    "tests/fixtures/events/a.made.v1.json": "",
    "tests/fixtures/events/a.made.v2.json": "",
    "tests/fixtures/events/gone.made.v1.json": "",
  };
  expect(findIn(eventsHaveFixtures, files).map((line) => line.split(" — ")[0])).toEqual([
    "src/kernel/event.ts:3: event",
    "tests/fixtures/events/gone.made.v1.json:1: event",
  ]);
  expect(findIn(eventsHaveFixtures, {})).toHaveLength(1);
});

test("links and paths in papers lead somewhere", () => {
  const files = {
    "README.md": [
      "# A title, with `marks`!",
      "[ok](docs/a.md) [ok](docs) [ok](#a-title-with-marks) [ok](https://a.org) `src/kernel/`",
      "[no](docs/b.md) [no](docs/a.md#nowhere)",
      "```",
      "[in code](docs/c.md)",
      "```",
      "`src/kernel/gone.ts`",
      "[later]: docs/d.md",
    ].join("\n"),
    "docs/a.md": "[up](../README.md#a-title-with-marks) ![no](picture.png)",
    "src/kernel/a.ts": "",
  };
  expect(findIn(linksLeadSomewhere, files).map((line) => line.split(" does")[0])).toEqual([
    'README.md:3: link — "docs/b.md"',
    'README.md:3: link — "docs/a.md#nowhere"',
    'README.md:7: link — "src/kernel/gone.ts"',
    'README.md:8: link — "docs/d.md"',
    'docs/a.md:1: link — "docs/picture.png"',
  ]);
});
