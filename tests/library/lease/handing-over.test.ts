import { memory, type Fleet, type WorkerHandle } from "stint";
import { expect, test } from "vitest";
import { entriesOf, fired, granted, openRoomy, rejectionOf } from "../rig.ts";
import { LONG_MS, refusedBy, tokenOf } from "./rig.ts";

const SRC = { region: "src/**", holder: "anna", ttlMs: LONG_MS };

async function withFamily(): Promise<{
  readonly fleet: Fleet;
  readonly parent: WorkerHandle;
  readonly child: WorkerHandle;
}> {
  const fleet = await openRoomy();
  const parent = await fleet.start({ name: "parent" });
  const { worker: child } = granted(await parent.maybeReplicate({ reason: "x", name: "child" }));
  return { fleet, parent, child };
}

test("[LB110] what is handed over has a new fence and a new token (leases H41)", async () => {
  const store = memory();
  const [fleet, other] = [await openRoomy({ store }), await openRoomy({ store })];
  const lease = await fleet.acquire(SRC);
  const handed = await other
    .lease(lease.id, { token: tokenOf(lease) })
    .handOver({ to: "bob", runId: "r9" });
  expect(handed).toMatchObject({
    id: lease.id,
    holder: "bob",
    runId: "r9",
    takenOver: { holder: "anna", fence: lease.fence, orphan: false },
  });
  expect(handed.fence).toBeGreaterThan(lease.fence);
  expect(handed.token).not.toBe(lease.token);
  // The former holder learns of it by its signal, and at its next call.
  expect(await fired(lease.signal)).toMatchObject({ by: "taken_over" });
  const refused = await refusedBy(lease.renew());
  expect(refused).toMatchObject({
    code: "holder_mismatch",
    refusal: { facts: { leaseId: lease.id, holder: "bob", takenOver: { holder: "anna" } } },
  });
  const heir = await other.lease(lease.id, { token: handed.token ?? "" }).hold();
  expect(heir.fence).toBe(handed.fence);
  expect(heir.trustedUntil).toBeGreaterThan(performance.now() + LONG_MS / 2);
  await heir.release();
});

test("[LB110] whoever hands his lease over has lost it at once", async () => {
  const fleet = await openRoomy();
  const lease = await fleet.acquire(SRC);
  await lease.handOver({ to: "bob" });
  expect(lease.signal.reason).toMatchObject({ by: "taken_over" });
});

test("[LB110] an operator gives a lease to another by its token", async () => {
  const fleet = await openRoomy();
  const worker = await fleet.start({ name: "heir" });
  const lease = await fleet.acquire(SRC);
  const adopted = await fleet.adopt({
    lease: lease.id,
    holder: "worker:heir",
    token: tokenOf(lease),
    from: "anna",
  });
  expect(adopted.view()).toMatchObject({ holder: worker.id, takenOver: { holder: "anna" } });
  expect(adopted.token).toBeNull();
  expect((await worker.leases()).map(({ id }) => id)).toEqual([lease.id]);
  await worker.lease(lease.id).release();
  expect(adopted.signal.aborted).toBe(true);
});

test("[LB110] of who lives nobody takes a lease over as an orphan (leases H13)", async () => {
  const { fleet, parent, child } = await withFamily();
  const lease = await parent.acquire({ region: "src/**", ttlMs: LONG_MS });
  const outside = await fleet.acquire({ region: "docs/**", holder: "anna" });
  const asked = [
    () => fleet.adopt({ lease: lease.id, holder: "bob", orphan: true }),
    () => fleet.adopt({ lease: outside.id, holder: "bob", orphan: true }),
    () => child.adopt({ lease: lease.id }),
  ];
  for (const ask of asked) expect((await refusedBy(ask())).code).toBe("holder_mismatch");
  const error = await rejectionOf(
    fleet.adopt({ lease: lease.id, holder: "bob", orphan: "yes" } as never),
  );
  expect(error.message).toBe('options.orphan must be true or false, got "yes"');
  expect(lease.signal.aborted).toBe(false);
});

