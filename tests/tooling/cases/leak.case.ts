// Not a test of Stint: what the tests of the tooling run in a vitest of their own.
import { spawn, spawnSync } from "node:child_process";
import { expect, test } from "vitest";
import { skipLoudly } from "../../support/require-all.ts";

// Long enough to outlive the run that must find it, short enough to go by itself.
const LEAK_SECONDS = "60";

test("passes", () => {
  expect(process.env["STINT_TEST_RUN"]).toBeDefined();
});

test("leaves a child behind", () => {
  const child = spawn("sleep", [LEAK_SECONDS], { stdio: "ignore" });
  expect(child.pid).toBeDefined();
});

test("leaves an orphan behind, in a session of its own", () => {
  const script = `setsid sleep ${LEAK_SECONDS} >/dev/null 2>&1 </dev/null &`;
  expect(spawnSync("sh", ["-c", script]).status).toBe(0);
});

test("leaves a timer behind", () => {
  expect(setInterval(() => undefined, 1_000).hasRef()).toBe(true);
});

test("is skipped", () => {
  expect.hasAssertions();
  skipLoudly("nothing is missing, this is a test of skipping");
});

test("fails", () => {
  expect(1).toBe(2);
});
