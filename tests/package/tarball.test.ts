// The package as a user has it: packed from a clean checkout, installed in an empty folder.
import {
  cpSync,
  existsSync,
  globSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  call,
  installTarball,
  linkPackages,
  packCheckout,
  type Installation,
} from "../../scripts/pack.ts";
import { PROGRAMS } from "../../src/demo/task.ts";
import { stint, type CallOptions, type Called } from "../support/cli.ts";
import { awaitGone, commandOf, listProcesses } from "../support/process-table.ts";
import { needs } from "../support/require-all.ts";

const ROOT = join(import.meta.dirname, "../..");

const PACK_MS_MAX = 240_000;
const GONE_MS_MAX = 20_000;

let home = "";
let project = "";
let installed = "";
let how: Installation | undefined;

beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), "stint-package-"));
  project = join(home, "project");
  how = installTarball(packCheckout(home), project);
  if (how !== "npm")
    process.stderr.write("the tarball is installed by hand: npm finds what it needs nowhere\n");
  installed = join(project, "node_modules/stint");
}, PACK_MS_MAX);

afterAll(() => rmSync(home, { recursive: true, force: true }));

/** Calls the program by the link that npm made to it, in the project. */
function npx(args: readonly string[], options: CallOptions = {}): Promise<Called> {
  const bin = join(project, "node_modules/.bin/stint");
  return stint(args, { cwd: project, bin, ...options });
}

function supervisorsHere(): ReturnType<typeof listProcesses> {
  return listProcesses().filter(({ pid }) => commandOf(pid).includes(`supervise --dir ${project}`));
}

test("[PK1] neither source nor test nor tool is in the tarball, and no Node", () => {
  const inDist = (name: string): string => `dist/${name}`;
  const isThere = (name: string): boolean => existsSync(join(installed, name));
  const sources = ["src", "tests", "scripts", "tooling", "sim", "bench", "node_modules"];
  expect(sources.filter(isThere)).toEqual([]);
  const published = [
    "bin/stint.cjs",
    ...["cli.js", "index.d.ts", "worker.d.ts", "testing/index.d.ts", "LICENSES.md"].map(inDist),
    ...Object.keys(PROGRAMS).map((role) => inDist(`demo/${role}.js`)),
  ];
  expect(published.filter(isThere)).toEqual(published);
});

test("[PK2] the program says its version, begins a fleet and runs a contained worker", async () => {
  const { version } = JSON.parse(readFileSync(join(installed, "package.json"), "utf8")) as {
    readonly version: string;
  };
  expect(await npx(["--version"])).toMatchObject({ exit: 0, stdout: `${version}\n`, stderr: "" });
  expect(await npx(["init"])).toMatchObject({ exit: 0 });
  try {
    const ran = await npx(["run", "--", "sh", "-c", "echo here; exit 7"]);
    expect(ran).toMatchObject({ exit: 7, stdout: "here\n" });
    // It is the installed program that supervises, and no other.
    const [supervisor, other] = supervisorsHere();
    expect(commandOf(supervisor?.pid ?? 0)).toContain(join(installed, "bin/stint.cjs"));
    expect(other).toBeUndefined();
    expect((await npx(["workers", "--all", "--json"])).json()).toMatchObject({
      data: { workers: [{ status: "stopped", end: { exit_code: 7 } }] },
    });
    expect((await npx(["journal", "verify", "--json"])).json()).toMatchObject({ ok: true });
    expect(await npx(["kill", "--yes", "--reason", "the test is over"])).toMatchObject({ exit: 0 });
  } finally {
    const supervisors = supervisorsHere();
    await npx(["down", "--stop"]);
    expect(await awaitGone(supervisors, GONE_MS_MAX)).toEqual([]);
  }
});

test("[PK3] every door opens, to what it says, for modules and for CommonJS", () => {
  writeFileSync(
    join(project, "doors.cjs"),
    `const stint = require("stint");
     const { joinFleet, Fault } = require("stint/worker");
     const { findViolations } = require("stint/testing");
     const { StintClient } = require("stint/client");
     const doors = ["stint", "stint/worker", "stint/testing", "stint/client"];
     Promise.all(doors.map((door) => import(door))).then(
       ([library, worker, testing, client]) => console.log(
         [typeof stint.openFleet, typeof joinFleet, typeof findViolations].join(),
         client.StintClient === StintClient,
         library.openFleet === stint.openFleet,
         worker.joinFleet === joinFleet,
         testing.findViolations === findViolations,
         "one Fault:", library.Fault === Fault));`,
  );
  const done = call(process.execPath, ["doors.cjs"], project);
  expect(done).toEqual({
    status: 0,
    said: "function,function,function true true true true one Fault: true\n",
  });
});

