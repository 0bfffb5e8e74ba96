import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { seededRandom } from "../../../src/testing/seeded-random.ts";
import { HeldPipe } from "../holding.ts";
import { CASES, ENCLOSED } from "../rungs.ts";
import { fixtures, kill, marked, useGround } from "../state-folder.ts";

const daemons = join(fixtures, "daemons.sh");
const MIB = 2 ** 20;

describe.each(ENCLOSED.slice(0, 1))("on the rung $name", (on) => {
  const ground = useGround(on);

  test("[RU17] a worker that takes more memory than it may is killed, as is told", async () => {
    const exited = new Promise((resolve) => ground.sandbox.onExit(resolve));
    const limits = { memory_bytes: 96 * MIB };
    const hog = "const all = []; for (;;) all.push(Buffer.alloc(2 ** 20, 1));";
    const run = [process.execPath, "-e", hog] as const;
    await ground.sandbox.start({ instance: "w-a", run: [...run], files: {}, limits });
    await exited;
    const outcome = (await kill(ground.sandbox, "w-a"))?.outcome;
    expect(outcome).toMatchObject({ oom_killed: true, signal: "SIGKILL" });
    expect(outcome?.killed_by).toBeUndefined();
    expect(outcome?.peak_memory_bytes).toBeGreaterThan(64 * MIB);
    expect(outcome?.peak_memory_bytes).toBeLessThanOrEqual(97 * MIB);
  });

  test("[RU17] a worker has all of the processes it is granted, and not one more", async () => {
    const script = `
      i=0; while [ $i -lt 20 ]; do (sleep 60) & i=$((i+1)); done 2> /dev/null
      wait`;
    const limits = { processes: 10 };
    const run = ["bash", "-c", script] as const;
    await ground.sandbox.start({ instance: "w-a", run: [...run], files: {}, limits });
    await expect
      .poll(async () => (await ground.sandbox.use("w-a"))?.processes, { timeout: 10_000 })
      .toBe(10);
    // With the two that Stint has put around it.
    expect(marked(ground.fleet).length).toBe(12);
  });

  test("[RU17] what a worker has used is told when it has ended", async () => {
    const exited = new Promise((resolve) => ground.sandbox.onExit(resolve));
    const burn = "const end = Date.now() + 300; while (Date.now() < end);";
    const run = [process.execPath, "-e", burn] as const;
    await ground.sandbox.start({ instance: "w-a", run: [...run], files: {} });
    await exited;
    const first = (await kill(ground.sandbox, "w-a"))?.outcome;
    expect(first?.cpu_ms).toBeGreaterThan(50);
    expect(first?.peak_memory_bytes).toBeGreaterThan(10 * MIB);
    expect((await kill(ground.sandbox, "w-a"))?.outcome).toEqual(first);
    // Another process tells the same, though the group is gone.
    expect((await kill(await ground.open(), "w-a"))?.outcome).toEqual(first);
  });

  test("[RU17] a limit is never set below what is used, and another may be set", async () => {
    const pipe = new HeldPipe(ground.folder);
    const hold = `
      const held = Buffer.alloc(64 * 2 ** 20, 1);
      require("fs").writeFileSync(process.argv[1], "ready " + held.length + "\\n");
      setTimeout(() => console.log(held.length), 60_000)`;
    const limits = { memory_bytes: 512 * MIB, cpu_milli: 2_000 };
    const run = [process.execPath, "-e", hold, pipe.path] as const;
    await ground.sandbox.start({ instance: "w-a", run: [...run], files: {}, limits });
    await pipe.ready(1);
    const over = await ground.sandbox.limit("w-a", { memory_bytes: 16 * MIB });
    expect(over?.memory_bytes).toBeGreaterThan(64 * MIB);
    expect(await ground.sandbox.limit("w-a", { memory_bytes: 256 * MIB })).toBeUndefined();
    expect((await ground.sandbox.list()).map(({ seen }) => seen)).toEqual(["alive"]);
  });
});

describe.each(CASES)("on the rung $name", (on) => {
  const ground = useGround(on);

  test("[SB43] time that is over ends all of a worker, as who stops it later hears", async () => {
    const pipe = new HeldPipe(ground.folder);
    const exited = new Promise((resolve) => ground.sandbox.onExit(resolve));
    const hides = on.options.rung === "process-group" ? "0" : "3";
    const run = [daemons, pipe.path, hides] as const;
    await ground.sandbox.start({ instance: "w-a", run: [...run], files: {} });
    await pipe.ready(1 + Number(hides));
    await ground.sandbox.limit("w-a", { wall_ms: 1 });
    await exited;
    expect(await pipe.isReleased(10_000)).toBe(true);
    const other = await ground.open();
    const outcome = (await kill(other, "w-a"))?.outcome;
    expect(outcome).toMatchObject({ timed_out: true, killed_by: "wall_ms" });
  });

  test("[SB47] what is frozen is not ended by its time before it is thawed", async () => {
    await ground.sandbox.start({ instance: "w-a", run: ["sleep", "60"], files: {} });
    await ground.sandbox.freeze("w-a");
    const exited = new Promise((resolve) => ground.sandbox.onExit(resolve));
    await ground.sandbox.limit("w-a", { wall_ms: 1 });
    await ground.sandbox.list();
    await ground.sandbox.list();
    expect((await ground.sandbox.list()).map(({ seen }) => seen)).toEqual(["alive"]);
    await ground.sandbox.thaw("w-a");
    await exited;
    expect((await kill(ground.sandbox, "w-a"))?.outcome).toMatchObject({ timed_out: true });
  });

  test("[SB48] a slow sink makes a worker wait, and none of its output is lost", async () => {
    const random = seededRandom(`slow sink on ${on.name}`);
    let takenBytes = 0;
    let isClosed = false;
    const release = Promise.withResolvers<void>();
    const sandbox = await ground.open({
      output: async () => ({
        write: async (_stream, chunk) => {
          takenBytes += chunk.length;
          await release.promise;
          for (let turn = random.below(3); turn > 0; turn -= 1) await new Promise(setImmediate);
        },
        close: async () => {
          isClosed = true;
        },
      }),
    });
    const exited = new Promise((resolve) => sandbox.onExit(resolve));
    const run = ["sh", "-c", "head -c 3000000 /dev/zero"] as const;
    await sandbox.start({ instance: "w-a", run: [...run], files: {} });
    await expect.poll(() => takenBytes).toBeGreaterThan(0);
    await sandbox.list();
    // What is neither taken nor in a pipe was not written yet.
    expect(takenBytes).toBeLessThan(1_000_000);
    expect((await sandbox.list()).map(({ seen }) => seen)).toEqual(["alive"]);
    release.resolve();
    await exited;
    await kill(sandbox, "w-a");
    expect(takenBytes).toBe(3_000_000);
    expect(isClosed).toBe(true);
  });
});
