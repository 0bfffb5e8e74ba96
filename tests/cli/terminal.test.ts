// A person at a terminal, played by `script`, which runs a program on a pseudo-terminal.
import { spawn } from "node:child_process";
import { appendFileSync, mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { builtBin, stint } from "../support/cli.ts";
import { needsProgram } from "../support/require-all.ts";
import { makeGround } from "./ground.ts";

/** Calls `stint` on a terminal and types `answer` once it asks; answers what the terminal shows. */
async function onTerminal(
  args: readonly string[],
  so: { readonly cwd: string; readonly answer?: string; readonly env?: Record<string, string> },
): Promise<{ readonly exit: number | null; readonly shown: string }> {
  needsProgram("script");
  const words = [process.execPath, await builtBin(), ...args].map((word) => `'${word}'`);
  const child = spawn("script", ["-qec", words.join(" "), "/dev/null"], {
    cwd: so.cwd,
    env: { ...process.env, NO_COLOR: "", TERM: "xterm", ...so.env },
    stdio: ["pipe", "pipe", "inherit"],
  });
  let shown = "";
  let hasAnswered = false;
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    shown += text;
    if (hasAnswered || so.answer === undefined || !shown.includes("[y/N]")) return;
    hasAnswered = true;
    child.stdin.write(so.answer);
  });
  const exit = await new Promise<number | null>((resolve) => child.once("close", resolve));
  return { exit, shown };
}

/** A fleet with a config that proposes a change. */
async function changedFleet(): Promise<string> {
  const dir = realpathSync(mkdtempSync(join(tmpdir(), "stint-terminal-")));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  await stint(["init", dir]);
  appendFileSync(join(dir, "stint.toml"), '\n[contract.budget]\nmemory = "1GiB"\n');
  return dir;
}

/** The bound that the change is about, as it is in force. */
async function memoryInForce(cwd: string): Promise<unknown> {
  const { data } = (await stint(["contract", "show", "--json"], { cwd })).json();
  return data.contract.budget.memory_bytes;
}

describe("at a terminal", () => {
  test.each(["n\n", "\n", "yess\n", "\u0004"])(
    "[CL23] what is not agreed to is not done: %j",
    async (answer) => {
      const cwd = await changedFleet();
      const { exit, shown } = await onTerminal(["contract", "enact"], { cwd, answer });
      expect(exit).toBe(2);
      expect(shown).toContain("nothing was done");
      expect(await memoryInForce(cwd)).toBeUndefined();
    },
  );

  test("[CL23] what is agreed to is done", async () => {
    const cwd = await changedFleet();
    const { exit, shown } = await onTerminal(["contract", "enact"], { cwd, answer: "y\n" });
    expect(exit).toBe(0);
    expect(shown).toContain("Put it in force? [y/N]");
    expect(await memoryInForce(cwd)).toBe(2 ** 30);
  });

  test("[CL12] Ctrl-C at a question ends the call with 130, and nothing is done", async () => {
    const cwd = await changedFleet();
    const { exit } = await onTerminal(["contract", "enact"], { cwd, answer: "\u0003" });
    expect(exit).toBe(130);
    expect(await memoryInForce(cwd)).toBeUndefined();
  });

  test("[DR1] a terminal that says that it is 0 columns wide is taken as 80", async () => {
    const cwd = await changedFleet();
    const { shown } = await onTerminal(["doctor"], { cwd });
    const wordCounts = shown.split("\n").map((line) => line.trim().split(/\s+/).length);
    expect(Math.max(...wordCounts)).toBeGreaterThan(5);
  });

  test("[CL24] colour is for terminals, without NO_COLOR, and never in JSON", async () => {
    const cwd = await changedFleet();
    const escape = "\u001b[";
    expect((await onTerminal([], { cwd })).shown).toContain(escape);
    expect((await onTerminal([], { cwd, env: { NO_COLOR: "1" } })).shown).not.toContain(escape);
    expect((await onTerminal(["--json"], { cwd })).shown).not.toContain(escape);
    expect((await stint([], { cwd, env: { NO_COLOR: undefined } })).stdout).not.toContain(escape);
  });
});

test("[CV29] a narrow terminal is shown fewer columns, a file all of them", async () => {
  const ground = await makeGround();
  const id = await ground.spawn("a-name-of-some-length");
  await ground.spawn("below", "--parent", id);
  const heads = (text: string): string => text.split("\n", 1)[0] ?? "";
  const all = heads((await ground.done(["workers"])).stdout);
  expect(all).toMatch(/^WORKER +NAME +STATUS +PARENT +PID +SINCE.* +LEFT$/);
  const { shown } = await onTerminal(["workers"], { cwd: ground.dir, env: ground.env });
  for (const line of shown.split("\n")) expect(line.trimEnd().length).toBeLessThanOrEqual(80);
  expect(shown).toMatch(/WORKER +NAME +STATUS +PID/);
});
