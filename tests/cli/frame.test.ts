import { spawnSync } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { splitArgv } from "../../src/cli/argv.ts";
import { parseFlags } from "../../src/cli/flags.ts";
import { parseVerb } from "../../src/cli/parse.ts";
import { reportError } from "../../src/cli/report.ts";
import type { Verb } from "../../src/cli/verb.ts";
import { loadVerbs, VERB_FILES } from "../../src/cli/verbs.ts";
import type { RefusalCode } from "../../src/kernel/refusal.ts";
import { Refused } from "../../src/library/refused.ts";
import { Fault, type FaultCode } from "../../src/ports/fault.ts";
import { InputError, type InputCode } from "../../src/protocol/input.ts";
import { PROBLEMS, type ProblemCode } from "../../src/protocol/problem.ts";
import { VERSION } from "../../src/system/version.ts";
import { builtBin, startStint, stint } from "../support/cli.ts";
import { awaitGone, listDescendants, listProcesses } from "../support/process-table.ts";

let folder = "";

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "stint-frame-"));
  await builtBin();
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("what is typed", () => {
  test.each([
    [["wrokers"], "did you mean `stint workers`?"],
    [["worker", "shwo"], "did you mean `stint worker show`?"],
    [["--jsn", "workers"], "did you mean --json?"],
    [["workers", "--al"], "(Did you mean --all?)"],
    [
      ["lease", "acquire", "--lane", "api", "--mode", "shared"],
      "(Did you mean --shared, --exclusive or --slot?)",
    ],
    [["worker"], "`stint worker show`"],
    [["worker", "show"], "missing required argument 'id'"],
    [["xyzzy"], "see `stint --help`"],
    [["ps"], "did you mean `stint workers`?"],
    [["list"], "did you mean `stint workers`?"],
    [["status"], "did you mean `stint` alone"],
    [["version"], "did you mean `stint --version`?"],
    [["-v"], "did you mean --version?"],
    [["uninstall"], "`stint where` names the folder to remove"],
    [["contract", "lint", "a", "b"], "too many arguments"],
    [["--fleet"], "--fleet must be followed by a folder"],
  ])("[CL1] %j is answered with the nearest name and exit 2", async (args, hint) => {
    const called = await stint(args, { cwd: folder });
    expect(called).toMatchObject({ exit: 2, stdout: "" });
    expect(called.stderr).toContain(hint);
    expect(called.stderr.trimEnd().split("\n")).toHaveLength(1);
  });

  test("[CL2] with --json a wrong line is answered by one JSON object", async () => {
    const called = await stint(["wrokers", "--json"], { cwd: folder });
    expect(called).toMatchObject({ exit: 2, stderr: "" });
    expect(called.json()).toMatchObject({
      ok: false,
      error: { code: "usage", message: expect.stringContaining("stint workers") },
    });
  });

  test("[CL1] what belongs to a command is not read as ours", () => {
    const verb: Verb = {
      name: "run",
      summary: "x",
      parameters: "<command...>",
      options: [{ flags: "--name <name>", description: "x" }],
      examples: [],
      run: async () => ({ data: {}, text: "" }),
    };
    const ours = ["--name", "n"];
    for (const typed of [
      ["npm", "test", "--json"],
      ["--", "npm", "test", "--json"],
    ])
      expect(parseVerb(verb, [...ours, ...typed])).toMatchObject({
        given: { parameters: [["npm", "test", "--json"]], options: { name: "n" } },
        isJson: false,
      });
  });

  test("[CL1] the fast reading of a line is the same as the full one", async () => {
    const lines = [[], ["--json"], ["--all"], ["--tree", "--all", "--json"], ["--yes"], ["x"]];
    let readCount = 0;
    for (const verb of await loadVerbs()) {
      for (const words of lines) {
        const fast = parseFlags(verb, words);
        if (fast === undefined) continue;
        readCount += 1;
        const full = parseVerb(verb, words);
        expect(fast).toMatchObject({ given: { options: full?.given.options } });
        expect(fast.isJson).toBe(full?.isJson);
      }
    }
    expect(readCount).toBeGreaterThan(20);
  });
});

