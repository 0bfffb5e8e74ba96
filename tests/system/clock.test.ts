import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { ClockReading } from "../../src/ports/clock.ts";
import { type ClockSources, systemClock } from "../../src/system/clock.ts";

/** Hand-moved sources: boot time is monotonic time plus what was slept. */
class Sources implements ClockSources {
  wall = 1_700_000_000_000;
  monotonic = 5_000;
  slept = 0;
  uptimeReads = 0;

  wallMs(): number {
    return Math.floor(this.wall);
  }

  monotonicNs(): bigint {
    return BigInt(Math.round(this.monotonic * 1e6));
  }

  uptimeText(): string | undefined {
    this.uptimeReads += 1;
    const hundredths = Math.floor((this.monotonic + this.slept) / 10 + 1e-9);
    return `${(hundredths / 100).toFixed(2)} 1.00\n`;
  }

  bootId(): string {
    return "boot";
  }

  pass(ms: number): void {
    this.wall += ms;
    this.monotonic += ms;
  }

  sleep(ms: number): void {
    this.wall += ms;
    this.slept += ms;
  }

  get trueBootMs(): number {
    return this.monotonic + this.slept;
  }
}

test("[SY1] boot time has steps of a millisecond although /proc/uptime has steps of ten", () => {
  const sources = new Sources();
  const clock = systemClock(sources);
  const readings = Array.from({ length: 200 }, () => {
    sources.pass(1);
    return clock.read().bootMs;
  });
  const steps = readings.slice(1).map((reading, index) => reading - (readings[index] ?? 0));
  expect(steps).toEqual(steps.map(() => 1));
});

test("[SY2] boot time is within 10 ms of the truth, whenever the clock was made", () => {
  for (let offset = 0; offset < 10; offset += 1) {
    const sources = new Sources();
    sources.pass(offset + 0.4);
    const clock = systemClock(sources);
    for (const ms of [0, 1, 333, 1_001, 5_555]) {
      sources.pass(ms);
      expect(Math.abs(clock.read().bootMs - sources.trueBootMs)).toBeLessThanOrEqual(10);
    }
  }
});

test("[SY3] the first reading after a suspend includes it", () => {
  const sources = new Sources();
  const clock = systemClock(sources);
  const before = clock.read();
  sources.pass(5);
  sources.sleep(3_600_000);
  const after = clock.read();
  expect(Math.abs(after.bootMs - before.bootMs - 3_600_005)).toBeLessThanOrEqual(10);
});

test("[SY3] a suspend hidden by a wall clock set back is seen a second later", () => {
  const sources = new Sources();
  const clock = systemClock(sources);
  clock.read();
  sources.sleep(60_000);
  sources.wall -= 60_000;
  sources.pass(1_001);
  expect(Math.abs(clock.read().bootMs - sources.trueBootMs)).toBeLessThanOrEqual(10);
});

test("[SY4] a stepped wall clock moves the wall time and never boot time (replication G2)", () => {
  const sources = new Sources();
  const clock = systemClock(sources);
  const before = clock.read();
  for (const stepMs of [-5 * 3_600_000, 9 * 3_600_000, -1, 86_400_000]) {
    sources.wall += stepMs;
    sources.pass(1);
    expect(clock.read().wallMs).toBe(sources.wallMs());
  }
  expect(Math.abs(clock.read().bootMs - before.bootMs - 4)).toBeLessThanOrEqual(5);
});

test("[SY5] boot time never runs backwards when its estimate gets smaller", () => {
  const sources = new Sources();
  const clock = systemClock(sources);
  clock.read();
  sources.pass(9.8);
  const before = clock.read().bootMs;
  // A needless measurement at the very end of a step of /proc/uptime: the truth turns out to be
  // at the lower end of what was possible so far.
  sources.pass(0.1);
  sources.wall += 50;
  expect(clock.read().bootMs).toBe(before);
  sources.pass(100);
  expect(Math.abs(clock.read().bootMs - sources.trueBootMs)).toBeLessThanOrEqual(1);
});

test("[SY5] boot time never runs backwards through many suspends", () => {
  const sources = new Sources();
  const clock = systemClock(sources);
  let newest = 0;
  for (let round = 0; round < 5_000; round += 1) {
    sources.pass(round % 7 === 0 ? 0.1 : 3.7);
    if (round % 500 === 499) sources.sleep(12);
    const { bootMs } = clock.read();
    expect(bootMs).toBeGreaterThanOrEqual(newest);
    newest = bootMs;
  }
});

test("[SY6] reading the clock touches /proc/uptime once a second, not once a reading", () => {
  const sources = new Sources();
  const clock = systemClock(sources);
  for (let reading = 0; reading < 10_000; reading += 1) {
    sources.pass(0.5);
    clock.read();
  }
  expect(sources.uptimeReads).toBeLessThanOrEqual(6);
});

test("[SY7] without /proc/uptime boot time is the monotonic clock", () => {
  const sources = new Sources();
  sources.uptimeText = () => undefined;
  const clock = systemClock(sources);
  sources.pass(17);
  expect(clock.read().bootMs).toBe(5_017);
});

test("[SY8] two processes of one host agree on boot time to 20 ms and on the boot", async () => {
  const child = spawn(process.execPath, [join(import.meta.dirname, "clock-reader.ts")], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const exited = once(child, "exit");
  try {
    const clock = systemClock();
    for (let round = 0; round < 20; round += 1) {
      const before = clock.read();
      child.stdin.write("read\n");
      const lines: unknown[] = await once(child.stdout, "data");
      const after = clock.read();
      const theirs = JSON.parse(String(lines[0])) as ClockReading;
      expect(theirs.bootId).toBe(before.bootId);
      expect(theirs.bootMs).toBeGreaterThanOrEqual(before.bootMs - 20);
      expect(theirs.bootMs).toBeLessThanOrEqual(after.bootMs + 20);
    }
  } finally {
    child.stdin.end();
    await exited;
  }
});
