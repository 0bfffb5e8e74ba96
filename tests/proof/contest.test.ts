import { expect, test } from "vitest";
import { holdContest, makeSite, wrongsOf } from "./contest.ts";

test("[LP1] eight processes never hold the same ground (leases H01, H02, H03)", async () => {
  const outcome = await holdContest(await makeSite(), { forMs: 4_000, killsMin: 2, stopsMin: 2 });
  expect(wrongsOf(outcome)).toEqual([]);
  expect(outcome.audit.counts["refused conflict"]).toBeGreaterThan(0);
}, 180_000);
