import { randomInt } from "node:crypto";
import { rmSync } from "node:fs";
import { expect, test } from "vitest";
import { seededRandom } from "../../src/testing/seeded-random.ts";
import { flipBits } from "./fixtures/flips.ts";
import { DATABASE, LOG, makeClosedImage, makeKilledImage } from "./fixtures/image.ts";

const HOUR_MS = 3_600_000;

test(
  "[JN18] a flipped bit is a fault or changes nothing, 10 000 times",
  async () => {
    const seed = randomInt(2 ** 32);
    process.stderr.write(`bits are flipped by seed ${seed}\n`);
    const random = seededRandom(seed);
    const killed = await makeKilledImage();
    const closed = await makeClosedImage(killed);
    const ofDatabase = await flipBits(closed, DATABASE, { count: 5_000, random });
    const ofLog = await flipBits(killed, LOG, { count: 5_000, random });
    for (const { folder } of [killed, closed]) rmSync(folder, { recursive: true });
    expect(ofDatabase["journal_corrupt"]).toBeGreaterThan(500);
    expect(ofLog["journal_truncated"]).toBeGreaterThan(500);
  },
  HOUR_MS,
);
