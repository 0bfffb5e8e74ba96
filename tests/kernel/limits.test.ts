import { expect, test } from "vitest";
import { Bug, ok } from "../../src/kernel/assert.ts";
import { DEFAULT_CONTRACT } from "../../src/kernel/fleet/contract.ts";
import { LIMITS } from "../../src/kernel/limits.ts";
import { contractSchema } from "../../src/protocol/contract.ts";
import { parserOf } from "../../src/protocol/parse.ts";

const parseWholeContract = parserOf("contract", contractSchema);

const limits = Object.entries(LIMITS);

test("[LM12] every limit is a whole number from 0, and its least is below its most", () => {
  for (const [name, value] of limits)
    expect([name, Number.isSafeInteger(value) && value >= 0]).toStrictEqual([name, true]);
  const named = LIMITS as Readonly<Record<string, number>>;
  const pairs = limits.flatMap(([name, least]) => {
    const most = name.endsWith("Min") ? named[name.replace(/Min$/, "Max")] : undefined;
    return most === undefined ? [] : [{ name, least, most }];
  });
  expect(pairs.length).toBeGreaterThan(5);
  expect(pairs.filter(({ least, most }) => least >= most)).toStrictEqual([]);
});

test("[LM12] no sum of a contract's instants and durations leaves the safe integers", () => {
  const farthestMs = 8.64e15 / 2;
  const longestMs = LIMITS.lifetimeMsMax + LIMITS.quarantineMsMax + LIMITS.clockStepMsMax;
  expect(Number.isSafeInteger(farthestMs + longestMs)).toBe(true);
});

test("[LM12] the default contract is within all limits", () => {
  expect(parseWholeContract(DEFAULT_CONTRACT)).toStrictEqual(DEFAULT_CONTRACT);
});

test("[LM12] a relation between limits that does not hold stops the program", () => {
  const least: number = LIMITS.replicasMin;
  expect(() => {
    ok(least > LIMITS.replicasMax, "the least must be above the most");
  }).toThrow(Bug);
});
