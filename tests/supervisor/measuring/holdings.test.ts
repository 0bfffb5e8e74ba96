import { describe, expect, test } from "vitest";
import { Holdings } from "../../../src/supervisor/measuring/holdings.ts";
import { MinuteCount } from "../../../src/supervisor/measuring/minute.ts";

describe("[KW10] what holds is timed from when it was first seen to, and spent once", () => {
  test("a break begins it anew", () => {
    const holdings = new Holdings();
    expect(holdings.see("a", true, 1_000)).toEqual({ heldMs: 0, isSpent: false });
    expect(holdings.see("a", true, 2_500)).toEqual({ heldMs: 1_500, isSpent: false });
    expect(holdings.see("b", true, 2_500)).toEqual({ heldMs: 0, isSpent: false });
    expect(holdings.see("a", false, 3_000)).toBeUndefined();
    expect(holdings.see("a", true, 4_000)).toEqual({ heldMs: 0, isSpent: false });
  });

  test("what is spent stays so until it was seen not to hold", () => {
    const holdings = new Holdings();
    holdings.see("a", true, 0);
    holdings.spend("a");
    holdings.spend("never seen");
    expect(holdings.see("a", true, 60_000)).toEqual({ heldMs: 60_000, isSpent: true });
    holdings.see("a", false, 61_000);
    expect(holdings.see("a", true, 62_000)).toEqual({ heldMs: 0, isSpent: false });
  });

  test("time in which nobody looked counts for nothing", () => {
    const holdings = new Holdings();
    holdings.see("a", true, 0);
    holdings.pass(50_000);
    expect(holdings.see("a", true, 51_000)?.heldMs).toBe(1_000);
  });

  test("who is asked about no more is forgotten", () => {
    const holdings = new Holdings();
    holdings.see("a", true, 0);
    holdings.see("b", true, 0);
    holdings.keepOnly(new Set(["b"]));
    expect(holdings.see("a", true, 5_000)?.heldMs).toBe(0);
    expect(holdings.see("b", true, 5_000)?.heldMs).toBe(5_000);
  });
});

describe("[KW10] a minute is the last sixty seconds, to the second", () => {
  test("by key, and what is older is gone", () => {
    const count = new MinuteCount();
    count.add("a", 500);
    count.add("a", 30_000, 4);
    count.add("b", 30_900);
    expect([...count.counts(31_000)]).toEqual([
      ["a", 5],
      ["b", 1],
    ]);
    expect(count.counts(59_999).get("a")).toBe(5);
    expect(count.counts(60_999).get("a")).toBe(4);
    expect(count.counts(89_000).get("a")).toBe(4);
    expect(count.counts(90_000).size).toBe(0);
  });
});
