import { expect, test } from "vitest";
import { FailingSandbox } from "./failing-sandbox.ts";
import { MadeStore } from "./made-store.ts";
import { openRoomy } from "./rig.ts";

async function openTree() {
  const driver = new FailingSandbox();
  const store = new MadeStore(driver);
  driver.onStart = (spec) => store.registerAsProcess(spec);
  const fleet = await openRoomy({ store, steward: false });
  const root = await fleet.start({ name: "root", run: ["x"] });
  const child = await fleet.start({ name: "child", parent: root.id, run: ["x"] });
  return { driver, fleet, root: root.id, ids: [root.id, child.id] };
}

test("[ST6] a tree that is stopped without grace stands still before one is killed", async () => {
  const { driver, fleet, root, ids } = await openTree();
  driver.log.length = 0;
  await fleet.stop(root, { graceMs: 0 });
  const first = driver.log.findIndex((line) => line.startsWith("stop"));
  expect(driver.log.slice(0, first).toSorted()).toEqual(ids.map((id) => `freeze ${id}`).toSorted());
});

test("[ST6] what cannot be frozen is killed all the same", async () => {
  const { driver, fleet, root } = await openTree();
  driver.freeze = () => Promise.reject(new Error("it cannot be frozen"));
  driver.log.length = 0;
  await fleet.stop(root, { graceMs: 0 });
  expect(driver.log.filter((line) => line.startsWith("stop"))).toHaveLength(2);
});

test("[ST6] who has a grace is asked, not frozen", async () => {
  const { driver, fleet, root } = await openTree();
  driver.log.length = 0;
  await fleet.stop(root, { graceMs: 1 });
  expect(driver.log.filter((line) => line.startsWith("freeze"))).toEqual([]);
});
