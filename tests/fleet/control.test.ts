import { spawn } from "node:child_process";
import { expect, onTestFinished, test } from "vitest";
import { awaitGone } from "../support/process-table.ts";
import { makeField, RUNGS } from "./field.ts";

test("[PF1] without Stint a kill of a process group leaves survivors, by both counts", async () => {
  const field = await makeField("process-group");
  const [program = "", ...args] = field.command();
  expect(field.isHeld()).toBe(false);
  const plain = spawn(program, args, { detached: true, stdio: "ignore" });
  onTestFinished(async () => {
    for (const { pid } of field.living()) process.kill(pid, "SIGKILL");
    await awaitGone(field.living(), 5_000);
  });
  await expect.poll(() => field.living().length).toBe(2);
  const group = field.living().filter((row) => row.groupId === plain.pid);
  expect(group).toHaveLength(1);
  // What a shell, a timeout or a process manager does.
  process.kill(-(plain.pid ?? Number.NaN), "SIGKILL");
  expect(await awaitGone(group, 5_000)).toEqual([]);
  expect(field.living()).toHaveLength(1);
  expect(field.isHeld()).toBe(true);
});

test.each(RUNGS)("[PF2] on the rung %s a kill leaves none, by both counts", async (rung) => {
  const field = await makeField(rung);
  await field.supervise();
  const ids = [await field.spawnWorker(), await field.spawnWorker()];
  expect(field.isHeld()).toBe(true);
  const killed = await field.call(["kill", "--reason", "drill", "--yes", "--json"]);
  expect(field.living()).toEqual([]);
  expect(field.isHeld()).toBe(false);
  const { receipt } = killed.json().data;
  const grade = rung === "process-group" ? "swept" : "observed";
  expect(receipt).toMatchObject({ survivor_count: 0, grades: { [grade]: 2 } });
  expect(receipt.workers.map((one: { readonly id: string }) => one.id).toSorted()).toEqual(
    ids.toSorted(),
  );
  expect(killed.exit).toBe(rung === "process-group" ? 6 : 0);
});
