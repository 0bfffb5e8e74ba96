import { expect, test } from "vitest";
import type { Rung } from "./field.ts";
import { killInTurn } from "./killed-in-turn.ts";

test.each<Rung>(["cgroup", "process-group"])(
  "[PF3] killed in turn 4 times on the rung %s: no orphan, none twice, none lost",
  async (rung) => {
    const { acknowledged } = await killInTurn(rung, 4);
    expect(acknowledged).toBeGreaterThan(0);
  },
  240_000,
);