test("[PK3] the quick start runs on the installed package", () => {
  cpSync(join(import.meta.dirname, "../../examples/quick-start.ts"), join(project, "start.ts"));
  const { status, said } = call(process.execPath, ["start.ts"], project);
  expect(said).toContain("refused: cooldown\n");
  expect(status).toBe(0);
});

test("[PK5] npm installs Stint, better-sqlite3 and what that one asks for, no more", () => {
  needs(how === "npm", "npm has what Stint depends on neither in its cache nor from a registry");
  const lock = readFileSync(join(project, "node_modules/.package-lock.json"), "utf8");
  const { packages } = JSON.parse(lock) as { readonly packages: Readonly<Record<string, unknown>> };
  const names = ["better-sqlite3", "node-addon-api", "stint"];
  expect(Object.keys(packages).toSorted()).toEqual(names.map((name) => `node_modules/${name}`));
  expect(names.filter((name) => existsSync(join(project, "node_modules", name)))).toEqual(names);
});

/** What a declaration imports from, at the end of a line that is no comment. */
const NAMED = /^(?!\s*(?:\*|\/)).*(?:from|import\() ?"([^"]+)"/gm;

test("[CN16] without dockerode a supervisor of containers says what is missing", async () => {
  const folder = mkdtempSync(join(home, "containers-"));
  expect(await npx(["init"], { cwd: folder })).toMatchObject({ exit: 0 });
  const driver = ["--driver", "container", "--image", "any", "--socket", "any.sock"];
  const { exit, stdout } = await npx(["supervise", ...driver], { cwd: folder });
  expect(exit).toBe(5);
  expect(JSON.parse(stdout)).toMatchObject({
    ok: false,
    error: {
      code: "sandbox_unavailable",
      message: "containers need the package dockerode beside stint: npm install dockerode@5",
    },
  });
  expect(existsSync(join(folder, ".stint/driver.json"))).toBe(false);
});

test("[PK4] what the declarations name is there: our files, and no package of others", () => {
  const doors = ["index", "worker", "testing/index"].map((name) => join(installed, "dist", name));
  const reached = new Set(doors.map((path) => `${path}.d.ts`));
  const others: string[] = [];
  for (const file of reached) {
    for (const [, specifier = ""] of readFileSync(file, "utf8").matchAll(NAMED)) {
      if (!specifier.startsWith(".")) others.push(specifier);
      else reached.add(join(file, "..", specifier.replace(/\.js$/, ".d.ts")));
    }
  }
  expect(others.filter((name) => !name.startsWith("node:"))).toEqual([]);
  expect(reached.size).toBeGreaterThan(20);
});

test("[PK4] a project that has Node's types, as docs/library.md asks for, compiles", () => {
  const asked = readFileSync(join(ROOT, "docs/library.md"), "utf8");
  expect(asked).toContain("npm install --save-dev @types/node");
  writeFileSync(
    join(project, "typed.ts"),
    `import { memory, openFleet } from "stint";
     import { joinFleet } from "stint/worker";
     export const both = [openFleet({ store: memory() }), joinFleet] as const;\n`,
  );
  const compiler = join(ROOT, "node_modules/typescript/bin/tsc");
  const strict = "--strict --noEmit --module nodenext --target es2024".split(" ");
  const compile = (types: readonly string[]) =>
    call(process.execPath, [compiler, ...strict, ...types, "typed.ts"], project);
  // Without them the declarations name what the compiler does not know.
  expect(compile([]).status).not.toBe(0);
  linkPackages(["@types/node"], project);
  expect(compile(["--types", "node"])).toEqual({ status: 0, said: "" });
});

test("[PK1] what was built here names no place of this machine, nor a way up to a package", () => {
  const places = [ROOT, realpathSync(join(ROOT, "node_modules")), home].map((path) => `${path}/`);
  const naming = globSync("dist/**/*.{js,ts,md}", { cwd: installed }).filter((file) => {
    const text = readFileSync(join(installed, file), "utf8");
    return [...places, "../node_modules/"].some((place) => text.includes(place));
  });
  expect(naming).toEqual([]);
});

test("[PK11] the licence of everything that is bundled is in the tarball", () => {
  const text = readFileSync(join(installed, "dist/LICENSES.md"), "utf8");
  const licensed = ["zod", "hono", "pino", "commander", "@marcbachmann/cel-js"].filter((name) => {
    const [, section = ""] = text.split(`## ${name} - `);
    return /Permission is hereby granted/.test(section.split("\n## ")[0] ?? "");
  });
  expect(licensed).toEqual(["zod", "hono", "pino", "commander", "@marcbachmann/cel-js"]);
});
