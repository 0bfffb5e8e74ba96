import { Fault, LeaseLost, memory } from "stint";
import { expect, test } from "vitest";
import { MadeStore } from "../made-store.ts";
import { entriesOf, fired, kindsOf, makeGate, openRoomy, rejectionOf } from "../rig.ts";
import { LONG_MS, refusedBy, SHORT_MS, tokenOf } from "./rig.ts";

const SRC = { region: "src/**", holder: "anna", ttlMs: SHORT_MS };

/** Waits for a time that work under a lease takes. */
const working = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

test("[LB109] work under a lease keeps it, however long it takes, and gives it back", async () => {
  const fleet = await openRoomy();
  const result = await fleet.withLease(SRC, async (lease, signal) => {
    await working(3 * SHORT_MS);
    expect(signal.aborted).toBe(false);
    expect(fleet.leases()).toMatchObject([{ id: lease.id }]);
    return lease.id;
  });
  const kinds = await kindsOf(fleet);
  expect(kinds.filter((kind) => kind === "lease.renewed").length).toBeGreaterThanOrEqual(3);
  expect(kinds.at(-1)).toBe("lease.released");
  expect(await fleet.findLease(result)).toMatchObject({ ended: { how: "released" } });
});

test("[LB109] what the work throws is thrown on, and the lease is given back", async () => {
  const fleet = await openRoomy();
  const failing = fleet.withLease(SRC, () => {
    throw new Error("no luck");
  });
  expect((await rejectionOf(failing)).message).toBe("no luck");
  expect(fleet.leases()).toEqual([]);
  await expect(fleet.withLease(SRC, async () => 7)).resolves.toBe(7);
  const error = await rejectionOf(fleet.withLease(SRC, "work" as never));
  expect(error.message).toBe('run must be a function, got "work"');
});

test("[LB109] work is not begun under a lease that cannot be had", async () => {
  const fleet = await openRoomy();
  await fleet.acquire({ ...SRC, ttlMs: LONG_MS });
  let begun = 0;
  const refused = await refusedBy(
    fleet.withLease({ ...SRC, holder: "bob" }, () => {
      begun += 1;
    }),
  );
  expect([refused.code, begun]).toEqual(["conflict", 0]);
});

test("[LB109] work whose lease is revoked is told at once, and ends with that", async () => {
  const store = memory();
  const [fleet, other] = [await openRoomy({ store }), await openRoomy({ store })];
  const begun = makeGate();
  let id = "";
  const heeding = fleet.withLease(SRC, async (lease, signal) => {
    id = lease.id;
    begun.open();
    throw await fired(signal);
  });
  const ended = rejectionOf(heeding);
  await begun.passed;
  await other.revoke(id, { reason: "maintenance" });
  expect(await ended).toMatchObject({ name: "LeaseLost", by: "revoked", lease: id });
});

test("[LB109] work that does not heed the loss of its lease is no success", async () => {
  const fleet = await openRoomy();
  const deaf = fleet.withLease(SRC, async (lease) => {
    await fleet.lease(lease.id, { token: tokenOf(lease) }).release();
    return "done";
  });
  expect(await rejectionOf(deaf)).toBeInstanceOf(LeaseLost);
});

test("[LB109] a renewal that fails for a while harms nothing", async () => {
  const store = new MadeStore();
  const fleet = await openRoomy({ store });
  const result = fleet.withLease(SRC, async (_, signal) => {
    await working(SHORT_MS / 4);
    store.weather = "full";
    await working(SHORT_MS / 4);
    store.weather = "fair";
    await working(SHORT_MS);
    return signal.aborted;
  });
  expect(await result).toBe(false);
});

test("[LB109] work that cannot renew its lease any more is told before it lapses", async () => {
  const store = new MadeStore();
  const fleet = await openRoomy({ store });
  const failing = fleet.withLease(SRC, async (lease, signal) => {
    store.onAppend = async () => {
      throw new Fault("storage_full", "the disk must have space");
    };
    const reason = await fired(signal);
    expect(Date.now()).toBeLessThan(lease.view().expiresAtMs);
    throw reason;
  });
  const error = await rejectionOf(failing);
  expect(error).toMatchObject({ name: "LeaseLost", by: "lapsing" });
  // What could not be given back lapses by itself.
  store.onAppend = async () => undefined;
  const heir = (): Promise<boolean> =>
    fleet.tryAcquire({ ...SRC, holder: "bob" }).then(({ ok }) => ok);
  await expect.poll(heir, { timeout: 5_000 }).toBe(true);
});

test("[LB109] work of a worker that is stopped loses its lease before that lapses", async () => {
  const fleet = await openRoomy();
  const worker = await fleet.start();
  const begun = makeGate();
  const failing = worker.withLease({ region: "src/**", ttlMs: SHORT_MS }, async (_, signal) => {
    begun.open();
    throw await fired(signal);
  });
  const ended = rejectionOf(failing);
  await begun.passed;
  // As failed: what it held stays protected until its time is over, or somebody takes it over.
  await worker.shutdown("failed");
  expect(await ended).toMatchObject({ name: "LeaseLost", by: "refused" });
});

test("[LB114] a renewal of a worker's own counts as a beat", async () => {
  const beating = { beatEveryMs: 600_000, reapAfterMs: 3_600_000 };
  const store = new MadeStore();
  const fleet = await openRoomy({ store, contract: { ...beating, maxReplicas: 5 } });
  const worker = await fleet.start();
  const lease = await worker.acquire({ region: "src/**", ttlMs: LONG_MS });
  const { pulse } = await store.open();
  const count = async (): Promise<number> =>
    (await pulse.read()).rows.find((row) => row.worker === worker.id)?.count ?? 0;
  const before = await count();
  await lease.renew();
  expect(await count()).toBe(before + 1);
  // It is a beat though nothing of it was written.
  expect((await entriesOf(fleet)).at(-1)?.kind).toBe("lease.granted");
  // An operator that renews for it is no sign of its life.
  await fleet.lease(lease.id, { worker: worker.id }).renew();
  expect(await count()).toBe(before + 1);
});
