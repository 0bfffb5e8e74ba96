import { expect, test } from "vitest";
import { RUNGS } from "./field.ts";
import { raceKills } from "./racing.ts";

test.each(RUNGS)(
  "[PF4] kills race starts twice on the rung %s: no survivor (replication C4)",
  async (rung) => {
    const { started, refused } = await raceKills(rung, 2);
    expect(started + refused).toBeGreaterThan(0);
  },
  240_000,
);
