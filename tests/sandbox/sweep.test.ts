import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readProcess } from "../../src/system/process.ts";
import type { ProcessRow } from "../support/process-table.ts";
import { isAlive, listProcesses } from "../support/process-table.ts";
import { HeldPipe } from "./holding.ts";
import { fixtures, kill, useGround } from "./state-folder.ts";

const ground = useGround();
const tree = join(fixtures, "tree.sh");
const escape = join(fixtures, "escape.sh");
const levels = 2;
const treeCount = 7;
/** Longer than a machine under load needs to tear a process down. */
const releaseMs = 10_000;
/** Long enough for a survivor to be gone if it was going to be. */
const surviveMs = 300;

const rowsOf = (pids: readonly number[]): ProcessRow[] =>
  listProcesses().filter((row) => pids.includes(row.pid));

test("[SB10] without Stint a killed parent leaves its tree alive: counts can fail", async () => {
  const pipe = new HeldPipe(ground.folder);
  const parent = spawn(tree, [pipe.path, String(levels)], { detached: true, stdio: "ignore" });
  const exited = once(parent, "exit");
  const rows = rowsOf(await pipe.ready(treeCount));
  parent.kill("SIGTERM");
  parent.kill("SIGKILL");
  await exited;
  try {
    expect(await pipe.isReleased(surviveMs)).toBe(false);
    expect(rows.filter(isAlive).length).toBe(treeCount - 1);
  } finally {
    process.kill(-(parent.pid ?? Number.NaN), "SIGKILL");
  }
  expect(await pipe.isReleased(releaseMs)).toBe(true);
});

test("[SB10] a tree that ignores every polite signal is gone after a stop", async () => {
  const pipe = new HeldPipe(ground.folder);
  const run = [tree, pipe.path, String(levels)] as const;
  await ground.sandbox.start({ instance: "w-tree", run: [...run], files: {} });
  const rows = rowsOf(await pipe.ready(treeCount));
  expect(rows.length).toBe(treeCount);
  const ending = await kill(ground.sandbox, "w-tree");
  expect(await pipe.isReleased(releaseMs)).toBe(true);
  expect(rows.filter(isAlive)).toEqual([]);
  expect(ending?.outcome).toEqual({ signal: "SIGKILL", killed_by: "test" });
});

test("[SB11] the evidence of a sweep says what was seen and what it may miss", async () => {
  const pipe = new HeldPipe(ground.folder);
  const run = [tree, pipe.path, String(levels)] as const;
  await ground.sandbox.start({ instance: "w-tree", run: [...run], files: {} });
  await pipe.ready(treeCount);
  const { grade, facts } = (await kill(ground.sandbox, "w-tree"))?.evidence ?? {};
  expect(grade).toBe("swept");
  expect({ ...facts, killed: 0 }).toEqual({
    listings: 2,
    killed: 0,
    rung: "process-group",
    missed: "what left its group and dropped its marks is not excluded",
    started: true,
  });
  expect(facts?.["killed"]).toBeGreaterThanOrEqual(treeCount);
  // Who comes later is told the same: it is the same end.
  expect((await kill(ground.sandbox, "w-tree"))?.evidence.facts["killed"]).toBe(facts?.["killed"]);
});

test("[SB12] a worker that is asked and ends in time is not killed", async () => {
  const asked = join(ground.folder, "asked");
  const polite = "trap 'echo asked > \"$0\"; exit 7' TERM; while :; do sleep 0.02; done";
  await ground.sandbox.start({ instance: "w-a", run: ["sh", "-c", polite, asked], files: {} });
  const options = { graceMs: 60_000, deadlineMs: 10_000, by: "test" };
  const ending = await ground.sandbox.stop("w-a", options);
  expect(readFileSync(asked, "utf8")).toBe("asked\n");
  expect(ending?.outcome).toEqual({ exit_code: 7, killed_by: "test" });
  expect(ending?.evidence.facts["killed"]).toBe(0);
});

test("[SB12] a worker that is asked and goes on is killed when the grace is over", async () => {
  const pipe = new HeldPipe(ground.folder);
  await ground.sandbox.start({ instance: "w-a", run: [tree, pipe.path, "0"], files: {} });
  await pipe.ready(1);
  const ending = await ground.sandbox.stop("w-a", { graceMs: 50, deadlineMs: 10_000, by: "test" });
  expect(ending?.outcome).toEqual({ signal: "SIGKILL", killed_by: "test" });
  expect(await pipe.isReleased(releaseMs)).toBe(true);
});

test("[SB13] what left group, session and parent is found by its marks", async () => {
  const pipe = new HeldPipe(ground.folder);
  const run = [escape, pipe.path, "marked"] as const;
  const { pid } = await ground.sandbox.start({ instance: "w-a", run: [...run], files: {} });
  const rows = rowsOf(await pipe.ready(2));
  const escaped = rows.find((row) => row.pid !== pid);
  expect(escaped?.sessionId).not.toBe(pid);
  expect(rows.some((row) => row.pid === escaped?.parentPid)).toBe(false);
  await kill(ground.sandbox, "w-a");
  expect(await pipe.isReleased(releaseMs)).toBe(true);
  expect(rows.filter(isAlive)).toEqual([]);
});

