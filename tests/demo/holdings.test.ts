import { describe, expect, test } from "vitest";
import { readHoldings } from "../../src/demo/outside/holdings.ts";

/** A line of an exported journal. */
function line(seq: number, kind: string, data: object): string {
  return JSON.stringify({ entry: { seq, at_ms: seq * 10, kind, data } });
}

function granted(seq: number, region: readonly string[], untilMs = 1_000): string {
  return line(seq, "lease.granted", { region, expires_at_ms: untilMs });
}

describe("[DM16] what an exported journal shows of leases", () => {
  test.each(["released", "revoked", "lapsed"])("what was %s may be held by another", (how) => {
    const lines = [
      granted(1, ["a"]),
      granted(2, ["b"]),
      line(3, `lease.${how}`, { lease: "l-1" }),
      granted(4, ["a"]),
    ];
    expect(readHoldings(lines)).toEqual({
      entryCount: 4,
      grantCount: 3,
      things: ["a", "b"],
      clashes: [],
      unread: [],
    });
  });

  test("a second lease on what is held is told, with both", () => {
    const lines = [granted(1, ["a", "b"]), line(2, "worker.staled", {}), granted(3, ["b"])];
    expect(readHoldings(lines).clashes).toEqual(["b by l-1 and l-3"]);
  });

  test("what is over holds nothing, recorded or not, and a renewal has it hold on", () => {
    const over = granted(1, ["a"], 30);
    const renewed = line(2, "lease.renewed", { lease: "l-1", expires_at_ms: 31 });
    expect(readHoldings([over, granted(3, ["a"])]).clashes).toEqual([]);
    expect(readHoldings([over, renewed, granted(3, ["a"])]).clashes).toHaveLength(1);
  });

  test("a pattern is not taken for the name of a thing", () => {
    expect(readHoldings([granted(1, ["src/**", "a"])]).unread).toEqual(["src/**"]);
    expect(readHoldings([]).grantCount).toBe(0);
  });
});
