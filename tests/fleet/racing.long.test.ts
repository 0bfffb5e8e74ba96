import { expect, test } from "vitest";
import { RUNGS } from "./field.ts";
import { raceKills } from "./racing.ts";

test.each(RUNGS)(
  "[PF4] kills race starts 30 times on the rung %s: no survivor (replication C4)",
  async (rung) => {
    const { started, refused, halted } = await raceKills(rung, 30);
    // Kills that all come before, or all after, would be no race.
    expect(Math.min(started, refused, halted)).toBeGreaterThan(0);
  },
  1_200_000,
);
