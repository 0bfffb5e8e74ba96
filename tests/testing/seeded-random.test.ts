import { expect, test } from "vitest";
import { FakeClock } from "../../src/testing/fake-clock.ts";
import { seededRandom } from "../../src/testing/seeded-random.ts";

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

test("[SY16] one seed gives one sequence, another seed another", () => {
  expect(hex(seededRandom(7).bytes(64))).toBe(hex(seededRandom(7).bytes(64)));
  expect(hex(seededRandom(7).bytes(64))).not.toBe(hex(seededRandom(8).bytes(64)));
  expect(hex(seededRandom(7).bytes(64))).not.toBe(hex(seededRandom("7").bytes(64)));
});

test("[SY16] the sequence of a seed never changes, so that old seeds keep their meaning", () => {
  expect(hex(seededRandom(1).bytes(10))).toBe("68cf83c4fe14fb3ae407");
});

test("[SY16] what a fork draws does not move its source", () => {
  const plain = seededRandom(3);
  const forked = seededRandom(3);
  forked.fork("other").bytes(100);
  expect(hex(forked.bytes(8))).toBe(hex(plain.bytes(8)));
  expect(hex(seededRandom(3).fork("a").bytes(8))).not.toBe(hex(plain.fork("b").bytes(8)));
});

test("[SY16] numbers below a limit are spread evenly", () => {
  const random = seededRandom("dice");
  const counts = [0, 0, 0, 0, 0, 0];
  for (let roll = 0; roll < 60_000; roll += 1) {
    const face = random.below(6);
    counts[face] = (counts[face] ?? 0) + 1;
  }
  // Chi-square with 5 degrees of freedom exceeds 20.5 in one of a thousand fair dice.
  const chiSquare = counts.reduce((sum, count) => sum + (count - 10_000) ** 2 / 10_000, 0);
  expect(chiSquare).toBeLessThan(20.5);
});

test("[SY16] a share of chances comes true", () => {
  const random = seededRandom("chance");
  const draws = Array.from({ length: 10_000 }, () => random.chance(0.25));
  const hits = draws.filter(Boolean).length;
  expect(Math.abs(hits - 2_500)).toBeLessThan(200);
  expect(Array.from({ length: 100 }, () => random.chance(0))).not.toContain(true);
  expect(Array.from({ length: 100 }, () => random.chance(1))).not.toContain(false);
});

test("[SY17] a fake clock moves as real clocks do", () => {
  const clock = new FakeClock({ wallMs: 1_000, bootMs: 100, bootId: "a" });
  clock.advance(10);
  expect(clock.read()).toEqual({ wallMs: 1_010, bootMs: 110, bootId: "a" });
  expect(clock.monotonicMs()).toBe(110);
  clock.suspend(50);
  expect(clock.read()).toEqual({ wallMs: 1_060, bootMs: 160, bootId: "a" });
  expect(clock.monotonicMs()).toBe(110);
  clock.stepWall(-60);
  clock.reboot("b", 30);
  expect(clock.read()).toEqual({ wallMs: 1_030, bootMs: 0, bootId: "b" });
});
