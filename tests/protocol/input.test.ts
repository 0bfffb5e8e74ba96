import { expect, test } from "vitest";
import { describeValue, InputError } from "../../src/protocol/input.ts";
import { nearest } from "../../src/kernel/lane/nearest.ts";

test("[LM7] an input error has a sentence for each problem, with both values", () => {
  const error = new InputError("usage", [
    { path: "contract.max_depth", expected: "an integer from 0 to 64", got: "NaN" },
    { path: "name", expected: "a name", got: '""' },
  ]);
  expect(error.message).toBe(
    'contract.max_depth must be an integer from 0 to 64, got NaN; name must be a name, got ""',
  );
  expect(error).toMatchObject({ name: "InputError", code: "usage" });
});

class Meter {
  reading = 1;
}

const unreadable = new Proxy(
  {},
  {
    getPrototypeOf: () => {
      throw new Error("no");
    },
  },
);

test.each([
  [undefined, "nothing"],
  [null, "null"],
  [true, "true"],
  [0, "0"],
  [-0, "-0"],
  [Number.NaN, "NaN"],
  [-Infinity, "-Infinity"],
  [1.5, "1.5"],
  [12n, "12n"],
  ["5", '"5"'],
  ['say "a"\n', String.raw`"say \"a\"\n"`],
  ["\ud800", String.raw`"\ud800"`],
  ["x".repeat(100), `"${"x".repeat(60)}…" (100 characters)`],
  [[], "[]"],
  [[1, 2, 3], "an array of 3"],
  [{}, "{}"],
  [{ a: 1, b: 2 }, "an object with a, b"],
  [{ a: 1, b: 2, c: 3, d: 4 }, "an object with a, b, c, …"],
  [Object.create(null), "{}"],
  [new Date(0), "an object of class Date"],
  [new Meter(), "an object of class Meter"],
  [new Map(), "an object of class Map"],
  [() => 1, "a function"],
  [Symbol("s"), "a symbol"],
  [unreadable, "an object that cannot be read"],
])("[LM8] a value is shown so that it cannot be taken for another (case %#)", (value, shown) => {
  expect(describeValue(value)).toBe(shown);
});

test("[LM5] the nearest name is offered, and none where none is near", () => {
  const names = ["max_depth", "max_replicas", "cooldown_ms", "stop"];
  expect(nearest("maxDepth", names)).toBe("max_depth");
  expect(nearest("max-depht", names)).toBe("max_depth");
  expect(nearest("cooldown", names)).toBe("cooldown_ms");
  expect(nearest("stops", names)).toBe("stop");
  expect(nearest("sotp", names)).toBe("stop");
  expect(nearest("colour", names)).toBeUndefined();
  expect(nearest("x", names)).toBeUndefined();
  expect(nearest("max_depth".repeat(10), names)).toBeUndefined();
});
