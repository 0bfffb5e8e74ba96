import { fileURLToPath } from "node:url";
import type { Fleet, WorkerHandle, WorkerView } from "stint";
import { expect, test } from "vitest";
import { foundFleet, killOnTheSpot, LENIENT, openAt, supervised } from "../../client/rig.ts";
import { FROM_SOURCE } from "../../support/from-source.ts";
import { entriesOf, fired } from "../rig.ts";
import { LONG_MS, tokenOf } from "./rig.ts";

const PROGRAM = fileURLToPath(new URL("./holder.case.ts", import.meta.url));

/** Waits until a worker has checkpointed a field, and answers its state. */
async function stateWith(fleet: Fleet, id: string, field: string): Promise<WorkerView["state"]> {
  for await (const entry of fleet.entries({ follow: true })) {
    const isOfIt = entry.kind === "worker.checkpointed" && entry.data.worker === id;
    if (isOfIt && field in entry.data.state) return entry.data.state;
  }
  throw new Error("a worker must have checkpointed something, the fleet was closed");
}

async function withHolder(
  mode: string,
  state: WorkerView["state"] = {},
): Promise<{
  readonly dir: string;
  readonly fleet: Fleet;
  readonly worker: WorkerHandle;
  readonly supervisor: Awaited<ReturnType<typeof supervised>>;
}> {
  const { dir, fleet } = await foundFleet({ contract: LENIENT });
  const supervisor = await supervised(dir);
  const worker = await fleet.start({
    name: mode,
    run: [process.execPath, FROM_SOURCE, PROGRAM, mode],
    regions: ["own/**", "taken/**"],
    state,
  });
  return { dir, fleet, worker, supervisor };
}

test("[LB115] a supervised worker holds leases as itself, through its socket", async () => {
  const { dir, fleet } = await foundFleet({ contract: LENIENT });
  await supervised(dir);
  const outside = await fleet.acquire({ region: "taken/**", holder: "anna", ttlMs: LONG_MS });
  const worker = await fleet.start({
    name: "own",
    run: [process.execPath, FROM_SOURCE, PROGRAM, "own"],
    regions: ["own/**", "taken/**"],
    state: { outside: outside.id },
  });
  const { state, end } = await worker.ended();
  expect(end).toMatchObject({ reason: "completed", outcome: { exitCode: 0 } });
  expect(state).toMatchObject({
    ids: [true, true],
    token: null,
    trusts: false,
    same: true,
    held: [{ id: true, region: ["own/a/**", "own/b/**"] }],
    region: ["own/a/**", "own/b/**"],
    view: { holder: worker.id, runId: "r", isLive: true },
    taken: { code: "conflict", facts: { leaseId: outside.id, holder: "anna", witness: "taken/x" } },
    codes: ["holder_mismatch", "lease_unknown", "holder_mismatch", "rights_exceeded"],
    kept: { aborted: false },
    left: 0,
    after: "lease_ended",
  });
  expect(state["messages"]).toEqual([
    "options.ttlMs must be an integer from 1000 to 86400000, got 0",
    "options.any[1] must be text of 1 to 64 bytes, got 5",
    'options.regoin must be absent (no such option; did you mean region?), got "x"',
    'options.to must be a worker (only an operator gives leases to outside parties), got "anna"',
    'lease must be a lease id ("l-" and a number), got "7"',
  ]);
  const narrowed = (await entriesOf(fleet)).find(({ kind }) => kind === "lease.narrowed");
  expect(narrowed?.actor).toMatchObject({ kind: "worker", id: worker.id, via: "socket" });
  expect(outside.signal.aborted).toBe(false);
});

test("[LB116] a supervised worker hears at once that a lease is lost, and which", async () => {
  const { fleet, worker } = await withHolder("lost");
  const { lost } = await stateWith(fleet, worker.id, "lost");
  await fleet.revoke(lost as string, { reason: "x" });
  expect(await stateWith(fleet, worker.id, "by")).toEqual({
    by: "ended",
    isLive: false,
    next: "lease_ended",
    kept: false,
  });
});

test("[LB111] a supervised worker lends to its child, which holds what was lent", async () => {
  const { fleet, worker } = await withHolder("lend");
  const { state, end } = await worker.ended();
  expect(end).toMatchObject({ reason: "completed" });
  expect(state).toMatchObject({
    lent: { holder: true, lender: true },
    again: true,
    seen: [true],
    child: { region: ["own/a/**", "own/b/**"] },
    stranger: "not_authorised",
  });
  const { leftMs } = state["child"] as { readonly leftMs: number };
  expect(leftMs).toBeGreaterThan(30_000);
  expect(leftMs).toBeLessThan(60_000);
  // It has ended as it should, so its lease is given back.
  expect(fleet.leases()).toEqual([]);
});

test("[LB109] a supervised worker keeps its lease through the death of an operator", async () => {
  const { dir, fleet, worker } = await withHolder("keep");
  const { lease } = await stateWith(fleet, worker.id, "lease");
  await fleet.close();
  const other = await openAt(dir);
  const before = other.leases()[0]?.expiresAtMs ?? 0;
  await expect
    .poll(() => other.leases()[0]?.expiresAtMs ?? 0, { timeout: 10_000 })
    .toBeGreaterThan(before + 2_000);
  expect(other.leases().map(({ id }) => id)).toEqual([lease]);
});

test("[LB117] a lease that was had through a supervisor outlives it", async () => {
  const { dir, fleet } = await foundFleet({ contract: LENIENT });
  const { row } = await supervised(dir);
  expect(await fleet.supervisor()).not.toBeNull();
  const asked = { region: "src/**", holder: "anna", ttlMs: LONG_MS, key: "k" };
  const lease = await fleet.acquire(asked);
  const other = await openAt(dir, { supervisor: "none" });
  const found = await other.acquire(asked);
  expect([found.id, found.token]).toEqual([lease.id, tokenOf(lease)]);
  await killOnTheSpot(row);
  const again = await fleet.acquire(asked);
  expect(again.id).toBe(lease.id);
  expect(lease.signal.aborted).toBe(false);
  await lease.release();
  await other.look();
  expect(await fired(found.signal)).toMatchObject({ by: "released" });
});
