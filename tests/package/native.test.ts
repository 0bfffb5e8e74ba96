// What a user is told whose installation has no native module of better-sqlite3 that loads.
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { startSupervisor } from "../../src/client/start-supervisor.ts";
import { stint } from "../support/cli.ts";
import { needs } from "../support/require-all.ts";
import { addNative, addSpoilt, installCopy, installedFile, NATIVE, type Copy } from "./copies.ts";

const AGAIN = "install Stint again on this very system, with its dependencies";

/** How an installation may be spoilt, and what is told of it. */
interface Spoilt {
  readonly what: string;
  readonly spoil: (copy: Copy) => void;
  readonly got: RegExp;
  readonly remedy: string;
}

const foreign = process.arch === "arm64" ? "linux-x64" : "linux-arm64";
const prebuilt = (name: string): Buffer =>
  readFileSync(installedFile(`better-sqlite3/prebuilds/${name}.node`));

const CASES: readonly Spoilt[] = [
  {
    what: "without the package",
    spoil: () => undefined,
    got: /^Cannot find module 'better-sqlite3'$/,
    remedy: AGAIN,
  },
  {
    what: "without a binary",
    spoil: (copy) => addSpoilt(copy, undefined),
    got: /^Cannot find module '\S+\/better_sqlite3\.node'$/,
    remedy: AGAIN,
  },
  {
    what: "with another processor's binary",
    spoil: (copy) => addSpoilt(copy, prebuilt(foreign)),
    got: /^\S+\.node: cannot open shared object file: /,
    remedy: AGAIN,
  },
  {
    what: "with another system's binary",
    spoil: (copy) => addSpoilt(copy, prebuilt(`darwin-${process.arch}`)),
    got: /^\S+\.node: invalid ELF header$/,
    remedy: AGAIN,
  },
  {
    what: "with a binary for a newer C library",
    spoil: (copy) => addSpoilt(copy, forNewerLibc(readFileSync(installedFile(NATIVE)))),
    got: /: version `GLIBC_9\.[\d.]+' not found /,
    remedy: "use a system with a newer C library",
  },
  {
    what: "with a package that is not what it says",
    spoil: ({ dir }) => {
      const folder = join(dir, "node_modules/better-sqlite3");
      mkdirSync(folder);
      writeFileSync(join(folder, "package.json"), '{ "main": "index.js" }');
      writeFileSync(join(folder, "index.js"), "module.exports = {};");
    },
    got: /^library is not a constructor$/,
    remedy: AGAIN,
  },
];

/** The same binary, asking for a version of glibc that there is not: loaders go by the name. */
function forNewerLibc(binary: Buffer): Buffer {
  const text = binary.toString("latin1");
  const [wanted = ""] = /GLIBC_2\.\d+(?=\0)/.exec(text) ?? [];
  return Buffer.from(text.replaceAll(`${wanted}\0`, `${wanted.replace("2", "9")}\0`), "latin1");
}

function needsGlibc(): void {
  const isGlibc =
    process.platform === "linux" && !readFileSync("/proc/self/maps", "utf8").includes("musl");
  needs(isGlibc, "the words are those of glibc's loader");
}

/** A fault as it is told. */
interface Failure {
  readonly code: string;
  readonly message: string;
}

/** Expects one sentence: what must be, what was found, what to do. */
function demandSentence(message: string, { got, remedy }: Spoilt): void {
  const here = `${process.platform} ${process.arch} with Node ${process.versions.node}`;
  const start = `better-sqlite3 must load on ${here}, got: `;
  const end = `; ${remedy}`;
  const found = message.slice(start.length, -end.length);
  expect(message).toBe(`${start}${found}${end}`);
  expect(found).toMatch(got);
  expect(found).not.toContain("\n");
}

test.each(CASES)("[PK9] $what the program says one sentence and exits 5", async (spoilt) => {
  needsGlibc();
  const copy = await installCopy();
  spoilt.spoil(copy);
  const { dir: cwd, bin } = copy;
  const text = await stint(["init"], { cwd, bin });
  expect(text).toMatchObject({ exit: 5, stdout: "" });
  const [line = "", ...more] = text.stderr.trimEnd().split("\n");
  expect(more).toEqual([]);
  demandSentence(line.replace(/^stint: sqlite_unsupported: /, ""), spoilt);

  const json = await stint(["init", "--json"], { cwd, bin });
  const { ok, error } = json.json() as { readonly ok: boolean; readonly error: Failure };
  expect({ exit: json.exit, ok, ...error }).toMatchObject({
    exit: 5,
    ok: false,
    code: "sqlite_unsupported",
    retryable: false,
  });
  demandSentence(error.message, spoilt);
});

test.each(CASES)("[PK9] $what the library throws a fault that says so", async (spoilt) => {
  needsGlibc();
  const copy = await installCopy();
  spoilt.spoil(copy);
  const program = `
    import { Fault, memory, openFleet, sqlite } from "stint";
    const [dir] = process.argv.slice(1);
    const opening = openFleet({ store: sqlite({ dir }), contract: {} });
    const opened = await opening.catch((error) => error);
    const { code, message } = opened;
    // A fleet that is kept in memory needs no database.
    const fleet = await openFleet({ store: memory(), secret: "x".repeat(32), contract: {} });
    await fleet.close();
    console.log(JSON.stringify({ isFault: opened instanceof Fault, code, message }));`;
  const args = ["--input-type=module", "--eval", program, join(copy.dir, "state")];
  const done = spawnSync(process.execPath, args, { cwd: copy.dir, encoding: "utf8" });
  expect(done).toMatchObject({ status: 0, stderr: "" });
  const said = JSON.parse(done.stdout) as { readonly message: string };
  expect(said).toMatchObject({ isFault: true, code: "sqlite_unsupported" });
  demandSentence(said.message, spoilt);
});

test("[PK9] a supervisor that cannot load it says so to whoever starts it", async () => {
  needsGlibc();
  const whole = await installCopy();
  addNative(whole);
  expect(await stint(["init"], { cwd: whole.dir, bin: whole.bin })).toMatchObject({ exit: 0 });
  const stateDir = join(whole.dir, ".stint");
  for (const spoilt of CASES) {
    const copy = await installCopy();
    spoilt.spoil(copy);
    const started = startSupervisor({ stateDir, command: [process.execPath, copy.bin] });
    const fault = await started.then(
      () => undefined,
      (error: unknown) => error as Failure,
    );
    expect({ what: spoilt.what, code: fault?.code }).toEqual({
      what: spoilt.what,
      code: "sqlite_unsupported",
    });
    demandSentence(fault?.message ?? "", spoilt);
  }
});

test("[PK9] once it is installed again the same call goes through", async () => {
  const copy = await installCopy();
  addSpoilt(copy, undefined);
  const call = { cwd: copy.dir, bin: copy.bin };
  expect(await stint(["init"], call)).toMatchObject({ exit: 5 });
  rmSync(join(copy.dir, "node_modules/better-sqlite3"), { recursive: true });
  addNative(copy);
  expect(await stint(["init"], call)).toMatchObject({ exit: 0, stderr: "" });
  expect(await stint(["fleet", "show"], call)).toMatchObject({ exit: 0 });
});
