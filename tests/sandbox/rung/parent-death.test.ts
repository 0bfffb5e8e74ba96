import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { describe, expect, test } from "vitest";
import { findCgroups } from "../../../src/sandbox/cgroup/find.ts";
import { seededRandom } from "../../../src/testing/seeded-random.ts";
import { HeldPipe } from "../holding.ts";
import { type Case, CASES, ENCLOSED } from "../rungs.ts";
import { fixtures, type Ground, kill, marked, useGround } from "../state-folder.ts";

const daemons = join(fixtures, "daemons.sh");
const releaseMs = 10_000;
const rounds = 5;

function parentOf(
  { ground, on }: { ground: Ground; on: Case },
  count: number,
  run: readonly string[],
): ChildProcess {
  const fixture = join(import.meta.dirname, "../fixtures/parent.ts");
  const options = JSON.stringify(on.options);
  const args = [fixture, ground.folder, ground.fleet, options, String(count), ...run];
  return spawn(process.execPath, args, { stdio: ["pipe", "pipe", "inherit"] });
}

async function firstLine(child: ChildProcess): Promise<string> {
  if (child.stdout === null) throw new Error("a fixture has an output");
  for await (const line of createInterface({ input: child.stdout })) return line;
  throw new Error("a fixture says something before it ends");
}

describe.each(ENCLOSED)("on the rung $name", (on) => {
  const ground = useGround(on);

  test("[RU3] workers die with the process that started them, however it dies", async () => {
    const pipe = new HeldPipe(ground.folder);
    const parent = parentOf({ ground, on }, 3, [daemons, pipe.path, "2"]);
    const exited = once(parent, "exit");
    expect(await firstLine(parent)).toMatch(/^started/);
    await pipe.ready(9);
    parent.kill("SIGKILL");
    await exited;
    // Nobody has stopped anything.
    expect(await pipe.isReleased(releaseMs)).toBe(true);
    await expect.poll(() => marked(ground.fleet)).toEqual([]);
    // What is ending shows no mark for a moment before it is gone.
    const seen = async () => (await ground.sandbox.list()).map((record) => record.seen);
    await expect.poll(seen).toEqual(["gone", "gone", "gone"]);
    const endings = await Promise.all(["w-0", "w-1", "w-2"].map((id) => kill(ground.sandbox, id)));
    expect(endings.map((ending) => ending?.evidence.grade)).toEqual(Array(3).fill("observed"));
    // Nobody was told how they ended, and nobody says so.
    expect(endings.map((ending) => ending?.outcome.signal)).toEqual(Array(3).fill(undefined));
  });

  test("[RU3] at whatever moment of a start it dies, nothing is left running", async () => {
    const random = seededRandom(`kill the parent on ${on.name}`);
    for (let round = 0; round < rounds; round += 1) {
      const parent = parentOf({ ground, on }, 50, ["sleep", "60"]);
      const exited = once(parent, "exit");
      const target = random.below(12);
      await expect.poll(() => marked(ground.fleet).length, { interval: 1 }).toBeGreaterThan(target);
      parent.kill("SIGKILL");
      await exited;
      await expect.poll(() => marked(ground.fleet), { timeout: releaseMs }).toEqual([]);
      for (const { instance } of await ground.sandbox.list()) {
        expect((await kill(ground.sandbox, instance))?.evidence.grade).toBe("observed");
        await ground.sandbox.forget(instance);
      }
    }
    expect((await (await findCgroups(ground.fleet))?.list()) ?? []).toEqual([]);
  }, 60_000);
});

describe.each(CASES)("on the rung $name", (on) => {
  const ground = useGround(on);

  test("[RU4] what a dead starter has left is found and cleared away by the next", async () => {
    const parent = parentOf({ ground, on }, 3, ["sleep", "60"]);
    const exited = once(parent, "exit");
    expect(await firstLine(parent)).toMatch(/^started/);
    parent.kill("SIGKILL");
    await exited;
    const next = await ground.open();
    const found = await next.list();
    expect(found.map(({ instance }) => instance)).toEqual(["w-0", "w-1", "w-2"]);
    for (const { instance } of found) {
      expect(await kill(next, instance)).toBeDefined();
      await next.forget(instance);
    }
    expect(marked(ground.fleet)).toEqual([]);
    expect(await next.list()).toEqual([]);
    expect((await (await findCgroups(ground.fleet))?.list()) ?? []).toEqual([]);
  });
});

describe.each(ENCLOSED.slice(0, 1))("on the rung $name", (on) => {
  const ground = useGround(on);

  test("[RU4] an empty control group without a folder is removed by a listing", async () => {
    const tree = await findCgroups(ground.fleet);
    await tree?.create("w-lost");
    await ground.sandbox.start({ instance: "w-a", run: ["sleep", "60"], files: {} });
    await ground.sandbox.list();
    expect(await tree?.list()).toEqual(["w-a"]);
  });
});
