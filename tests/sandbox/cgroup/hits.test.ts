// What is read from a group's files, in the forms that kernels of both versions write them.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { hitsOf } from "../../../src/sandbox/cgroup/hits.ts";

/** A folder with these control files; gone when the running test is over. */
function groupWith(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), "stint-group-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return folder;
}

const unified = {
  "memory.events": "low 0\nhigh 0\nmax 9\noom 2\noom_kill 3\noom_group_kill 0\n",
  "memory.max": "4096000\n",
  "memory.peak": "4095900\n",
};

const legacy = {
  "memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 3\n",
  "memory.limit_in_bytes": "4096000\n",
  "memory.max_usage_in_bytes": "4095900\n",
};

const forks = { "pids.events": "max 7\n", "pids.max": "12\n", "pids.peak": "12\n" };

const memory = { limit: "memory_bytes", value: 4_096_000, use: 4_095_900, count: 3 };
const processes = { limit: "processes", value: 12, use: 12, count: 7 };

test.each([
  { name: "version 2", files: { ...unified, ...forks }, hits: [memory, processes] },
  { name: "version 1", files: { ...legacy, ...forks }, hits: [memory, processes] },
  { name: "none", files: { ...forks, "pids.events": "max 0\n" }, hits: [] },
])("[LH3][LH4] what a group has counted is told: $name", async ({ files, hits }) => {
  expect(await hitsOf([groupWith(files)], new Map())()).toEqual(hits);
  // A hybrid host has them in folders of their own.
  const parts = ["memory", "pids"].map((what) =>
    groupWith(Object.fromEntries(Object.entries(files).filter(([file]) => file.startsWith(what)))),
  );
  expect(await hitsOf([join(tmpdir(), "stint-no-such-group"), ...parts], new Map())()).toEqual(
    hits,
  );
});

test.each([
  {
    name: "version 2",
    files: { ...unified, "memory.events": "max 0\noom 0\noom_kill 3\n" },
  },
  { name: "version 1", files: { ...legacy, "memory.max_usage_in_bytes": "1000000\n" } },
])("[LH3] whom the host has killed was at no limit of his own: $name", async ({ files }) => {
  expect(await hitsOf([groupWith(files)], new Map())()).toEqual([]);
});

test.each([
  { ...unified, "memory.max": "max\n" },
  { ...legacy, "memory.limit_in_bytes": "9223372036854771712\n" },
  { ...forks, "pids.max": "max\n" },
])("[LH3][LH4] where there is no limit none is hit: %j", async (files) => {
  expect(await hitsOf([groupWith(files)], new Map())()).toEqual([]);
});

test("[LH4] a fork that a group above has refused is none of this one", async () => {
  expect(await hitsOf([groupWith({ ...forks, "pids.peak": "11\n" })], new Map())()).toEqual([]);
});

test("[LH3] kernels without a peak are believed that the limit was reached", async () => {
  const { "memory.peak": _, ...older } = unified;
  expect(await hitsOf([groupWith(older)], new Map())()).toEqual([{ ...memory, use: memory.value }]);
});

test("[LH3] a group that is made later is found then", async () => {
  const folder = groupWith({});
  const read = hitsOf([folder], new Map());
  expect(await read()).toEqual([]);
  for (const [name, text] of Object.entries(legacy)) writeFileSync(join(folder, name), text);
  expect(await read()).toEqual([memory]);
});
