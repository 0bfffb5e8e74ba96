import { expect, test } from "vitest";
import { memoryPulse } from "../../src/pulse/memory.ts";
import { FakeClock } from "../../src/testing/fake-clock.ts";
import { PULSE_CONTRACT, type PulseSubject } from "../../src/testing/pulse-contract.ts";
import { seededRandom } from "../../src/testing/seeded-random.ts";

const random = seededRandom("memory pulse");

async function open(): Promise<PulseSubject> {
  const clock = new FakeClock();
  return {
    pulse: memoryPulse({ clock, random }),
    setWallMs(wallMs): void {
      clock.wallMs = wallMs;
    },
  };
}

for (const { name, run } of PULSE_CONTRACT) {
  test(`${name} (memory)`, async () => {
    await expect(run(open, expect)).resolves.toBeUndefined();
  });
}
