import { expect } from "vitest";
import { makeField, type Rung } from "./field.ts";

const workerCount = 20;

/**
 * Kills a fleet of 20 workers that start processes without end, half of them in sessions of their
 * own, and counts; answers the receipt.
 */
export async function killForkers(rung: Rung): Promise<unknown> {
  const field = await makeField(rung);
  await field.supervise();
  await Promise.all(Array.from({ length: workerCount }, () => field.spawnWorker("forks")));
  const killed = await field.call(["kill", "--reason", "drill", "--yes", "--json"]);
  expect(field.living()).toEqual([]);
  expect(field.isHeld()).toBe(false);
  return killed.json().data.receipt;
}
