// The launcher: which Node it chooses, what it says when there is none, how it stands in for it.
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { constants, tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { needsProgram } from "../support/require-all.ts";
import { parse, walkSource } from "../tidy/tree.ts";

const LAUNCHER = join(import.meta.dirname, "../../scripts/launch.cjs");

/** A preload that makes the Node running it report another version. */
const PRETEND_VERSION = `
Object.defineProperty(process, "version", { value: process.env.PRETEND_VERSION });
`;

type Place = { readonly launcher: string; readonly pretend: string; readonly folder: string };

/** A copy of the launcher in a folder of its own, where no Node is installed. */
function makePlace(): Place {
  const folder = mkdtempSync(join(tmpdir(), "stint-launch-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  mkdirSync(join(folder, "scripts"));
  const launcher = join(folder, "scripts/launch.cjs");
  cpSync(LAUNCHER, launcher);
  const pretend = join(folder, "pretend.cjs");
  writeFileSync(pretend, PRETEND_VERSION);
  return { launcher, pretend, folder };
}

/** Puts a program where the pinned Node would be. */
function installNode(folder: string, script: string): string {
  const bin = join(folder, `node_modules/node-${process.platform}-${process.arch}/bin`);
  mkdirSync(bin, { recursive: true });
  const file = join(bin, "node");
  writeFileSync(file, script);
  chmodSync(file, 0o755);
  return bin;
}

function launch(place: Place, version: string, args: readonly string[]) {
  return spawnSync(process.execPath, ["-r", place.pretend, place.launcher, ...args], {
    encoding: "utf8",
    env: { ...process.env, PRETEND_VERSION: version },
  });
}

test.each(["v16.20.2", "v20.19.0", "v22.17.9", "v9.0.0", "nonsense"])(
  "on %s without a pinned Node it says one sentence and exits 2",
  (version) => {
    const done = launch(makePlace(), version, ["-p", "1"]);
    expect(done).toMatchObject({ status: 2, stdout: "" });
    expect(done.stderr).toBe(
      `stint needs Node 22.18 or newer, this is ${version} and the pinned one is not installed: ` +
        "run `npm ci` (without --omit=optional), or use a newer Node.\n",
    );
  },
);

test.each(["v22.18.0", "v22.20.1", "v24.0.0", "v100.0.0"])(
  "on %s without a pinned Node it runs the Node it has",
  (version) => {
    const done = launch(makePlace(), version, ["-p", "process.execPath"]);
    expect(done).toMatchObject({ status: 0, stdout: `${process.execPath}\n`, stderr: "" });
  },
);

test("it prefers the pinned Node, and `node` inside is that Node too", () => {
  const place = makePlace();
  const bin = installNode(
    place.folder,
    '#!/bin/sh\n[ "$1" = --version ] && echo v24.21.0 || echo "pinned $* ${PATH%%:*}"\n',
  );
  const done = launch(place, "v16.0.0", ["a b", "c"]);
  expect(done).toMatchObject({ status: 0, stdout: `pinned a b c ${bin}\n` });
});

test.each([
  ["is too old", "#!/bin/sh\necho v22.17.0\n"],
  ["cannot run here", "not a program"],
])("a pinned Node that %s is not used", (_, script) => {
  const place = makePlace();
  installNode(place.folder, script);
  expect(launch(place, "v20.0.0", ["-p", "1"])).toMatchObject({
    status: 2,
    stderr: expect.stringContaining("the pinned one does not run here") as string,
  });
  expect(launch(place, "v24.0.0", ["-p", "1"])).toMatchObject({ status: 0, stdout: "1\n" });
});

test("exit codes and signals of the program become its own", () => {
  const run = (script: string) => spawnSync(process.execPath, [LAUNCHER, "-e", script]).status;
  expect(run("process.exit(7)")).toBe(7);
  expect(run('process.kill(process.pid, "SIGKILL")')).toBe(128 + constants.signals.SIGKILL);
});

test.each(["SIGINT", "SIGTERM", "SIGHUP"] as const)("%s reaches the program", async (signal) => {
  const script = `process.on("${signal}", () => process.exit(42)); setInterval(() => 0, 1000);
    console.log("ready");`;
  const child = spawn(process.execPath, [LAUNCHER, "-e", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = once(child, "exit");
  await once(child.stdout, "data");
  child.kill(signal);
  expect(await ended).toEqual([42, null]);
});

test("one Ctrl-C at a terminal reaches the program once", async () => {
  needsProgram("script");
  // The launcher has had its own Ctrl-C by the time it has passed two other signals on.
  const script = `let count = 0;
    process.on("SIGINT", () => (count += 1) === 1 && process.kill(process.ppid, "SIGHUP"));
    process.on("SIGHUP", () => process.kill(process.ppid, "SIGTERM"));
    process.on("SIGTERM", () => setImmediate(() => process.exit(40 + count)));
    setInterval(() => 0, 1000);
    console.log("ready");`;
  const { folder } = makePlace();
  const file = join(folder, "program.cjs");
  writeFileSync(file, script);
  const words = [process.execPath, LAUNCHER, file].map((word) => `'${word}'`);
  const child = spawn("script", ["-qec", `exec ${words.join(" ")}`, "/dev/null"], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const ended = once(child, "exit");
  await once(child.stdout, "data");
  child.stdin.write("\u0003");
  expect(await ended).toEqual([41, null]);
});

test("it is written in a syntax that old versions parse", () => {
  const newer = /^(ArrowFunctionExpression|Template\w+|Class\w+|Spread\w+|Rest\w+|Chain\w+)$/;
  const source = parse(new Map([["launch.cjs", readFileSync(LAUNCHER, "utf8")]]), "launch.cjs");
  const found = new Set<string>();
  walkSource(source, (node) => {
    if (newer.test(node.type) || node["operator"] === "??" || node["async"] === true)
      found.add(node.type);
    if (node["kind"] === "const" || node["kind"] === "let") found.add(node["kind"]);
  });
  expect(source.body.length).toBeGreaterThan(1);
  expect([...found]).toEqual([]);
});
