// What it costs to be granted ground that a crowd holds all around: counted, never timed.
import { expect, test } from "vitest";
import { EMPTY_BOOK, putLease, type LeaseBook } from "../../../src/kernel/lease/book.ts";
import { checkConflicts, type Wish } from "../../../src/kernel/lease/conflict.ts";
import { LIMITS } from "../../../src/kernel/limits.ts";
import { LAST } from "../../../src/kernel/queue/line.ts";
import { newEffort } from "../../../src/kernel/region/effort.ts";
import { leaseOf } from "../ground/live.ts";
import { regionOf } from "../region/ground.ts";

function crowd(count: number, region: string): LeaseBook {
  let book = EMPTY_BOOK;
  for (let index = 0; index < count; index += 1)
    book = putLease(book, leaseOf(`l-${index}`, region.replaceAll("N", `${index}`).split(" ")));
  return book;
}

function wishFor(region: string): Wish {
  return {
    holder: { worker: "w-b" },
    mode: "exclusive",
    region: regionOf(...region.split(" ")),
    lane: null,
    alone: false,
    lenders: new Set(),
    alsoHeld: [],
    effort: newEffort(LIMITS.leaseSearchWorkMax),
    rank: LAST,
  };
}

const SHAPES = [
  ["src/** !**/*.test.ts", "src/modN/x.test.ts"],
  ["packages/** !**/*.test.ts", "packages/pkgN/src/x.test.ts"],
  ["** !docs/** !**/*.md", "src/nN.md"],
  ["** !docs/** !**/*.md", "pkgN/**/*.md"],
  ["** !*/README.md", "pkgN/README.md"],
  ["*/dist/**", "pkgN/** !pkgN/dist/**"],
  ["** !pkg*/**", "pkgN/**"],
] as const;

/** A quarter of the limit suffices for so many leases, and for fewer in proportion. */
const crowdSize = 5_000;
const share = LIMITS.leaseSearchWorkMax / 4 / crowdSize;

test.each(SHAPES)("[GR12] %s is granted beside a crowd of %s", (asked, held) => {
  const count = 500;
  const wish = wishFor(asked);
  expect(checkConflicts(crowd(count, held), wish, 1)).toBeNull();
  const spent = LIMITS.leaseSearchWorkMax - wish.effort.workLeft;
  expect(spent).toBeGreaterThan(count);
  expect(spent).toBeLessThan(count * share);
});

test("[GR12] five thousand tests of others keep nobody from the rest of the sources", () => {
  const wish = wishFor("src/** !**/*.test.ts");
  expect(checkConflicts(crowd(crowdSize, "src/modN/x.test.ts"), wish, 1)).toBeNull();
  expect(wish.effort.workLeft).toBeGreaterThan(LIMITS.leaseSearchWorkMax * 0.75);
});

test("[LS26] where a search was given up, the lease and its holder are named", () => {
  const book = crowd(20, "src/modN/x.test.ts");
  const wish = { ...wishFor("src/** !**/*.test.ts"), effort: newEffort(200) };
  const refusal = checkConflicts(book, wish, 1);
  const { lease_id, holder, compared } = refusal?.facts ?? {};
  expect(refusal?.code).toBe("region_too_large");
  expect(holder).toBe("w-aaaa");
  expect(Number(compared)).toBeGreaterThan(1);
  const index = typeof lease_id === "string" ? lease_id.slice(2) : "";
  expect(refusal?.message).toContain(`given up at l-${index}, src/mod${index}/x.test.ts of `);
});
