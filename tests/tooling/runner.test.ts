// The test run watches itself: what leaks, what is skipped, and how much passed and failed.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { needs, needsProgram } from "../support/require-all.ts";

const ROOT = join(import.meta.dirname, "../..");

type Run = { readonly status: number | null; readonly output: string; readonly tally: string };

/** Runs the cases whose name matches in a vitest of their own, with the repository's settings. */
function runCases(pattern: string, env: Readonly<Record<string, string>> = {}): Run {
  const folder = mkdtempSync(join(tmpdir(), "stint-cases-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const tallyFile = join(folder, "tally");
  const vitest = join(ROOT, "node_modules/vitest/vitest.mjs");
  const config = join(import.meta.dirname, "cases/cases.config.ts");
  const args = ["run", "--root", ROOT, "--config", config, "--testNamePattern", pattern];
  const done = spawnSync(process.execPath, [vitest, ...args], {
    encoding: "utf8",
    env: { ...process.env, STINT_REQUIRE_ALL: "0", STINT_TALLY_FILE: tallyFile, ...env },
  });
  const output = done.stdout + done.stderr;
  return { status: done.status, output, tally: readFileSync(tallyFile, "utf8") };
}

test("a run without leaks passes and is tallied", () => {
  const run = runCases("^passes$");
  expect(run.output).not.toContain("LEAKED");
  expect(run).toMatchObject({ status: 0, tally: "1 0\n" });
});

test("a failing test is tallied", () => {
  expect(runCases("^(passes|fails)$")).toMatchObject({ status: 1, tally: "1 1\n" });
});

test("a file that leaves a child behind fails and names it", () => {
  needs(existsSync("/proc/self/stat"), "leaked processes are found by /proc");
  const run = runCases("^leaves a child");
  expect(run.output).toMatch(/must end what it started, still running: \d+ sleep 60/);
  expect(run).toMatchObject({ status: 1, tally: "1 1\n" });
});

test("a file that leaves a timer behind fails and names it", () => {
  const run = runCases("^leaves a timer");
  expect(run.output).toContain("must stop what it started, still active: Timeout");
  expect(run).toMatchObject({ status: 1, tally: "1 1\n" });
});

test("a run that leaves an orphan behind fails and names it", () => {
  needs(existsSync("/proc/self/stat"), "leaked processes are found by /proc");
  needsProgram("setsid");
  const run = runCases("^leaves an orphan");
  expect(run.output).toMatch(/LEAKED process \d+: sleep 60/);
  expect(run).toMatchObject({ status: 1, tally: "1 0\n0 1\n" });
});

test("a skip gives its reason, and is a failure where everything is required", () => {
  const skipped = runCases("^is skipped$");
  expect(skipped.output).toContain("SKIPPED is skipped: nothing is missing");
  expect(skipped).toMatchObject({ status: 0, tally: "0 0\n" });

  const required = runCases("^is skipped$", { STINT_REQUIRE_ALL: "1" });
  expect(required.output).toContain("a test must run under STINT_REQUIRE_ALL=1");
  expect(required.status).toBe(1);
});
