// What one order has killed is proven together; see src/sandbox/process/end/felled.ts.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { findCgroups } from "../../src/sandbox/cgroup/find.ts";
import { isRunning, readProcess } from "../../src/system/process.ts";
import { needs } from "../support/require-all.ts";
import { kill, useGround } from "./state-folder.ts";

const ground = useGround({ name: "cgroup", options: { rung: "cgroup" } });
const names = ["w-a", "w-b", "w-c"];
const gone = { timeout: 10_000 };

async function startAll(): Promise<void> {
  const start = (instance: string): Promise<unknown> =>
    ground.sandbox.start({ instance, run: ["sleep", "3600"], files: {} });
  await Promise.all(names.map(start));
}

/** The folders of a sandbox's group, one per hierarchy. */
async function groupOf(instance: string): Promise<readonly string[]> {
  const tree = await findCgroups(ground.fleet);
  return tree?.open(instance).joinFiles.map((file) => dirname(file)) ?? [];
}

test("[RU22] those who were struck are proven together, each with what it had", async () => {
  await startAll();
  await ground.sandbox.strike();
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
  await ground.sandbox.strike();
  await Promise.all(names.map((name) => kill(ground.sandbox, name)));
  expect(folders.every((folder) => existsSync(folder))).toBe(true);
  for (const name of names) await ground.sandbox.forget(name);
  expect(await ground.sandbox.list()).toEqual([]);
  await expect.poll(() => folders.filter((one) => existsSync(one)), gone).toEqual([]);
});

test("[RU22] what is not forgotten soon is written down, for a stop that is repeated", async () => {
  await startAll();
  const ended = join(ground.sandbox.folder("w-a"), "ended.json");
  await ground.sandbox.strike();
  const ending = await kill(ground.sandbox, "w-a");
  await expect.poll(() => existsSync(ended), gone).toBe(true);
  const other = await ground.open();
  expect((await kill(other, "w-a"))?.outcome).toEqual(ending?.outcome);
  await ground.sandbox.forget("w-a");
});

test("[RU22] what is not written down yet is when its driver closes", async () => {
  const driver = await ground.open({ rung: "cgroup" });
  await driver.start({ instance: "w-d", run: ["sleep", "3600"], files: {} });
  await driver.strike();
  const ending = await kill(driver, "w-d");
  await driver.close();
  const text = readFileSync(join(driver.folder("w-d"), "ended.json"), "utf8");
  expect(JSON.parse(text)).toMatchObject({ ...ending?.outcome });
});

test("[RU22] a group in which the order did not reach somebody is not proven by it", async () => {
  await startAll();
  const folders = await groupOf("w-b");
  const other = folders.find((folder) => !existsSync(join(folder, "cgroup.kill")));
  needs(other !== undefined, "a hierarchy of version 1: what is in it alone an order misses");
  const late = spawn("sleep", ["3600"], { stdio: "ignore" });
  const exited = once(late, "exit");
  await once(late, "spawn");
  writeFileSync(join(other, "cgroup.procs"), String(late.pid));
  const process = readProcess(late.pid ?? 0);
  await ground.sandbox.strike();
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
