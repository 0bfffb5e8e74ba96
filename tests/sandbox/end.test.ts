// What ends many sandboxes at once is spared: nothing of it is seen from outside but the time.
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { SILENT } from "../../src/ports/log.ts";
import { Debris } from "../../src/sandbox/folder/debris.ts";
import { Turns } from "../../src/sandbox/process/end/turns.ts";
import { kill, useGround } from "./state-folder.ts";

const ground = useGround();

test("[SB32] an exit by a stop is in the one note that the stop writes", async () => {
  await ground.sandbox.start({ instance: "w-a", run: ["sleep", "600"], files: {} });
  const first = await kill(ground.sandbox, "w-a");
  const folder = ground.sandbox.folder("w-a");
  expect(existsSync(join(folder, "exit.json"))).toBe(false);
  const ended = JSON.parse(readFileSync(join(folder, "ended.json"), "utf8")) as object;
  expect(ended).toMatchObject({ exit: { code: null, signal: "SIGKILL" } });
  const other = await ground.open();
  expect((await kill(other, "w-a"))?.outcome).toEqual(first?.outcome);
});

test("[SB32] an exit that a stop could not tell of is written down after it", async () => {
  await ground.sandbox.start({ instance: "w-a", run: ["sleep", "600"], files: {} });
  const folder = ground.sandbox.folder("w-a");
  // A folder in its place: what was measured at the end finds no room.
  mkdirSync(join(folder, "ended.json"));
  await kill(ground.sandbox, "w-a");
  const exit = JSON.parse(readFileSync(join(folder, "exit.json"), "utf8")) as object;
  expect(exit).toEqual({ code: null, signal: "SIGKILL" });
  rmSync(join(folder, "ended.json"), { recursive: true });
});

test("[SB8] a forgotten sandbox is not listed, its folder is gone when its driver is", async () => {
  const driver = await ground.open();
  await driver.start({ instance: "w-a", run: ["true"], files: {} });
  await kill(driver, "w-a");
  await driver.forget("w-a");
  expect(await driver.list()).toEqual([]);
  await driver.close();
  expect(readdirSync(join(ground.folder, "sandboxes"))).toEqual([]);
});

test("debris is removed in a quiet moment, without anybody asking for it", async () => {
  const folder = mkdtempSync(join(tmpdir(), "stint-debris-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const debris = new Debris(SILENT);
  for (const name of ["a", "b"]) {
    mkdirSync(join(folder, name, "below"), { recursive: true });
    const path = join(folder, name);
    debris.add({ what: path, remove: () => rm(path, { recursive: true }) });
  }
  expect(readdirSync(folder)).toEqual(["a", "b"]);
  await expect.poll(() => readdirSync(folder), { timeout: 10_000 }).toEqual([]);
  await debris.close();
});

test("so many have their turn at a time, in the order in which they came", async () => {
  const turns = new Turns(2);
  const begun: number[] = [];
  const gates = [0, 1, 2, 3].map(() => Promise.withResolvers<number>());
  const taken = gates.map(({ promise }, index) =>
    turns.take(async () => {
      begun.push(index);
      return promise;
    }),
  );
  await Promise.resolve();
  expect(begun).toEqual([0, 1]);
  gates[1]?.resolve(10);
  expect(await taken[1]).toBe(10);
  await expect.poll(() => begun).toEqual([0, 1, 2]);
  // One that fails passes its turn on as well.
  gates[2]?.reject(new Error("it broke"));
  await expect(taken[2]).rejects.toThrow("it broke");
  await expect.poll(() => begun).toEqual([0, 1, 2, 3]);
  gates[0]?.resolve(1);
  gates[3]?.resolve(4);
  expect(await Promise.all([taken[0], taken[3]])).toEqual([1, 4]);
});

test("one that keeps its turn from others loses it to them after a moment", async () => {
  const turns = new Turns(1);
  const stuck = Promise.withResolvers<string>();
  const first = turns.take(() => stuck.promise);
  expect(await turns.take(async () => "second")).toBe("second");
  stuck.resolve("first");
  expect(await first).toBe("first");
});
