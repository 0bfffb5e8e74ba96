import { expect, test } from "vitest";
import { RUNGS } from "./field.ts";
import { killInTurn } from "./killed-in-turn.ts";

test.each(RUNGS)(
  "[PF3] killed in turn 20 times on the rung %s: no orphan, none twice, none lost",
  async (rung) => {
    const { acknowledged, broken } = await killInTurn(rung, 20);
    expect(acknowledged).toBeGreaterThan(20);
    // Kills that come when all is answered would prove nothing.
    expect(broken).toBeGreaterThan(0);
  },
  1_200_000,
);
