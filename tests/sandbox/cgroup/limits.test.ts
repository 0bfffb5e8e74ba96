import { once } from "node:events";
import { text } from "node:stream/consumers";
import { describe, expect, test } from "vitest";
import { cpuMs, ended, until, useGround } from "./ground.ts";

const ground = useGround();
const megabyte = 1_048_576;

/** Holds so many megabytes of what it reads, says so, and stays. */
const holder = (megabytes: number): readonly string[] => [
  process.execPath,
  "-e",
  `const kept = Buffer.alloc(${megabytes * megabyte}, 1);
   console.log("holds", kept.length); setInterval(() => kept.fill(2), 60_000)`,
];

describe("memory", () => {
  test("[CG1] a process that takes more memory than its group may is killed", async () => {
    const group = await ground.tree("memory").create("w-hungry");
    expect(await group.limit({ memory_bytes: 48 * megabyte })).toBeUndefined();
    const child = ground.start(group, "sh", "-c", "head -c 200m /dev/zero | tail -c 200m; echo $?");
    const written = await text(child.stdout);
    expect(written.slice(-4)).toBe("137\n");
    const use = await group.use();
    expect(use.oom_kill_count).toBeGreaterThanOrEqual(1);
    expect(use.peak_memory_bytes).toBeGreaterThan(40 * megabyte);
    expect(use.peak_memory_bytes).toBeLessThanOrEqual(48 * megabyte);
  });

  test("[CG2] a bound below what is used answers the use, and changes nothing", async () => {
    const group = await ground.tree("memory", "processes").create("w-holder");
    expect(await group.limit({ memory_bytes: 400 * megabyte })).toBeUndefined();
    const child = ground.start(group, ...holder(100));
    await once(child.stdout, "data");
    const over = await group.limit({ memory_bytes: 50 * megabyte, processes: 100, cpu_milli: 500 });
    expect(over?.memory_bytes).toBeGreaterThan(50 * megabyte);
    expect(child.exitCode ?? child.signalCode).toBeNull();
    // Twice as much as was refused still fits: the old bound is in force.
    const second = ground.start(group, ...holder(100));
    await once(second.stdout, "data");
    expect((await group.use()).oom_kill_count).toBe(0);
  });

  test("[CG2] a bound that fits is lowered and raised", async () => {
    const group = await ground.tree("memory").create("w-changing");
    const child = ground.start(group, ...holder(60));
    await once(child.stdout, "data");
    for (const megabytes of [400, 250, 180, 250, 600]) {
      expect(await group.limit({ memory_bytes: megabytes * megabyte })).toBeUndefined();
    }
    expect((await group.use()).oom_kill_count).toBe(0);
  });
});

describe("processes", () => {
  // Starts as many processes as it is let, says how many, and stays.
  const starter = `
    for (1..50) {
      my $pid = fork(); last if !defined $pid;
      if ($pid == 0) { sleep 1000; exit }
      $n++;
    }
    $| = 1; print "$n\\n"; sleep 1000`;

  test("[CG3] a group at its bound of processes starts no other", async () => {
    const group = await ground.tree("processes").create("w-many");
    expect(await group.limit({ processes: 8 })).toBeUndefined();
    const child = ground.start(group, "perl", "-e", starter);
    expect(String((await once(child.stdout, "data"))[0])).toBe("7\n");
    expect((await group.use()).processes).toBe(8);
    expect(await group.members()).toHaveLength(8);
  });

  test("[CG3] a bound below what runs answers the use, and changes nothing", async () => {
    const group = await ground.tree("processes").create("w-many");
    await group.limit({ processes: 8 });
    const child = ground.start(group, "perl", "-e", starter);
    await once(child.stdout, "data");
    expect(await group.limit({ processes: 7 })).toMatchObject({ processes: 8 });
    expect(await group.limit({ processes: 9 })).toBeUndefined();
    const other = ground.start(group, "true");
    expect(await ended(other)).toBe(0);
  });
});

describe("processor", () => {
  test("[CG4] a group gets its thousandths of a core, and no more", async () => {
    const group = await ground.tree("cpu").create("w-busy");
    expect(await group.limit({ cpu_milli: 100 })).toBeUndefined();
    ground.start(group, "sh", "-c", "while :; do :; done");
    const before = await until(
      () => cpuMs(group),
      (ms) => ms > 10,
    );
    const beganAtMs = performance.now();
    const after = await until(
      () => cpuMs(group),
      (ms) => ms >= before + 100,
    );
    // A tenth of a core: 100 ms of it take about a second, however idle the host is.
    expect((after - before) / (performance.now() - beganAtMs)).toBeLessThan(0.2);
  });

  test("[CG4] a share below what one period can hold is counted over a longer one", async () => {
    const group = await ground.tree("cpu").create("w-slow");
    for (const cpu_milli of [1, 9, 10, 1_500, 5, 64_000]) {
      expect(await group.limit({ cpu_milli })).toBeUndefined();
    }
    await group.limit({ cpu_milli: 2 });
    const child = ground.start(group, "sh", "-c", "echo here; while :; do :; done");
    await once(child.stdout, "data");
    const beganAtMs = performance.now();
    const before = await cpuMs(group);
    await until(
      () => cpuMs(group),
      (ms) => ms > before,
    );
    const shareOf = (await cpuMs(group)) - before;
    expect(shareOf / Math.max(1_000, performance.now() - beganAtMs)).toBeLessThan(0.05);
  });
});