test("[LB110] what a failed worker leaves is taken over under a new fence", async () => {
  const { fleet, parent, child } = await withFamily();
  const lease = await child.acquire({ region: "src/**", ttlMs: LONG_MS, key: "k" });
  await child.shutdown("failed");
  await child.ended();
  expect(fleet.leases()).toMatchObject([{ id: lease.id, orphaned: true }]);
  const adopted = await parent.adopt({ lease: lease.id, runId: "again" });
  expect(adopted.view()).toMatchObject({
    holder: parent.id,
    orphaned: false,
    key: null,
    takenOver: { holder: child.id, orphan: true, fence: lease.fence },
  });
  expect(adopted.fence).toBeGreaterThan(lease.fence);
  await adopted.renew({ ttlMs: 2 * LONG_MS });
  await adopted.release();
});

test("[LB111] a part is lent to a worker below, which finds it and holds it", async () => {
  const { fleet, parent, child } = await withFamily();
  const lease = await parent.acquire({ region: "src/**", ttlMs: LONG_MS });
  const asked = { to: child.id, region: "src/a/**", exclude: ["src/a/gen/**"], ttlMs: LONG_MS / 2 };
  const lent = await lease.split(asked);
  expect(lent).toMatchObject({
    holder: child.id,
    lender: lease.id,
    region: ["src/a/**", "!src/a/gen/**"],
    isLive: true,
  });
  // Asking again is harmless, and answers what was lent.
  expect((await lease.split(asked)).id).toBe(lent.id);
  expect(await child.leases()).toMatchObject([{ id: lent.id }]);
  const held = await child.lease(lent.id).hold();
  expect(held.fence).toBe(lent.fence);
  expect(held.trustedUntil).toBeGreaterThan(performance.now() + LONG_MS / 3);
  // It ends with what it is lent of, when that is revoked.
  await fleet.revoke(lease.id, { reason: "x" });
  expect(await fired(held.signal)).toMatchObject({ by: "revoked" });
});

test("[LB111] nothing is lent sideways, to outside parties, or beyond what is held", async () => {
  const { fleet, parent, child } = await withFamily();
  const other = await fleet.start({ name: "other" });
  const lease = await parent.acquire({ region: "src/**", ttlMs: LONG_MS });
  expect((await refusedBy(lease.split({ to: other.id, region: "src/a" }))).code).toBe(
    "rights_exceeded",
  );
  const wide = await refusedBy(lease.split({ to: child.id, region: "docs/**" }));
  expect(wide).toMatchObject({ code: "rights_exceeded", refusal: { facts: { witness: "docs" } } });
  const error = await rejectionOf(lease.split({ to: "anna", region: "src/a" }));
  expect(error.message).toMatch(/^options\.to must be a worker .*, got "anna"$/);
  const misspelt = await rejectionOf(lease.split({ to: child.id, regoin: "src/a" } as never));
  expect(misspelt.message).toMatch(/regoin .* did you mean region\?/);
  expect(fleet.leases()).toHaveLength(1);
});

test("[LB111] a worker acts on nobody's lease but its own", async () => {
  const { fleet, parent, child } = await withFamily();
  const [lease, outside] = await Promise.all([
    parent.acquire({ region: "src/**" }),
    fleet.acquire({ region: "docs/**", holder: "anna" }),
  ]);
  for (const id of [lease.id, outside.id])
    expect((await refusedBy(child.lease(id).release())).code).toBe("holder_mismatch");
  const to = await rejectionOf(child.lease(lease.id).handOver({ to: "anna" }));
  expect(to.message).toMatch(/^options\.to must be a worker \(only an operator gives leases to/);
  const holder = await rejectionOf(child.acquire({ region: "x", holder: parent.id } as never));
  expect(holder.message).toMatch(/^options\.holder must be absent/);
  expect((await entriesOf(fleet)).map(({ kind }) => kind)).not.toContain("lease.released");
});

test("[LB111] a worker is given nothing outside of its own regions", async () => {
  const fleet = await openRoomy();
  const worker = await fleet.start({ regions: ["src/api/**"] });
  const refused = await worker.tryAcquire({ region: "src/*/x.ts" });
  expect(refused).toMatchObject({
    refusal: { code: "rights_exceeded", facts: { field: "region" } },
  });
  expect(await worker.tryAcquire({ region: "src/api/*.ts" })).toMatchObject({ ok: true });
});
