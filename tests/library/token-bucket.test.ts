import { expect, test } from "vitest";
import { TokenBucket } from "../../src/library/token-bucket.ts";

test("[SV14] a rate takes its burst at once, then evenly, and says how long to wait", () => {
  let nowMs = 1_000;
  const bucket = new TokenBucket({ perSecond: 10, burst: 3 }, () => nowMs);
  const take = (): number => bucket.take();
  expect([take(), take(), take(), take()]).toEqual([0, 0, 0, 100]);
  nowMs += 50;
  expect(take()).toBe(50);
  nowMs += 50;
  expect([take(), take()]).toEqual([0, 100]);
  // A long pause fills it to its burst and no further.
  nowMs += 1_000_000;
  expect([take(), take(), take(), take()]).toEqual([0, 0, 0, 100]);
});
