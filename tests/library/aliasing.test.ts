// What is handed out cannot be used to change anything, and what was handed in cannot be changed
// afterwards.

import { openFleet, memory } from "stint";
import { expect, test } from "vitest";
import { codeOf, closeAfterwards, granted, openRoomy, openUnder, ROOMY, SECRET } from "./rig.ts";

type Mutable<T> = { -readonly [K in keyof T]: Mutable<T[K]> };

/** Drops what keeps a compiler from writing; what keeps the run from it is under test. */
function loosen<T>(value: T): Mutable<T> {
  return value;
}

test("[LB6] a worker cannot change its own manifest (replication A13)", async () => {
  const fleet = await openUnder({ maxDepth: 1, budget: { cpuMilli: 1_000 } });
  const root = await fleet.start({ budget: { cpuMilli: 500 } });
  const manifest = loosen(root.manifest);
  expect(() => (manifest.depth = -50)).toThrow(TypeError);
  expect(() => (manifest.budget.cpuMilli = 64_000)).toThrow(TypeError);
  expect(() => (loosen(root).depth = -50)).toThrow(TypeError);
  const { worker: child } = granted(
    await root.maybeReplicate({ reason: "x", budget: { cpuMilli: 100 } }),
  );
  expect(codeOf(await child.maybeReplicate({ reason: "x" }))).toBe("max_depth");
  const greedy = { reason: "x", budget: { cpuMilli: 64_000 } };
  expect(codeOf(await root.maybeReplicate(greedy))).toBe("budget_exceeded");
});

test("[LB6] a state changed after it was handed in changes nothing (replication A14)", async () => {
  const fleet = await openRoomy();
  const state = { task: "analyse", parts: ["a"] };
  const issued = granted(await fleet.issueManifest({ name: "root", state }));
  state.task = "something else";
  state.parts.push("b");
  expect(issued.manifest.state).toEqual({ task: "analyse", parts: ["a"] });
  expect(fleet.verifyManifest(issued.envelope).verdict).toBe("valid");
  const { worker } = granted(await fleet.register(issued.envelope));
  expect((await worker.view())?.state).toEqual({ task: "analyse", parts: ["a"] });
});

test("[LB6] a checkpoint is a copy at its moment", async () => {
  const fleet = await openRoomy();
  const root = await fleet.start();
  const state = { count: 1 };
  const checkpoint = root.checkpoint(state);
  state.count = 2;
  await checkpoint;
  expect((await root.view())?.state).toEqual({ count: 1 });
});

test("[LB6] the contract cannot be changed by what is handed out (replication A20)", async () => {
  const given = { ...ROOMY, maxReplicas: 1, budget: { spawns: 1 } };
  const fleet = await openFleet({ store: memory(), secret: SECRET, contract: given });
  closeAfterwards(fleet);
  given.maxReplicas = 1_000;
  given.budget.spawns = 1_000;
  const contract = loosen(fleet.contract);
  expect(() => (contract.maxReplicas = 1_000)).toThrow(TypeError);
  expect(() => contract.stopConditions.push({ name: "x" })).toThrow(TypeError);
  expect(() => (loosen(fleet).status = "open")).toThrow(TypeError);
  const root = await fleet.start();
  await root.performTask(({ worker }) => {
    expect(Object.isFrozen(worker)).toBe(true);
    expect(() => (loosen(worker).id = "w-aaaaaaaaaaaaaaaa")).toThrow(TypeError);
  });
  expect(codeOf(await fleet.tryStart())).toBe("max_replicas");
});

test("[LB6] views, entries and metrics are frozen all the way down (replication A20)", async () => {
  const fleet = await openUnder({ maxReplicas: 1 });
  await fleet.start({ state: { parts: [{ name: "a" }] } });
  const refused = await fleet.tryStart();
  const entries = [];
  for await (const entry of fleet.entries()) entries.push(entry);
  const receipt = await fleet.kill({ reason: "drill" });
  const handedOut = [
    fleet.workers(),
    await fleet.workers({ all: true }),
    fleet.metrics(),
    refused,
    entries,
    fleet.recent("entry"),
    await fleet.report(),
    receipt,
  ];
  for (const value of handedOut.flatMap((one) => (Array.isArray(one) ? (one as unknown[]) : [one])))
    expect(isDeepFrozen(value)).toBe(true);
});

test("[LB6] the contract in force binds workers of every handle (replication A21)", async () => {
  const store = memory();
  const strict = await openRoomy({ store, contract: { ...ROOMY, lifetimeMs: 5_000, maxDepth: 0 } });
  const lax = { store, secret: SECRET, contract: { ...ROOMY, lifetimeMs: 600_000, maxDepth: 9 } };
  await expect(openFleet(lax)).rejects.toThrow("lifetimeMs: in force 5000, given 600000");
  const { contract: _, ...silent } = lax;
  const other = await openFleet(silent);
  closeAfterwards(other);
  const root = await other.start();
  const { expiresAtMs, issuedAtMs } = root.manifest;
  expect(expiresAtMs - issuedAtMs).toBe(5_000);
  expect(codeOf(await root.maybeReplicate({ reason: "x" }))).toBe("max_depth");
  expect(strict.contract).toEqual(other.contract);
});

test("[LB6] options with a parent or weaknesses of their own are not ours to take", async () => {
  const fleet = await openRoomy();
  const worker = await fleet.start();
  for (const field of ["parent", "degraded"]) {
    const options = { reason: "x", [field]: field === "parent" ? worker.id : [] };
    const asked = worker.maybeReplicate(options);
    await expect(asked).rejects.toThrow(`options.${field} must be absent`);
  }
  await expect(fleet.tryStart({ degraded: [] } as never)).rejects.toThrow("options.degraded");
});

function isDeepFrozen(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return true;
  return Object.isFrozen(value) && Object.values(value).every(isDeepFrozen);
}
