import { expect, test } from "vitest";
import { openUnder, ROOMY } from "./rig.ts";

const lifetimeMs = Number(ROOMY.lifetimeMs);
const BUDGET = { cpuMilli: 1_000, spawns: 5, units: { tokens: 100 } };

test("[LB93] a worker is shown with its account: granted, held, spent, free", async () => {
  await using fleet = await openUnder({ ...ROOMY, maxDepth: 1 });
  const root = await fleet.start({ budget: BUDGET });
  const budget = { cpuMilli: 400, units: { tokens: 30 }, spawns: 1 };
  const child = await root.maybeReplicate({ reason: "part", budget });
  expect(child.ok).toBe(true);
  await fleet.charge(root.id, { units: { tokens: 20 } });
  expect((await root.view())?.budget).toStrictEqual({
    granted: { ...BUDGET, lifetimeMs },
    reserved: { cpuMilli: 400, spawns: 1, units: { tokens: 30 } },
    spent: { spawns: 1, units: { tokens: 20 } },
    free: { cpuMilli: 600, spawns: 3, units: { tokens: 50 } },
  });
});

test("[LB93] what is unlimited has no amount anywhere", async () => {
  await using fleet = await openUnder(ROOMY);
  const root = await fleet.start();
  expect((await root.view())?.budget).toStrictEqual({
    granted: { lifetimeMs },
    reserved: {},
    spent: {},
    free: {},
  });
});

test("[LB93] one that has ended is shown with its charges, nothing free", async () => {
  await using fleet = await openUnder(ROOMY);
  const root = await fleet.start({ budget: BUDGET });
  await fleet.charge(root.id, { units: { tokens: 20 }, cpuMs: 5 });
  await fleet.charge(root.id, { units: { tokens: 1 } });
  await root.shutdown();
  expect((await root.ended()).budget).toStrictEqual({
    granted: { ...BUDGET, lifetimeMs },
    reserved: {},
    spent: { units: { tokens: 21 } },
    free: { cpuMilli: 0, spawns: 0, units: { tokens: 0 } },
  });
});
