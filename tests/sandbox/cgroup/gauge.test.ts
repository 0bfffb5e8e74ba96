import { once } from "node:events";
import { expect, test } from "vitest";
import { ended, until, useGround } from "./ground.ts";

const ground = useGround();
const megabyte = 1_048_576;

/** Holds 100 MB of what it reads, says so, and computes on. */
const HOLDER = [
  process.execPath,
  "-e",
  `const kept = Buffer.alloc(${100 * megabyte}, 1); console.log(kept.length);
   setInterval(() => kept.fill(2), 10)`,
] as const;

test("[SB56] a sample answers what measuring anew does, and nothing of what is gone", async () => {
  const group = await ground.tree("memory", "processes").create("w-sampled");
  const empty = group.gauge();
  expect(empty.processes ?? 0).toBe(0);
  const child = ground.start(group, ...HOLDER);
  await once(child.stdout, "data");
  const [sample, use] = [group.gauge(), await group.use()];
  expect(sample.memory_bytes).toBeGreaterThan(100 * megabyte);
  expect(Math.abs((sample.memory_bytes ?? 0) - (use.memory_bytes ?? 0))).toBeLessThan(
    20 * megabyte,
  );
  expect(sample.processes).toBe(use.processes);
  await until(
    async () => group.gauge().cpu_ms ?? 0,
    (cpuMs) => cpuMs >= (sample.cpu_ms ?? 0) + 100,
  );
  expect((await group.use()).cpu_ms).toBeGreaterThanOrEqual((sample.cpu_ms ?? 0) + 100);
  await group.kill();
  await ended(child);
  await until(() => group.isEmpty(), Boolean);
  await group.remove();
  expect(group.gauge()).toEqual({});
});
