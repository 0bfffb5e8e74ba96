import { array, assert, boolean, constantFrom, integer, nat, property, record } from "fast-check";
import { expect, test } from "vitest";
import { GroundIndex } from "../../../src/kernel/ground/ground-index.ts";
import type { Lease, LeaseMode } from "../../../src/kernel/lease/lease.ts";
import type { Region } from "../../../src/kernel/region/region.ts";
import { EffortSpent } from "../../../src/kernel/region/effort.ts";
import { overlapOf } from "../../../src/kernel/region/relation.ts";
import { hasResource, readResource } from "../../../src/kernel/region/resource.ts";
import { parseOnce } from "../../../src/kernel/region/rights.ts";
import { anyGrounds, anyPath, anyPatterns, includesMeet, leaseOf, parsed } from "./live.ts";

const MODE = constantFrom<LeaseMode>("exclusive", "shared", "slot");

function indexOf(leases: readonly Lease[], isCaseless: boolean): GroundIndex {
  return leases.reduce((index, lease) => index.add(lease), GroundIndex.empty(isCaseless));
}

/** An index that leases came to in any order, and left again, and what it holds by now. */
const anyLife = record({
  grounds: anyGrounds,
  isCaseless: boolean(),
  swaps: array(nat(), { minLength: 12, maxLength: 12 }),
  asksBetween: boolean(),
}).map(({ grounds, isCaseless, swaps, asksBetween }) => {
  const lives = grounds.map(({ patterns, mode, alone, isGivenBack }, number) => {
    const region = parsed(patterns, isCaseless).patterns;
    const place = swaps[number] ?? 0;
    return { lease: leaseOf(`l-${number}`, region, { mode, alone }), isGivenBack, place };
  });
  const comers = lives.toSorted((one, other) => one.place - other.place);
  let index = indexOf(
    comers.map(({ lease }) => lease),
    isCaseless,
  );
  // One that is asked now has looked at all patterns before some of them go.
  if (asksBetween) index.candidates(parsed(["**"], isCaseless), "exclusive").next();
  for (const { lease, isGivenBack } of lives) if (isGivenBack) index = index.remove(lease);
  const left = lives.filter(({ isGivenBack }) => !isGivenBack).map(({ lease }) => lease);
  return { index, left, isCaseless };
});

const RUNS = { numRuns: 600 };

function idsOf(leases: readonly Lease[]): readonly string[] {
  return leases.map(({ id }) => id).toSorted();
}

test("[GR10] candidates are all that a scan finds to overlap, and share something", () => {
  assert(
    property(anyLife, anyPatterns, MODE, ({ index, left, isCaseless }, asked, mode) => {
      const region = parsed(asked, isCaseless);
      const rivals = left.filter((lease) => mode !== "shared" || lease.mode !== "shared");
      const regionOf = (lease: Lease): Region => parsed(lease.region, isCaseless);
      const sharing = rivals.filter((lease) => overlapOf(region, regionOf(lease)).kind !== "apart");
      const near = rivals.filter((lease) => includesMeet(region, regionOf(lease)));
      const found = [...index.candidates(region, mode)];
      expect(found.length).toBe(new Set(found).size);
      expect(found).toEqual(expect.arrayContaining([...idsOf(sharing)]));
      expect(idsOf(near)).toEqual(expect.arrayContaining(found));
    }),
    RUNS,
  );
});

test("[GR11] the same leases answer in the same order, whatever came and went before", () => {
  assert(
    property(anyLife, anyPatterns, MODE, ({ index, left, isCaseless }, asked, mode) => {
      const fresh = indexOf(left, isCaseless);
      const region = parsed(asked, isCaseless);
      expect([...index.candidates(region, mode)]).toEqual([...fresh.candidates(region, mode)]);
      expect([...index.alone()]).toEqual([...fresh.alone()]);
      expect([...index.alone()]).toEqual(idsOf(left.filter(({ alone }) => alone)));
    }),
    RUNS,
  );
});

/** Who all candidates are, null when finding them may not cost that; and what it has cost. */
function searched(
  index: GroundIndex,
  region: Region,
  { mode, workMax }: Search,
): { readonly found: readonly string[] | null; readonly work: number } {
  const effort = { workLeft: workMax };
  try {
    const found = [...index.candidates(region, mode, effort)];
    return { found, work: workMax - effort.workLeft };
  } catch (error) {
    if (!(error instanceof EffortSpent)) throw error;
    return { found: null, work: workMax - effort.workLeft };
  }
}

