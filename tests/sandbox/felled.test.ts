// What one order has killed is proven together; see src/sandbox/process/end/felled.ts.
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { expect, test } from "vitest";
import { findCgroups } from "../../src/sandbox/cgroup/find.ts";
import { isRunning, readProcess } from "../../src/system/process.ts";
import { needs } from "../support/require-all.ts";
import { kill, useGround } from "./state-folder.ts";

const ground = useGround({ name: "cgroup", options: { rung: "cgroup" } });
const names = ["w-a", "w-b", "w-c"];
const gone = { timeout: 10_000 };

async function startAll(of = names): Promise<void> {
  const start = (instance: string): Promise<unknown> =>
    ground.sandbox.start({ instance, run: ["sleep", "3600"], files: {} });
  await Promise.all(of.map(start));
}

/** Whether a group is one that the kernel kills as a whole. */
function isKillable(folder: string): boolean {
  return existsSync(join(folder, "cgroup.kill"));
}

/** Puts a process into a group, from outside. */
async function lateIn(folder: string | undefined): Promise<ChildProcess> {
  const late = spawn("sleep", ["3600"], { stdio: "ignore" });
  await once(late, "spawn");
  writeFileSync(join(folder ?? "", "cgroup.procs"), String(late.pid));
  return late;
}

/** The folders of a sandbox's group, one per hierarchy. */
async function groupOf(instance: string): Promise<readonly string[]> {
  const tree = await findCgroups(ground.fleet);
  return tree?.open(instance).joinFiles.map((file) => dirname(file)) ?? [];
}

test("[RU22] those who were struck are proven together, each with what it had", async () => {
  await startAll();
  await ground.sandbox.strike("test");
  const endings = await Promise.all(names.map((name) => kill(ground.sandbox, name)));
  for (const ending of endings) {
    expect(ending?.evidence).toMatchObject({
      grade: "observed",
      facts: { rung: "cgroup", namespace: "gone", cgroup: "empty", started: true },
    });
    // The wrapper, the keeper and the program.
    expect(ending?.evidence.facts["killed"]).toBe(3);
    expect(ending?.outcome).toMatchObject({ signal: "SIGKILL", killed_by: "test" });
    expect(ending?.outcome.cpu_ms).toBeGreaterThanOrEqual(0);
  }
  // Whoever asks again is told the same.
  const again = await Promise.all(names.map((name) => kill(ground.sandbox, name)));
  expect(again).toEqual(endings);
});

test("[RU22] the groups of those who were struck are removed once they are forgotten", async () => {
  await startAll();
  const folders = (await Promise.all(names.map(groupOf))).flat();
  await ground.sandbox.strike("test");
  await Promise.all(names.map((name) => kill(ground.sandbox, name)));
  expect(folders.every((folder) => existsSync(folder))).toBe(true);
  for (const name of names) await ground.sandbox.forget(name);
  expect(await ground.sandbox.list()).toEqual([]);
  await expect.poll(() => folders.filter((one) => existsSync(one)), gone).toEqual([]);
});

test("[RU22] what is not forgotten soon is written down, for a stop that is repeated", async () => {
  await startAll();
  const ended = join(ground.sandbox.folder("w-a"), "ended.json");
  await ground.sandbox.strike("test");
  const ending = await kill(ground.sandbox, "w-a");
  await expect.poll(() => existsSync(ended), gone).toBe(true);
  const other = await ground.open();
  expect((await kill(other, "w-a"))?.outcome).toEqual(ending?.outcome);
  await ground.sandbox.forget("w-a");
});

test("[SB4] another driver knows at once who has killed them all", async () => {
  await startAll();
  await ground.sandbox.strike("test");
  const first = await kill(ground.sandbox, "w-a");
  const other = await ground.open();
  const told = await kill(other, "w-a");
  expect(told?.outcome.killed_by).toBe("test");
  expect(told?.evidence.facts["killed"]).toBe(first?.evidence.facts["killed"]);
  // Also of those whom nobody has ended yet.
  const next = await kill(other, "w-b");
  expect(next?.outcome.killed_by).toBe("test");
  expect(next?.evidence.facts["killed"]).toBe(3);
});

test("[RU22] the note of whom an order has killed goes when none of them is left", async () => {
  await startAll();
  const note = join(ground.folder, "sandboxes", ".struck.json");
  await ground.sandbox.strike("test");
  await Promise.all(names.map((name) => kill(ground.sandbox, name)));
  await ground.open();
  expect(existsSync(note)).toBe(true);
  for (const name of names) await ground.sandbox.forget(name);
  await ground.open();
  expect(existsSync(note)).toBe(false);
});

test("[RU22] groups of the struck do not outlive their driver, forgotten or not", async () => {
  const driver = await ground.open({ rung: "cgroup" });
  await driver.start({ instance: "w-d", run: ["sleep", "3600"], files: {} });
  const folders = await groupOf("w-d");
  await driver.strike("test");
  await kill(driver, "w-d");
  await driver.close();
  expect(folders.filter((one) => existsSync(one))).toEqual([]);
});

test("[SB4] who was asked before, and has hit a limit, is told so by every stop", async () => {
  // It hears no request, and wants more processes than it may have.
  const greedy = "trap '' TERM; for i in 1 2 3 4 5 6 7 8 9; do sleep 3600 & done; wait; sleep 3600";
  const run = ["sh", "-c", greedy] as const;
  await ground.sandbox.start({ instance: "w-a", run, files: {}, limits: { processes: 4 } });
  await expect.poll(async () => (await ground.sandbox.hits("w-a")).length, gone).toBe(1);
  await startAll(["w-b"]);
  const polite = ground.sandbox.stop("w-a", { graceMs: 3_000, deadlineMs: 10_000, by: "polite" });
  await setTimeout(200);
  await ground.sandbox.strike("test");
  // While somebody is left in another group, those who are gone are looked for now and then only.
  const late = await lateIn((await groupOf("w-b")).find(isKillable));
  const endings = await Promise.all([kill(ground.sandbox, "w-a"), polite]);
  const again = await kill(ground.sandbox, "w-a");
  for (const ending of [...endings, again])
    expect(ending?.hits?.map(({ limit }) => limit)).toEqual(["processes"]);
  late.kill("SIGKILL");
});

test("[RU22] what is not written down yet is when its driver closes", async () => {
  const driver = await ground.open({ rung: "cgroup" });
  await driver.start({ instance: "w-d", run: ["sleep", "3600"], files: {} });
  await driver.strike("test");
  const ending = await kill(driver, "w-d");
  await driver.close();
  const text = readFileSync(join(driver.folder("w-d"), "ended.json"), "utf8");
  expect(JSON.parse(text)).toMatchObject({ ...ending?.outcome });
});

test("[RU22] a group in which the order did not reach somebody is not proven by it", async () => {
  await startAll();
  const folders = await groupOf("w-b");
  const other = folders.find((folder) => !isKillable(folder));
  needs(other !== undefined, "a hierarchy of version 1: what is in it alone an order misses");
  const late = await lateIn(other);
  const exited = once(late, "exit");
  const process = readProcess(late.pid ?? 0);
  await ground.sandbox.strike("test");
  const endings = await Promise.all(names.map((name) => kill(ground.sandbox, name)));
  // It was killed by itself before its sandbox was said to be empty.
  expect(process !== undefined && isRunning(process)).toBe(false);
  expect(endings.map((ending) => ending?.evidence.facts["cgroup"])).toEqual([
    "empty",
    "empty and removed",
    "empty",
  ]);
  await exited;
});
