import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { commandOf } from "../../support/process-table.ts";
import { needsProgram } from "../../support/require-all.ts";
import { HeldPipe } from "../holding.ts";
import { cpuMs, ended, joined, until, useGround } from "./ground.ts";

const ground = useGround();
let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "stint-cgroup-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const busy = ["sh", "-c", "while :; do :; done"];

/** As many processes as a storm may have at a time. */
const stormProcesses = 40;

describe("freezing", () => {
  test("[CG5] a frozen group stands still while another runs", async () => {
    const tree = ground.tree("freeze");
    const [frozen, other] = [await tree.create("w-frozen"), await tree.create("w-other")];
    for (const group of [frozen, other]) ground.start(group, ...busy);
    for (const group of [frozen, other]) {
      await until(
        () => cpuMs(group),
        (ms) => ms > 10,
      );
    }
    expect(await frozen.freeze(5_000)).toBe(true);
    const [atFirst, otherAtFirst] = [await cpuMs(frozen), await cpuMs(other)];
    await until(
      () => cpuMs(other),
      (ms) => ms > otherAtFirst + 200,
    );
    expect(await cpuMs(frozen)).toBe(atFirst);
    await frozen.thaw();
    await until(
      () => cpuMs(frozen),
      (ms) => ms > atFirst + 20,
    );
  });

  test("[CG5] an empty group freezes, and so does what joins it", async () => {
    const group = await ground.tree("freeze").create("w-empty");
    expect(await group.freeze(5_000)).toBe(true);
    const child = ground.start(group, "echo", "ran");
    const written: string[] = [];
    child.stdout.on("data", (chunk: Buffer) => written.push(chunk.toString()));
    await joined(group, child);
    // It has come as far as its last join, and no further.
    expect(commandOf(child.pid ?? 0)).toMatch(/^sh /);
    expect(written).toEqual([]);
    const end = once(child.stdout, "end");
    await group.thaw();
    await end;
    expect(written).toEqual(["ran\n"]);
  });
});

describe("killing", () => {
  for (const isFrozen of [false, true]) {
    test(`[CG6] a ${isFrozen ? "frozen" : "running"} fork storm dies`, async () => {
      needsProgram("perl");
      const group = await ground.tree("kill", "freeze", "processes").create("w-storm");
      await group.limit({ processes: stormProcesses });
      const pipe = new HeldPipe(folder);
      const child = ground.start(
        group,
        "perl",
        join(import.meta.dirname, "fixtures/storm.pl"),
        pipe.path,
      );
      await pipe.ready(stormProcesses * 2);
      expect(!isFrozen || (await group.freeze(5_000))).toBe(true);
      await group.kill();
      await until(
        () => group.isEmpty(),
        (isEmpty) => isEmpty,
      );
      expect(await pipe.isReleased(5_000)).toBe(true);
      expect(await ended(child)).toBe("SIGKILL");
      await group.remove();
    });
  }

  test("[CG6] what is in the group by one hierarchy only dies too", async () => {
    const tree = ground.tree("kill");
    const group = await tree.create("w-half");
    // A start that was cut short between two of its joins, for each of them.
    for (const file of group.joinFiles) {
      const part = { ...group, joinFiles: [file] };
      const child = ground.start(part, "sleep", "1000");
      await joined(part, child);
      await group.kill();
      expect(await ended(child)).toBe("SIGKILL");
      expect(await group.isEmpty()).toBe(true);
    }
  });

  test("[CG7] a group with a process is not removed, an empty one is", async () => {
    const tree = ground.tree("kill");
    const group = await tree.create("w-full");
    const child = ground.start(group, "sleep", "1000");
    await joined(group, child);
    expect(await group.isEmpty()).toBe(false);
    await expect(group.remove()).rejects.toMatchObject({ code: "sandbox_failed", retryable: true });
    expect(await tree.list()).toEqual(["w-full"]);
    await group.kill();
    expect(await ended(child)).toBe("SIGKILL");
    await group.remove();
    await group.remove();
    expect(await tree.list()).toEqual([]);
    expect(await group.isEmpty()).toBe(true);
    expect(await group.use()).toEqual({});
  });

  test("[CG7] groups that a worker made below its own go with it", async () => {
    const tree = ground.tree("kill");
    const group = await tree.create("w-nesting");
    const below = group.joinFiles.map((file) => join(dirname(file), "below", "deeper"));
    for (const one of below) mkdirSync(one, { recursive: true });
    const joinFiles = below.map((one) => join(one, "cgroup.procs"));
    const child = ground.start({ ...group, joinFiles }, "sleep", "1000");
    await joined({ ...group, joinFiles }, child);
    expect(await group.members()).toEqual([child.pid]);
    expect(await group.isEmpty()).toBe(false);
    await group.kill();
    expect(await ended(child)).toBe("SIGKILL");
    await group.remove();
    expect(await tree.list()).toEqual([]);
  });
});

test("a launcher that writes its pid has joined as well", async () => {
  const group = await ground.tree("kill").create("w-joined");
  const child = ground.start({ ...group, joinFiles: [] }, "sleep", "1000");
  for (const file of group.joinFiles) writeFileSync(file, String(child.pid));
  expect(await group.members()).toEqual([child.pid]);
});
