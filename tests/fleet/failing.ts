// One worker of four cannot be ended, and the fleet is killed.
import { expect } from "vitest";
import type { Called } from "../support/cli.ts";
import { makeField, type Field, type Rung } from "./field.ts";
import { makeUnkillable, needsFreezer } from "./unkillable.ts";

const workerCount = 4;

/**
 * Kills a fleet of which one worker cannot be ended: the others end while it is tried, the receipt
 * names it, and when it can be ended its supervisor ends it and says so, unasked. Answers the
 * receipt.
 */
export async function killAroundOne(rung: Rung): Promise<unknown> {
  needsFreezer();
  const field = await makeField(rung);
  await field.supervise();
  const ids: string[] = [];
  for (let count = 0; count < workerCount; count += 1) ids.push(await field.spawnWorker());
  const [stuck = "", ...others] = ids;
  const held = field.living().filter((row) => row.instance === stuck);
  const unkillable = await makeUnkillable(held);

  let isOver = false;
  const killing = field
    .call(["kill", "--reason", "drill", "--yes", "--json"])
    .finally(() => (isOver = true));
  const alive = (): boolean => field.living().some((row) => others.includes(row.instance));
  await expect.poll(alive).toBe(false);
  // It is tried for seconds; those whose end was no trouble have not waited for that.
  expect(isOver).toBe(false);
  const receipt = receiptThatNames(await killing, stuck);
  expect(new Set(field.living().map(({ instance }) => instance))).toEqual(new Set([stuck]));

  await unkillable.letGo();
  expect(field.living()).toEqual([]);
  expect(field.isHeld()).toBe(false);
  // Nobody asks for it again: it is tried until it has ended, and that is on record.
  await expect.poll(() => isStopped(field, stuck), { timeout: 30_000, interval: 500 }).toBe(true);
  return receipt;
}

function receiptThatNames(killed: Called, stuck: string): unknown {
  expect(killed.exit).toBe(6);
  const { receipt } = killed.json().data;
  expect(receipt.why.join("\n")).toContain(`1 worker was not seen to end: ${stuck}`);
  const unproven = receipt.workers.filter((one: { readonly grade: unknown }) => one.grade === null);
  expect(unproven).toMatchObject([{ id: stuck }]);
  return receipt;
}

async function isStopped(field: Field, id: string): Promise<boolean> {
  const shown = await field.done(["worker", "show", id, "--json"]);
  return shown.json().data.worker.status === "stopped";
}
