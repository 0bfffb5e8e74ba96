import { randomInt } from "node:crypto";
import { expect, test } from "vitest";
import { freshFolder } from "./fixtures/folder.ts";
import { killRounds } from "./fixtures/kill-rounds.ts";

const HOUR_MS = 3_600_000;

test(
  "[JN17] what killed writers acknowledged is there, whole, in 200 rounds",
  async () => {
    const seed = randomInt(2 ** 32);
    process.stderr.write(`writers are killed by seed ${seed}\n`);
    const ackCount = await killRounds({ folder: freshFolder(), roundCount: 200, seed });
    expect(ackCount).toBeGreaterThan(200);
  },
  HOUR_MS,
);
