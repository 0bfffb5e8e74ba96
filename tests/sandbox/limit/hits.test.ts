import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { HitLimit, LimitHit } from "../../../src/kernel/worker/limit.ts";
import type { Sandbox, SandboxSpec } from "../../../src/ports/sandbox.ts";
import { HeldPipe } from "../holding.ts";
import { CASES, ENCLOSED } from "../rungs.ts";
import { kill, useGround } from "../state-folder.ts";

const MIB = 2 ** 20;

/** A sandbox whose program is a script of the shell, its arguments after it. */
function script(text: string, ...more: readonly string[]): Pick<SandboxSpec, "instance" | "run"> {
  return { instance: "w-a", run: ["bash", "-c", text, "bash", ...more] };
}

async function hitOf(sandbox: Sandbox, limit: HitLimit): Promise<LimitHit | undefined> {
  return (await sandbox.hits("w-a")).find((hit) => hit.limit === limit);
}

/** Waits until a limit is seen to have been hit. */
async function untilHit(sandbox: Sandbox, limit: HitLimit): Promise<LimitHit> {
  await expect.poll(() => hitOf(sandbox, limit), { timeout: 10_000 }).toBeDefined();
  const hit = await hitOf(sandbox, limit);
  if (hit === undefined) throw new Error(`${limit} must stay hit, it was a moment ago`);
  return hit;
}

describe.each(ENCLOSED.slice(0, 1))("on the rung $name", (on) => {
  const ground = useGround(on);

  test("[LH3] a part of a worker that is killed for memory is told, and it lives on", async () => {
    const pipe = new HeldPipe(ground.folder);
    const hog = `
      exec 9> "$1"
      for i in 1 2; do head -c 256M /dev/zero | tail > /dev/null; done
      echo "ready $$" >&9
      sleep 60`;
    const limits = { memory_bytes: 64 * MIB };
    await ground.sandbox.start({ ...script(hog, pipe.path), files: {}, limits });
    await pipe.ready(1);
    const hit = await untilHit(ground.sandbox, "memory_bytes");
    expect(hit).toMatchObject({ value: 64 * MIB, count: 2 });
    expect(hit.use).toBeGreaterThan(60 * MIB);
    expect(hit.use).toBeLessThanOrEqual(65 * MIB);
    expect((await ground.sandbox.list()).map(({ seen }) => seen)).toEqual(["alive"]);
    // Whoever did not start it is told the same by its group.
    expect(await hitOf(await ground.open(), "memory_bytes")).toMatchObject({ count: 2 });
    const ending = await kill(await ground.open(), "w-a");
    expect(ending?.hits).toEqual([{ ...hit, limit: "memory_bytes" }]);
  });

  test("[LH4] a fork that is refused is told, with how many processes there may be", async () => {
    const forks = "i=0; while [ $i -lt 40 ]; do sleep 60 & i=$((i+1)); done 2> /dev/null; wait";
    const limits = { processes: 10 };
    await ground.sandbox.start({ ...script(forks), files: {}, limits });
    const hit = await untilHit(ground.sandbox, "processes");
    // What Stint itself runs in the group is not counted.
    expect(hit).toMatchObject({ value: 10, use: 10 });
    expect(hit.count).toBeGreaterThan(0);
    const [told] = (await kill(ground.sandbox, "w-a"))?.hits ?? [];
    expect(told?.count).toBeGreaterThanOrEqual(hit.count);
  });

  test("[LH4] a worker that stays below its limits hits none", async () => {
    const exited = new Promise((resolve) => ground.sandbox.onExit(resolve));
    const limits = {
      memory_bytes: 256 * MIB,
      processes: 50,
      wall_ms: 60_000,
      open_files: 256,
      output_bytes: MIB,
    };
    await ground.sandbox.start({ ...script("sleep 0.1; echo done"), files: {}, limits });
    await exited;
    expect((await kill(ground.sandbox, "w-a"))?.hits).toEqual([]);
  });

  test("[LH7] a process with all descriptors open is told once as long as it is so", async () => {
    const pipe = new HeldPipe(ground.folder);
    const hog = `
      open(my $held, ">", $ARGV[0]);
      while (open(my $one, "<", "/dev/null")) { push @all, $one }
      syswrite($held, "ready $$\\n");
      sleep 60`;
    const limits = { open_files: 100 };
    const run = ["perl", "-e", hog, pipe.path] as const;
    await ground.sandbox.start({ instance: "w-a", run: [...run], files: {}, limits });
    await pipe.ready(1);
    const hit = await untilHit(ground.sandbox, "open_files");
    expect(hit).toMatchObject({ value: 100, count: 1 });
    // What a program inherits may lie above the limit, and counts.
    expect(hit.use).toBeGreaterThanOrEqual(100);
    expect((await hitOf(ground.sandbox, "open_files"))?.count).toBe(1);
    expect((await kill(ground.sandbox, "w-a"))?.hits).toEqual([hit]);
  });
});