interface Search {
  readonly mode: LeaseMode;
  readonly workMax: number;
}

const ENOUGH = 10 ** 6;

test("[GR12] the work follows from leases and region, whatever came and went before", () => {
  assert(
    property(anyLife, anyPatterns, MODE, ({ index, left, isCaseless }, asked, mode) => {
      const region = parsed(asked, isCaseless);
      const whole = searched(index, region, { mode, workMax: ENOUGH });
      expect(whole.found).not.toBeNull();
      const fresh = indexOf(left, isCaseless);
      expect(searched(fresh, region, { mode, workMax: ENOUGH })).toEqual(whole);
    }),
    RUNS,
  );
});

test("[GR12] with less effort than it takes there is no answer, never a part of one", () => {
  const little = integer({ min: 1, max: 200 });
  assert(
    property(anyLife, anyPatterns, little, ({ index, isCaseless }, asked, workMax) => {
      const region = parsed(asked, isCaseless);
      const whole = searched(index, region, { mode: "slot", workMax: ENOUGH });
      const { found, work } = searched(index, region, { mode: "slot", workMax });
      expect(found).toEqual(whole.work < workMax ? whole.found : null);
      // It stops where it is used up, not some time after.
      expect(work).toBeLessThan(workMax + 1_000);
    }),
    RUNS,
  );
});

test("[GR10] the leases that cover a path are those whose region has it", () => {
  assert(
    property(anyLife, anyPath, ({ index, left, isCaseless }, path) => {
      const resource = readResource(path);
      if (resource === undefined) throw new Error(`${path} must be a path`);
      const scanned = left.filter(({ region }) =>
        hasResource(parsed(region, isCaseless), resource),
      );
      const found = [...index.covering(resource)];
      expect(found.toSorted()).toEqual(idsOf(scanned));
    }),
    RUNS,
  );
});

test("[GR10] an index that was changed leaves the one before as it was", () => {
  const [one, other] = [leaseOf("l-1", ["a/b"]), leaseOf("l-2", ["a/*"])];
  const before = indexOf([one], false);
  const region = parsed(["a/**"], false);
  expect([...before.add(other).candidates(region, "exclusive")].toSorted()).toEqual(["l-1", "l-2"]);
  expect([...before.remove(one).candidates(region, "exclusive")]).toEqual([]);
  expect([...before.candidates(region, "exclusive")]).toEqual(["l-1"]);
  expect(before.remove(other)).toBe(before);
});

test("[GR10] ground that only older rules could read is in everybody's way", () => {
  const index = indexOf([leaseOf("l-1", ["a//b"])], false);
  expect([...index.candidates(parsed(["port:1"], false), "shared")]).toEqual(["l-1"]);
  const resource = readResource("src/x.ts");
  expect(resource && [...index.covering(resource)]).toEqual(["l-1"]);
  expect([
    ...index.remove(leaseOf("l-1", ["a//b"])).candidates(parsed(["**"], false), "slot"),
  ]).toEqual([]);
});

test("[GR10] where case does not count, the index does not count it either", () => {
  const index = indexOf([leaseOf("l-1", ["SRC/Api/**"]), leaseOf("l-2", ["src/API/**"])], true);
  const ids = [...index.candidates(parsed(["src/api/x.ts"], true), "exclusive")];
  expect(ids.toSorted()).toEqual(["l-1", "l-2"]);
  expect(parseOnce(["A"], true)).not.toBe(parseOnce(["A"]));
});

test("[GR10] what a request leaves out as a whole is hardly looked at, however much it is", () => {
  const leases = Array.from({ length: 500 }, (_, number) =>
    leaseOf(`l-${number}`, [`src/api/unit-${number}/**`]),
  );
  const index = indexOf([...leases, leaseOf("l-near", ["src/web/**"])], false);
  const found = [...index.candidates(parsed(["src/**", "!src/api/**"], false), "exclusive")];
  expect(found).toContain("l-near");
  expect(found.length).toBeLessThan(10);
});
