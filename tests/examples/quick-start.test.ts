// The example that README shows, run as a user runs it: as a process, by the name of the package.

import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { FROM_SOURCE } from "../support/from-source.ts";

const program = fileURLToPath(new URL("../../examples/quick-start.ts", import.meta.url));

test("[LB45] the quick start runs to its end and says what it should", async () => {
  const args = [FROM_SOURCE, program];
  const { stdout, stderr } = await promisify(execFile)(process.execPath, args);
  const lines = stdout.trim().split("\n");
  expect(lines).toContain('root-child works on {"part":"a"}');
  expect(lines).toContain("refused: cooldown");
  expect(lines).toContain("[ 'root running' ]");
  expect(lines).toContain("1 of 10");
  expect(lines.at(-1)).toBe("stopped 1, proven");
  expect(stderr).toBe("");
});

test("[LB45] the quick start uses the library as its documentation shows it", () => {
  const words = readFileSync(program, "utf8").replaceAll(/\s+/g, " ");
  for (const shown of [
    'import { openFleet, memory } from "stint"',
    "maxDepth: 3, maxReplicas: 10, cooldownMs: 1000, lifetimeMs: 60_000,",
    '{ name: "active_limit", when: (c) => c.activeCount >= 5 }',
    "await root.performTask(async ({ worker, signal }) => {",
    'await root.maybeReplicate({ reason: "subtask", state: { part: "a" } })',
    'await child.worker.shutdown("completed")',
    "for await (const entry of fleet.entries())",
    'await fleet.kill({ reason: "drill" })',
    "await fleet.close()",
  ])
    expect(words).toContain(shown);
});