test("[SB13] what left its session and dropped its marks is found by its parent", async () => {
  const pipe = new HeldPipe(ground.folder);
  const run = [escape, pipe.path, "child"] as const;
  await ground.sandbox.start({ instance: "w-a", run: [...run], files: {} });
  const rows = rowsOf(await pipe.ready(2));
  await kill(ground.sandbox, "w-a");
  expect(await pipe.isReleased(releaseMs)).toBe(true);
  expect(rows.filter(isAlive)).toEqual([]);
});

test("[SB14] what dropped every trace is missed, as the evidence says", async () => {
  const pipe = new HeldPipe(ground.folder);
  const run = [escape, pipe.path, "gone"] as const;
  const { pid } = await ground.sandbox.start({ instance: "w-a", run: [...run], files: {} });
  const escaped = rowsOf(await pipe.ready(2)).find((row) => row.pid !== pid);
  const ending = await kill(ground.sandbox, "w-a");
  try {
    expect(await pipe.isReleased(surviveMs)).toBe(false);
    expect(escaped && isAlive(escaped)).toBe(true);
    expect(ending?.evidence.grade).toBe("swept");
    expect(ending?.evidence.facts["missed"]).toContain("dropped its marks");
  } finally {
    if (escaped !== undefined) process.kill(-escaped.groupId, "SIGKILL");
  }
  expect(await pipe.isReleased(releaseMs)).toBe(true);
});

test("[SB15] a worker that starts processes without end is swept", async () => {
  const script = 'exec 9> "$0"; echo "ready $$" >&9; while :; do (sleep 0.05 &) ; done';
  const pipe = new HeldPipe(ground.folder);
  const run = ["sh", "-c", script, pipe.path] as const;
  await ground.sandbox.start({ instance: "w-a", run: [...run], files: {} });
  await pipe.ready(1);
  expect((await kill(ground.sandbox, "w-a"))?.evidence.grade).toBe("swept");
  expect(await pipe.isReleased(releaseMs)).toBe(true);
});

test("[SB16] a worker whose first process exited is alive as long as any of it is", async () => {
  const pipe = new HeldPipe(ground.folder);
  const script = '"$0" "$1" 0 & exit 5';
  const exited = new Promise((resolve) => ground.sandbox.onExit(resolve));
  const run = ["sh", "-c", script, tree, pipe.path] as const;
  await ground.sandbox.start({ instance: "w-a", run: [...run], files: {} });
  const rows = rowsOf(await pipe.ready(1));
  expect(await exited).toBe("w-a");
  expect((await ground.sandbox.list()).map((record) => record.seen)).toEqual(["alive"]);
  const ending = await kill(ground.sandbox, "w-a");
  // It ended by itself; only what it left behind was killed.
  expect(ending?.outcome).toEqual({ exit_code: 5 });
  expect(ending?.evidence.facts["killed"]).toBeGreaterThan(0);
  expect(await pipe.isReleased(releaseMs)).toBe(true);
  expect(rows.filter(isAlive)).toEqual([]);
});

test("[SB17] a zombie is not alive", async () => {
  const args = [
    join(import.meta.dirname, "fixtures/starter.ts"),
    ground.folder,
    ground.fleet,
    "1",
    "stay",
  ];
  const starter = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  const exited = once(starter, "exit");
  try {
    const pidOf = async (): Promise<number | undefined> => (await ground.sandbox.list())[0]?.pid;
    await expect.poll(pidOf, { timeout: 10_000 }).toBeGreaterThan(1);
    const pid = (await pidOf()) ?? Number.NaN;
    // A stopped parent reaps nobody: what is killed now stays in the table as a zombie.
    starter.kill("SIGSTOP");
    process.kill(-pid, "SIGKILL");
    await expect.poll(() => readProcess(pid)?.state).toBe("Z");
    expect((await ground.sandbox.list()).map((record) => record.seen)).toEqual(["gone"]);
    expect((await kill(ground.sandbox, "w-0"))?.evidence.facts["killed"]).toBe(0);
    expect(readProcess(pid)?.state).toBe("Z");
  } finally {
    starter.kill("SIGKILL");
    await exited;
  }
});

test("[SB9] closing a driver lets its workers run, and another driver ends them", async () => {
  const pipe = new HeldPipe(ground.folder);
  const sandbox = await ground.open();
  await sandbox.start({ instance: "w-a", run: [tree, pipe.path, "0"], files: {} });
  const rows = rowsOf(await pipe.ready(1));
  await sandbox.close();
  expect(await pipe.isReleased(surviveMs)).toBe(false);
  expect(rows.map(isAlive)).toEqual([true]);
  await kill(ground.sandbox, "w-a");
  expect(await pipe.isReleased(releaseMs)).toBe(true);
});