describe("help", () => {
  test("[CL3] every verb has a help with an example that names it", async () => {
    const verbs = await loadVerbs();
    expect(verbs.map(({ name }) => name)).toEqual(Object.keys(VERB_FILES));
    const withoutOwn = verbs.filter(
      ({ name, examples }) => !examples.some((one) => one.includes(`stint ${name}`)),
    );
    expect(withoutOwn).toEqual([]);
    const typed = verbs
      .flatMap(({ examples }) => examples.flatMap((one) => one.split(/[|;(]|&&/)))
      .map((line) => line.trim().replaceAll(/[")]/g, "").split(/\s+/))
      .filter(([program]) => program === "stint");
    expect(typed.length).toBeGreaterThanOrEqual(verbs.length);
    for (const words of typed) expect(splitArgv(words.slice(1)).verb).toBeDefined();
  });

  test.each([["--help"], ["-h"], ["help"]])("[CL3] stint %s lists the verbs", async (...args) => {
    const { exit, stdout } = await stint(args, { cwd: folder });
    expect(exit).toBe(0);
    for (const name of ["init", "run", "worker show", "kill", "doctor", "supervise"])
      expect(stdout).toContain(`\n  ${name} `);
  });

  test.each([
    [["worker", "show", "--help"]],
    [["help", "worker", "show"]],
    [["--help", "worker", "show"]],
    [["worker", "show", "x", "-h"]],
  ])("[CL3] %j shows the help of that verb", async (args) => {
    const { exit, stdout } = await stint(args, { cwd: folder });
    expect(exit).toBe(0);
    expect(stdout).toMatch(/^Usage: stint worker show \[options\] <id>/);
    expect(stdout).toContain("Examples:\n  $ stint worker show");
  });

  test("[CL4] docs/cli.md is what the verbs say: `npm run docs` writes it", () => {
    const root = join(import.meta.dirname, "../..");
    const done = spawnSync(process.execPath, [join(root, "scripts/docs.ts"), folder]);
    expect({ status: done.status, stderr: String(done.stderr) }).toEqual({ status: 0, stderr: "" });
    const made = readFileSync(join(folder, "cli.md"), "utf8");
    expect(readFileSync(join(root, "docs/cli.md"), "utf8")).toBe(made);
  });
});

describe("how it ends", () => {
  test("[CL5] the exit code is that of the one table, whatever was thrown", () => {
    for (const [name, problem] of Object.entries(PROBLEMS)) {
      const code = name as ProblemCode;
      if (problem.kind === "outcome") continue;
      const key = problem.kind === "refusal" ? "refusal" : "error";
      expect(reportError(errorOf(code))).toMatchObject({
        exit: problem.exit,
        json: { ok: false, [key]: { code, message: "m" } },
      });
    }
  });

  test("[CL5] a refusal has its facts in the journal's names, and its entry", () => {
    const view = {
      code: "max_depth",
      message: "m",
      facts: { maxDepth: 3, units: { a_b: 1 } },
    } as const;
    expect(reportError(new Refused(view, 7)).json).toEqual({
      ok: false,
      refusal: { code: "max_depth", message: "m", facts: { max_depth: 3, units: { a_b: 1 } } },
      seq: 7,
    });
  });

  test("[CL6] a bug is one line and exit 1", () => {
    const report = reportError(new Error("two\nlines"));
    expect(report).toMatchObject({ exit: 1, text: "bug in stint: two" });
    expect(report.json).toMatchObject({ ok: false, error: { code: "bug" } });
  });

  test("[CL7] the version is the package's", async () => {
    const root = join(import.meta.dirname, "../..");
    const text = readFileSync(join(root, "package.json"), "utf8");
    const { version } = JSON.parse(text) as { readonly version: string };
    expect(VERSION).toBe(version);
    expect(await stint(["--version"])).toMatchObject({ exit: 0, stdout: `${version}\n` });
    expect((await stint(["--version", "--json"])).json()).toEqual({ ok: true, data: { version } });
  });

  test("[CL8] a reader that leaves early is no error", async () => {
    const child = await startStint(["--help"], { cwd: folder });
    child.stdout.destroy();
    let said = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => (said += text));
    const exit = await new Promise((resolve) => child.once("close", resolve));
    expect({ exit, said }).toEqual({ exit: 0, said: "" });
  });

  test("[CL26] output that a full disk does not take is told, with exit 5", async () => {
    const within = ["sh", "-c", 'exec "$0" "$@" > /dev/full'];
    const full = await stint(["--help"], { cwd: folder, within });
    expect(full.exit).toBe(5);
    expect(full.stderr).toMatch(/^stint: storage_full: stdout must take all .* ENOSPC.*\n$/);
    const wrong = await stint(["nothing", "--json"], { cwd: folder, within });
    expect(wrong.exit).toBe(2);
  });

  test("[CL9] a reader without a fleet is offered one, in at most 20 lines", async () => {
    const called = await stint([], { cwd: folder });
    expect(called.exit).toBe(0);
    expect(called.stdout).toContain("stint init");
    expect(called.stdout.split("\n").length).toBeLessThanOrEqual(20);
    expect((await stint(["--json"], { cwd: folder })).json()).toEqual({
      ok: true,
      data: { fleet_id: null },
    });
  });
});

describe("the program", () => {
  test("[CL10] it runs by a link in another folder, as npx calls it", async () => {
    const link = join(folder, "linked");
    symlinkSync(await builtBin(), link);
    const done = spawnSync(process.execPath, [link, "--version"], { encoding: "utf8" });
    expect(done).toMatchObject({ status: 0, stdout: `${VERSION}\n` });
  });

  test("[CL10] on a Node that is too old it says which one it needs", async () => {
    // The program is asked to believe that it runs on an older Node.
    const older = join(folder, "older.cjs");
    writeFileSync(
      older,
      `const value = { ...process.versions, node: "22.17.1" };
       Object.defineProperty(process, "versions", { value });`,
    );
    const args = ["--require", older, await builtBin(), "--version"];
    const done = spawnSync(process.execPath, args, { encoding: "utf8" });
    expect(done).toMatchObject({ status: 2, stdout: "" });
    expect(done.stderr).toMatch(/^stint needs Node 22\.18 or newer, this is v/);
  });

  test("[CL10] a checkout without a build runs its source", async () => {
    const root = join(import.meta.dirname, "../..");
    const checkout = join(folder, "checkout");
    mkdirSync(join(checkout, "bin"), { recursive: true });
    writeFileSync(join(checkout, "package.json"), '{ "type": "module" }');
    symlinkSync(join(root, "src"), join(checkout, "src"));
    const bin = join(checkout, "bin/stint.cjs");
    writeFileSync(bin, readFileSync(join(root, "bin/stint.cjs")));
    const done = spawnSync(process.execPath, [bin, "--version"], { encoding: "utf8" });
    expect(done).toMatchObject({ status: 0, stdout: `${VERSION}\n` });
  });

  test("[CL11] listing workers loads no schemas, conditions or parser of lines", async () => {
    const dist = join(dirname(await builtBin()), "../dist");
    const chunks = readdirSync(join(dist, "chunks")).map((name) => `chunks/${name}`);
    // The verb is loaded on demand, in a file of its own or of those that only look.
    const verb = chunks.filter((name) => modulesIn(join(dist, name)).includes(WORKERS_ROWS));
    expect(verb).toHaveLength(1);
    const loaded = modulesBehind(dist, ["cli.js", ...verb]);
    for (const name of ["cli/roster/row.ts", "compose/reading.ts", "journal/sqlite/open.ts"])
      expect(loaded).toContain(`src/${name}`);
    const heavy = [...loaded].filter((name) =>
      /node_modules\/(zod|@marcbachmann|commander|hono|smol-toml|prom-client)\//.test(name),
    );
    expect(heavy).toEqual([]);
    // The check sees what it looks for: other verbs do load them.
    const all = modulesBehind(dist, ["cli.js", ...chunks]);
    expect([...all].some((name) => name.includes("node_modules/zod/"))).toBe(true);
    expect([...all].some((name) => name.includes("node_modules/commander/"))).toBe(true);
  });

  test("[CL12] interrupted, it ends with 130 and leaves nothing running", async () => {
    // Reading a command from a stdin that never ends: it waits until it is told not to.
    const place = join(folder, "waiting");
    await stint(["init", place]);
    const child = await startStint(["journal", "tail", "--follow", "--json"], { cwd: place });
    const closed = new Promise((resolve) => child.once("close", (code) => resolve(code)));
    await new Promise((resolve) => child.stdout.once("data", resolve));
    const rows = [
      ...listDescendants(child.pid ?? 0),
      ...listProcesses().filter(({ pid }) => pid === child.pid),
    ];
    child.kill("SIGINT");
    expect(await closed).toBe(130);
    expect(await awaitGone(rows, 5_000)).toEqual([]);
  });
});

/** The modules in the files that some files of the bundle import, at once and not on demand. */
function modulesBehind(dist: string, files: readonly string[]): ReadonlySet<string> {
  const seen = new Set(files.map((file) => join(dist, file)));
  const modules = new Set<string>();
  for (const file of seen) {
    const text = readFileSync(file, "utf8");
    for (const [, path = ""] of text.matchAll(/^import (?:[^"']*? from )?["'](\.[^"']+)["']/gm))
      seen.add(join(dirname(file), path));
    for (const name of modulesIn(file)) modules.add(name);
  }
  return modules;
}

/** The modules that a file of the bundle holds. */
function modulesIn(file: string): readonly string[] {
  const named = readFileSync(file, "utf8").matchAll(/^\/\/ ((?:src|node_modules)\/\S+)$/gm);
  return [...named].map(([, name = ""]) => name);
}

/** A part of the verb: its own name stands nowhere in the bundle. */
const WORKERS_ROWS = "src/cli/roster/row.ts";

function errorOf(code: ProblemCode): Error {
  const { kind } = PROBLEMS[code];
  if (kind === "refusal")
    return new Refused({ code: code as RefusalCode, message: "m", facts: {} });
  if (kind === "fault") return new Fault(code as FaultCode, "m");
  const error = new InputError(code as InputCode, []);
  error.message = "m";
  return error;
}
