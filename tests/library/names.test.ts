import { assert, jsonValue, property } from "fast-check";
import { InputError } from "stint";
import { expect, test } from "vitest";
import { snapshotOf, toCamel, toEdge, toSnake, toWire } from "../../src/library/names.ts";
import { DEFAULT_CONTRACT } from "../../src/kernel/fleet/contract.ts";

test("[LB5] names in camelCase and in snake_case turn into each other", () => {
  expect(toCamel("max_replicas")).toBe("maxReplicas");
  expect(toSnake("maxReplicas")).toBe("max_replicas");
  expect(toWire(toEdge(DEFAULT_CONTRACT), "contract")).toEqual(DEFAULT_CONTRACT);
});

test("[LB5] what users put into state, units and evidence keeps its keys", () => {
  const own = { snake_case: 1, camelCase: { deep_down: [{ a_b: 2 }] }, __proto__x: 3 };
  const document = { max_depth: 1, state: own, units: own, evidence: own };
  expect(toEdge(document)).toEqual({ maxDepth: 1, state: own, units: own, evidence: own });
  const given = { maxDepth: 1, state: own, units: own, evidence: own };
  expect(toWire(given, "options")).toEqual(document);
});

test("[LB5] a name in snake_case is no name of ours and is refused with the right one", () => {
  const given = { contract: { max_depth: 2 } };
  expect(() => toWire(given, "options")).toThrow(InputError);
  expect(() => toWire(given, "options")).toThrow(
    "options.contract.max_depth must be absent (no such field; did you mean maxDepth?), got 2",
  );
});

test("[LB5] functions and instances of classes are passed on as they are", () => {
  const when = (): boolean => true;
  const date = new Date(0);
  expect(toWire({ stopConditions: [{ when, date }] }, "contract")).toEqual({
    stop_conditions: [{ when, date }],
  });
});

test("[LB5] an object whose getter throws is an InputError", () => {
  const hostile = {
    get maxDepth(): number {
      throw new Error("mine");
    },
  };
  expect(() => toWire(hostile, "contract")).toThrow("contract must be readable data");
});

test("[LB6] copies share nothing with their original and are frozen all the way down", () => {
  assert(
    property(jsonValue(), (value) => {
      const copy = snapshotOf(value);
      expect(JSON.stringify(copy)).toBe(JSON.stringify(value));
      expect(isDeepFrozen(copy)).toBe(true);
    }),
  );
});

test("[LB6] a user's key __proto__ is copied as a key and changes no prototype", () => {
  const value: unknown = JSON.parse('{"state":{"__proto__":{"polluted":true}}}');
  const copy = toEdge(value as { readonly state: object });
  expect(Object.getPrototypeOf(copy.state)).toBe(Object.prototype);
  expect(JSON.stringify(copy)).toBe('{"state":{"__proto__":{"polluted":true}}}');
});

function isDeepFrozen(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return true;
  return Object.isFrozen(value) && Object.values(value).every(isDeepFrozen);
}
