import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { builtBin, stint, type Called } from "../support/cli.ts";

let folder: string;
let runtime: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "stint-services-"));
  runtime = mkdtempSync(join(tmpdir(), "st-"));
});

afterEach(async () => {
  for (const name of ["api", "db"]) endOf(name);
  await call("down");
  for (const path of [folder, runtime]) rmSync(path, { recursive: true, force: true });
});

function call(...args: readonly string[]): Promise<Called> {
  const env = { XDG_RUNTIME_DIR: runtime, XDG_STATE_HOME: join(folder, "state-home") };
  return stint(args, { cwd: folder, env });
}

/** Ends a service that a failed test has left. */
function endOf(name: string): void {
  const file = join(folder, `${name}.pid`);
  if (!existsSync(file)) return;
  try {
    process.kill(Number(readFileSync(file, "utf8")), "SIGKILL");
  } catch {
    // It has ended, as it should have.
  }
}

function program(name: string, script: string): string {
  const file = join(folder, name);
  writeFileSync(file, `#!/bin/sh\n${script}\n`);
  chmodSync(file, 0o700);
  return file;
}

/** Founds a fleet whose roster has services that are real programs: each beats until it is told. */
async function found(names: readonly string[]): Promise<void> {
  const bin = await builtBin();
  const services = names.map((name) => {
    const beat = `'${process.execPath}' '${bin}' beat --name ${name} --every 1s`;
    const start = program(
      `start-${name}`,
      `setsid ${beat} > ${name}.log 2>&1 &\necho $! > ${name}.pid`,
    );
    const stop = program(`stop-${name}`, `kill "$(cat ${name}.pid)"`);
    return `[roster.services.${name}]\nevery = "1s"\nstart = ["${start}"]\nstop = ["${stop}"]\n`;
  });
  const expected = JSON.stringify(names);
  const roster = `[roster]\nexpected = ${expected}\n\n${services.join("\n")}`;
  writeFileSync(join(folder, "stint.toml"), `[fleet]\nname = "services"\n\n${roster}`);
  const begun = await call("init", "--json");
  if (begun.exit !== 0) throw new Error(begun.stderr + begun.stdout);
}

test("[SE9] a service is started, found running and stopped, all of it seen", async () => {
  await found(["api"]);
  const acted = async (verb: string, ...more: readonly string[]) => {
    const called = await call("service", verb, "api", ...more, "--json");
    return { exit: called.exit, ...called.lines().at(-1)?.data?.services?.[0] };
  };
  expect(await acted("stop", "--yes")).toMatchObject({ exit: 6, outcome: "failed" });
  expect(await acted("start")).toMatchObject({ exit: 0, outcome: "started" });
  expect(await acted("start")).toMatchObject({ exit: 0, outcome: "already_running" });
  const unasked = await call("service", "stop", "api");
  expect(unasked.exit).toBe(2);
  expect(unasked.stderr).toMatch(/api: \S+ \(ok\)/);
  expect(await acted("stop", "--yes")).toMatchObject({ exit: 0, outcome: "stopped" });
  expect(await acted("stop", "--yes")).toMatchObject({ exit: 0, outcome: "not_running" });
  const journal = await call("journal", "tail", "--kind", "service.acted", "--json");
  const outcomes = journal.lines().flatMap((line) => line.data?.outcome ?? []);
  expect(outcomes).toEqual(["failed", "started", "already_running", "stopped", "not_running"]);
}, 240_000);

test("[SE9] all services are started in order, and a failure ends nothing", async () => {
  await found(["api", "db"]);
  program("start-api", "echo 'the port is taken' >&2; exit 3");
  const started = await call("service", "start", "--all", "--json");
  expect(started.exit).toBe(5);
  expect(started.lines().at(-1)?.data?.services).toMatchObject([
    { name: "api", outcome: "failed", detail: "it exited with 3: the port is taken" },
    { name: "db", outcome: "started" },
  ]);
  const stopped = await call("service", "stop", "--all", "--yes");
  expect(stopped.stdout).toMatch(/db +stopped[\s\S]*api/);
}, 240_000);

test("[SE9] a service that is not in the roster is named with the one that is meant", async () => {
  await found(["api"]);
  const called = await call("service", "start", "apo");
  expect(called.exit).toBe(2);
  expect(called.stderr).toContain('did you mean "api"?');
  expect((await call("service", "start")).exit).toBe(2);
  rmSync(join(folder, "start-api"));
  const missing = await call("service", "start", "api", "--json");
  expect(missing.exit).toBe(4);
  expect(missing.lines().at(-1)?.data?.services).toMatchObject([{ outcome: "not_installed" }]);
}, 240_000);
