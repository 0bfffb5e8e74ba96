import * as fc from "fast-check";
import { expect, test } from "vitest";
import { OrderedMap } from "../../src/kernel/ordered-map.ts";

/** One change: a value sets, undefined deletes. */
interface Change {
  readonly key: string;
  readonly value: number | undefined;
}

const key = fc.oneof(
  fc.nat({ max: 700 }).map((number) => `k${number}`),
  fc.string({ unit: "binary", maxLength: 3 }),
);
const change: fc.Arbitrary<Change> = fc.record({
  key,
  value: fc.option(fc.nat(), { nil: undefined, freq: 2 }),
});
const changes = fc.array(change, { maxLength: 2_000, size: "max" });

function apply(map: OrderedMap<number>, { key, value }: Change): OrderedMap<number> {
  return value === undefined ? map.delete(key) : map.set(key, value);
}

function applyToModel(model: Map<string, number>, { key, value }: Change): void {
  if (value === undefined) model.delete(key);
  else model.set(key, value);
}

function sorted(model: ReadonlyMap<string, number>): [string, number][] {
  return [...model].toSorted(([left], [right]) => (left < right ? -1 : 1));
}

/** Most levels that n entries may lie deep, as the header of the module derives it. */
function depthMax(size: number): number {
  return size < 16 ? 1 : Math.floor(2 + Math.log2(size / 16) / 3);
}

test("a map holds after any changes what a Map holds, in key order", () => {
  fc.assert(
    fc.property(changes, key, (made, start) => {
      const model = new Map<string, number>();
      for (const one of made) applyToModel(model, one);
      const map = made.reduce(apply, OrderedMap.empty<number>());
      const expected = sorted(model);
      expect([...map]).toEqual(expected);
      expect([...map.keys()]).toEqual(expected.map(([key]) => key));
      expect([...map.values()]).toEqual(expected.map(([, value]) => value));
      expect(map.size).toBe(model.size);
      expect(map.first()).toEqual(expected[0]);
      expect([...map.entriesFrom(start)]).toEqual(expected.filter(([key]) => key >= start));
      expect(map.depth).toBeLessThanOrEqual(depthMax(map.size));
      for (const { key } of made) {
        expect(map.get(key)).toBe(model.get(key));
        expect(map.has(key)).toBe(model.has(key));
      }
    }),
    { numRuns: 100 },
  );
});

test("every older version of a map keeps its content", () => {
  fc.assert(
    fc.property(changes, (made) => {
      const model = new Map<string, number>();
      let map = OrderedMap.empty<number>();
      const versions: { readonly map: OrderedMap<number>; readonly held: [string, number][] }[] =
        [];
      for (const [index, one] of made.entries()) {
        if (index % 97 === 0) versions.push({ map, held: sorted(model) });
        map = apply(map, one);
        applyToModel(model, one);
      }
      for (const { map: version, held } of versions) expect([...version]).toEqual(held);
    }),
    { numRuns: 50 },
  );
});

test("equal contents iterate equally and are equal, whatever their history", () => {
  fc.assert(
    fc.property(changes, (made) => {
      const grown = made.reduce(apply, OrderedMap.empty<number>());
      const content = [...grown];
      expect(OrderedMap.fromEntries(content)).toEqual(grown);
      expect(OrderedMap.fromEntries(content.toReversed())).toEqual(grown);
      expect(grown.set("not a key of another", 1)).not.toEqual(grown);
    }),
    { numRuns: 50 },
  );
});

test("of equal keys in a list of entries the last wins", () => {
  const map = OrderedMap.fromEntries([
    ["b", 1],
    ["a", 2],
    ["b", 3],
  ] as const);
  expect([...map]).toEqual([
    ["a", 2],
    ["b", 3],
  ]);
});

test("keys are ordered by code unit", () => {
  const keys = ["", "A", "Z", "a", "z", "~", "é", "😀", "\uffff"];
  const map = OrderedMap.fromEntries(keys.toReversed().map((key) => [key, true] as const));
  expect([...map.keys()]).toEqual(keys);
});

test("a change that changes nothing returns the same map", () => {
  const map = OrderedMap.fromEntries([
    ["a", 1],
    ["nan", Number.NaN],
  ] as const);
  expect(map.set("a", 1)).toBe(map);
  expect(map.set("nan", Number.NaN)).toBe(map);
  expect(map.delete("b")).toBe(map);
  expect(map.set("a", 2)).not.toBe(map);
  expect(OrderedMap.empty<number>().delete("a").size).toBe(0);
});

test("a key may hold undefined", () => {
  const map = OrderedMap.empty<undefined>().set("a", undefined);
  expect([map.size, map.has("a"), map.has("b")]).toEqual([1, true, false]);
  expect(map.first()).toEqual(["a", undefined]);
});

test("an iteration stays on the version that it began on", () => {
  let map = OrderedMap.fromEntries(numbered(100));
  const seen: string[] = [];
  for (const [key] of map) {
    seen.push(key);
    map = map.delete(key);
  }
  expect(seen).toHaveLength(100);
  expect(map.size).toBe(0);
});

function numbered(count: number): [string, number][] {
  return Array.from({ length: count }, (_, index) => [String(index).padStart(6, "0"), index]);
}

/** Goes through 0 … count − 1 in large steps, so that neighbours come far apart in time. */
function scattered(count: number): [string, number][] {
  const entries = numbered(count);
  return entries.map((_, index) => entries[(index * 7_919) % count] as [string, number]);
}

test.each([
  ["ascending", numbered(20_000)],
  ["descending", numbered(20_000).toReversed()],
  ["scattered", scattered(20_000)],
])("a tree stays shallow while it grows and shrinks: %s", (_, entries) => {
  let map = OrderedMap.empty<number>();
  for (const [key, value] of entries) {
    map = map.set(key, value);
    expect(map.depth).toBeLessThanOrEqual(depthMax(map.size));
  }
  expect([...map]).toEqual(numbered(20_000));
  // Two levels would mean nodes too wide to be copied at every change.
  expect(map.depth).toBeGreaterThan(2);
  for (const [key] of entries) {
    map = map.delete(key);
    expect(map.depth).toBeLessThanOrEqual(depthMax(map.size));
  }
  expect(map.size).toBe(0);
});

test.each([0, 1, 31, 32, 33, 64, 65, 768, 769, 1_024, 1_025, 30_000])(
  "a map built of %i ascending entries is as shallow, and changes as well",
  (count) => {
    const map = OrderedMap.fromEntries(numbered(count));
    expect(map.depth).toBeLessThanOrEqual(depthMax(count));
    expect([...map]).toEqual(numbered(count));
    expect(map.set("", 0).set("x", 1).delete("").delete("x")).toEqual(map);
  },
);