describe.each(ENCLOSED)("on the rung $name", (on) => {
  const ground = useGround(on);

  test("[LH7] a worker does not lift its limit of open files, root or not", async () => {
    const sink = outputOf();
    const sandbox = await ground.open({ output: sink.open });
    const exited = new Promise((resolve) => sandbox.onExit(resolve));
    const lift = script("ulimit -Hn 101 2> /dev/null || echo refused; ulimit -Hn");
    await sandbox.start({ ...lift, files: {}, limits: { open_files: 100 } });
    await exited;
    await kill(sandbox, "w-a");
    expect(sink.text().trim().split("\n")).toEqual(["refused", "100"]);
  });

  test("[LH9] a full room for temporary files is told when it is looked at", async () => {
    const pipe = new HeldPipe(ground.folder);
    const hog = `
      exec 9> "$1"
      head -c 4M /dev/zero > /tmp/full 2> /dev/null
      echo "ready $$" >&9
      sleep 60`;
    // A checkout in a folder for temporary files is not to be seen from inside.
    const own = { cwd: "/", writable: [ground.folder], scratchBytes: MIB };
    await ground.sandbox.start({ ...script(hog, pipe.path), files: {}, ...own });
    await pipe.ready(1);
    const hit = await untilHit(ground.sandbox, "scratch_bytes");
    expect(hit).toEqual({ limit: "scratch_bytes", value: MIB, use: MIB, count: 1 });
  });
});

describe.each(CASES)("on the rung $name", (on) => {
  const ground = useGround(on);

  test("[LH7] no process may open more than it is given, nor leave a core file", async () => {
    const sink = outputOf();
    const sandbox = await ground.open({ output: sink.open });
    const exited = new Promise((resolve) => sandbox.onExit(resolve));
    const ask = "ulimit -Sn; ulimit -Hn; ulimit -Hc; n=0; while exec {fd}< /dev/null; do :; done";
    const run = script(`${ask} 2> /dev/null; echo $fd`);
    await sandbox.start({ ...run, files: {}, limits: { open_files: 100 } });
    await exited;
    await kill(sandbox, "w-a");
    expect(sink.text().trim().split("\n")).toEqual(["100", "100", "0", "99"]);
  });

  test("[LH7] what the host itself has fewer of is what there is", async () => {
    const sink = outputOf();
    const sandbox = await ground.open({ output: sink.open });
    const exited = new Promise((resolve) => sandbox.onExit(resolve));
    const run = script("ulimit -Hn");
    await sandbox.start({ ...run, files: {}, limits: { open_files: 2 ** 30 } });
    await exited;
    await kill(sandbox, "w-a");
    const hard = /^Max open files +\S+ +(\S+)/m.exec(
      readFileSync("/proc/self/limits", "utf8"),
    )?.[1];
    expect(sink.text().trim()).toBe(hard);
  });

  test("[LH5] time that is over is told with how much it was, also by others", async () => {
    const exited = new Promise((resolve) => ground.sandbox.onExit(resolve));
    const limits = { wall_ms: 200 };
    await ground.sandbox.start({ ...script("sleep 60"), files: {}, limits });
    await exited;
    const other = await ground.open();
    const [hit, ...others] = (await kill(other, "w-a"))?.hits ?? [];
    expect(others).toEqual([]);
    expect(hit).toMatchObject({ limit: "wall_ms", value: 200, count: 1 });
    expect(hit?.use).toBeGreaterThanOrEqual(200);
    expect((await kill(ground.sandbox, "w-a"))?.hits).toEqual([hit]);
  });

  test("[LH6] output that is cut back in its file is told, with how much there was", async () => {
    const pipe = new HeldPipe(ground.folder);
    const flood = 'exec 9> "$1"; head -c 300000 /dev/zero; echo "ready $$" >&9; sleep 60';
    const limits = { output_bytes: 100_000 };
    await ground.sandbox.start({ ...script(flood, pipe.path), files: {}, limits });
    await pipe.ready(1);
    await ground.sandbox.list();
    const hit = await untilHit(ground.sandbox, "output_bytes");
    expect(hit).toEqual({ limit: "output_bytes", value: 100_000, use: 300_000, count: 1 });
    const file = join(ground.sandbox.folder("w-a"), "output.log");
    expect(readFileSync(file).length).toBeLessThan(51_000);
  });
});

/** A sink that keeps what it is given. */
function outputOf() {
  const chunks: Uint8Array[] = [];
  const open = async () => ({
    write: async (_stream: string, chunk: Uint8Array) => void chunks.push(chunk),
    close: async () => undefined,
  });
  return { open, text: () => Buffer.concat(chunks).toString("utf8") };
}
