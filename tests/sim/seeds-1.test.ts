import { expect, test } from "vitest";
import { CI_STEPS, listMissing, simulateSeeds } from "./ci-seeds.ts";

test("[SM2, SM7] seeds 1 to 250 break no rule, and all that can happen happens", async () => {
  const tally = await simulateSeeds({ first: 1, count: 250, stepCount: CI_STEPS });
  expect(listMissing(tally)).toStrictEqual([]);
}, 300_000);
