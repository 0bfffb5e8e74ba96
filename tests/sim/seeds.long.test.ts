import { expect, test } from "vitest";
import { listMissing, simulateSeeds } from "./ci-seeds.ts";

test("[SM2, SM7] 1 500 worlds of 200 steps break no rule", async () => {
  const tally = await simulateSeeds({ first: 10_001, count: 1_500, stepCount: 200 });
  expect(listMissing(tally)).toStrictEqual([]);
});
