import { assert, integer, property } from "fast-check";
import { expect, test } from "vitest";
import { writeInstant } from "../../../src/kernel/time/instant.ts";

test("an instant is written as a Date writes it, without one", () => {
  const edges = [
    0, 1, 951_782_399_999, 951_782_400_000, 951_868_800_000, 4_107_542_400_000, 253_402_300_799_999,
  ];
  for (const atMs of edges) expect(writeInstant(atMs)).toBe(new Date(atMs).toISOString());
  assert(
    property(integer({ min: 0, max: 253_402_300_799_999 }), (atMs) => {
      expect(writeInstant(atMs)).toBe(new Date(atMs).toISOString());
    }),
    { numRuns: 5_000 },
  );
});

test("what is no such instant is a number", () => {
  expect([writeInstant(-1), writeInstant(253_402_300_800_000)]).toEqual([
    "-1 ms",
    "253402300800000 ms",
  ]);
});
