import { expect, test } from "vitest";
import { killRounds } from "./relay-rounds.ts";

test("[RE14] a supervisor killed 20 times loses no command and has none twice", async () => {
  const { granted, underWay } = await killRounds(20);
  expect(granted).toBe(20 * 3 * 60);
  // A kill that comes when all is answered would prove nothing.
  expect(underWay).toBeGreaterThan(20);
}, 240_000);
