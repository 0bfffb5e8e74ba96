// The control: what the hostile programs do where nobody contains them. Without it "held" could
// mean that they never tried.
import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { needs, needsProgram } from "../support/require-all.ts";
import { type Aims, commandOf, openListeners } from "./aims.ts";
import { PROGRAMS } from "./arena.ts";
import { CASES, type HostileCase } from "./cases.ts";
import { Traces } from "./traces.ts";

const WITHIN_MS = 20_000;

/** Starts a program as its child, and waits: who kills it has not killed the program. */
const PARENT = "defined(my $child = fork) or die; exec @ARGV unless $child; sleep 1 while 1";

/** A folder with all that a hostile program may be after, none of it anybody's. */
async function makeAims(): Promise<Aims> {
  const ground = mkdtempSync(join(tmpdir(), "stint-control-"));
  onTestFinished(() => rmSync(ground, { recursive: true }));
  const folders = [
    "leased",
    "free",
    "lent",
    ".git/hooks",
    "elsewhere",
    "door",
    "state/sandboxes/w-a",
  ];
  for (const path of folders) mkdirSync(join(ground, path), { recursive: true });
  const files = ["leased/kept", "free/kept", "elsewhere/kept", "door/token", "permit"];
  const secrets = ["journal.db", "secret", "operator.token"].map((name) => `state/${name}`);
  for (const path of [...files, ...secrets]) writeFileSync(join(ground, path), "as it was");
  const listeners = await openListeners();
  onTestFinished(() => listeners.close());
  const at = (name: string): string => join(ground, name);
  return {
    ground,
    state: at("state"),
    permit: at("permit"),
    door: at("door"),
    elsewhere: at("elsewhere"),
    sibling: "w-a",
    supervisor: sleeper(),
    victim: sleeper(),
    ...listeners.aims,
  };
}

/** A process that nobody would miss. */
function sleeper(): number {
  const child = spawn("sleep", ["600"], { stdio: "ignore" });
  onTestFinished(() => end(child));
  return child.pid ?? 0;
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill("SIGKILL");
  await exited;
}

/** Runs a program below a parent until it has tried all, and kills the parent. */
async function runUncontained(one: HostileCase): Promise<Traces> {
  for (const program of ["perl", "flock", "mkfifo"]) needsProgram(program);
  needs(one.getsThrough !== "as root" || process.getuid?.() === 0, "only root can do this");
  const aims = await makeAims();
  const folder = join(aims.ground, "own");
  mkdirSync(folder);
  const traces = new Traces(folder, `${one.name}-${randomUUID()}`);
  onTestFinished(() => traces.close());
  // Taken back in turn: what still runs is ended before its folder goes.
  onTestFinished(() => void traces.end());
  const command = commandOf(join(PROGRAMS, `${one.name}.pl`), { mark: traces.mark, folder, aims });
  const parent = spawn("perl", ["-e", PARENT, ...command], { stdio: "ignore" });
  onTestFinished(() => end(parent));
  expect(await traces.says("ready", WITHIN_MS)).toBe(true);
  await end(parent);
  return traces;
}

describe("[HF4] without Stint", () => {
  const outlive = CASES.filter(({ outlives }) => outlives);
  test.each(outlive)("$name outlives the death of its parent", async (one) => {
    const traces = await runUncontained(one);
    const { named, locked, heard } = traces.count();
    const isNamed = one.isUnnamed === true || named > 0;
    expect({ isNamed, locked, heard }).toEqual({ isNamed: true, locked: 1, heard: 1 });
    expect(await traces.end()).toBeGreaterThan(0);
  });

  // It tries nothing but to write more than is kept, and nobody here keeps anything.
  const silent = ["floods", "keeps-a-file-open"];
  const others = CASES.filter(({ name, outlives = false }) => !outlives && !silent.includes(name));
  test.each(others)("$name gets through", async (one) => {
    const traces = await runUncontained(one);
    const said = traces.lines.filter((line) => line !== "ready");
    const through = said.filter((line) => line.startsWith("through "));
    // With all of it as root; a plain user is kept from some by the kernel.
    expect(through.length).toBeGreaterThan(0);
    expect(process.getuid?.() === 0 ? through : said).toEqual(said);
    await traces.end();
  });
});
