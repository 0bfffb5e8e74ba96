import { LeaseLost, memory, type Fleet } from "stint";
import { expect, test } from "vitest";
import { MadeStore } from "../made-store.ts";
import { entriesOf, fired, kindsOf, openRoomy, rejectionOf } from "../rig.ts";
import { LONG_MS, refusedBy, SHORT_MS, tokenOf } from "./rig.ts";

const SRC = { region: "src/**", holder: "anna" };

/** Why the signal of a lease has fired. */
async function lostBy({ signal }: { readonly signal: AbortSignal }): Promise<string> {
  const reason = await fired(signal);
  expect(reason).toBeInstanceOf(LeaseLost);
  return (reason as LeaseLost).by;
}

async function twoHandles(): Promise<readonly [Fleet, Fleet]> {
  const store = memory();
  return [await openRoomy({ store }), await openRoomy({ store })];
}

test("[LB105] a lease is relied on from the sending of its grant, less a margin", async () => {
  const store = new MadeStore();
  const fleet = await openRoomy({ store });
  let answeredAtMs = 0;
  store.onAppended = async () => {
    // The reply takes its time: what is granted runs meanwhile.
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    answeredAtMs = performance.now();
  };
  const sentAtMs = performance.now();
  const lease = await fleet.acquire({ ...SRC, ttlMs: LONG_MS });
  expect(answeredAtMs - sentAtMs).toBeGreaterThan(1_900);
  expect(lease.trustedUntil).toBeLessThan(sentAtMs + LONG_MS - 5_000 + 1_000);
  expect(lease.trustedUntil).toBeGreaterThan(sentAtMs + LONG_MS - 5_000 - 1_000);
});

test("[LB105] the signal fires before the lease lapses, by its holder's clock", async () => {
  const fleet = await openRoomy();
  const lease = await fleet.acquire({ ...SRC, ttlMs: SHORT_MS });
  const { trustedUntil } = lease;
  expect(lease.signal.aborted).toBe(false);
  expect(await lostBy(lease)).toBe("lapsing");
  expect(performance.now()).toBeGreaterThanOrEqual(trustedUntil - 20);
  expect(Date.now()).toBeLessThan(lease.expiresAtMs);
  expect(lease.trustedUntil).toBe(Number.NEGATIVE_INFINITY);
  // Its end itself is recorded when it has come, and shown.
  await expect.poll(() => lease.view().ended?.how).toBe("lapsed");
  expect(lease.view().isLive).toBe(false);
  expect((await refusedBy(lease.renew())).code).toBe("lease_ended");
});

test("[LB105] a lease whose grant took too long to arrive is not relied on at all", async () => {
  const store = new MadeStore();
  const fleet = await openRoomy({ store, steward: false });
  store.onAppended = () => new Promise((resolve) => setTimeout(resolve, SHORT_MS));
  const lease = await fleet.acquire({ ...SRC, ttlMs: SHORT_MS });
  expect(lease.signal.aborted).toBe(true);
  expect(lease.signal.reason).toMatchObject({ by: "lapsing", lease: lease.id });
});

test("[LB107] a renewal that moves the end by little answers the recorded one", async () => {
  const fleet = await openRoomy();
  const lease = await fleet.acquire({ ...SRC, ttlMs: LONG_MS });
  const before = await kindsOf(fleet);
  const until = lease.trustedUntil;
  await new Promise((resolve) => setTimeout(resolve, 2_000));
  expect(await lease.renew()).toEqual({ expiresAtMs: lease.expiresAtMs });
  expect(await kindsOf(fleet)).toEqual(before);
  // What is relied on never goes beyond what is recorded: it does not move with the asking.
  expect(Math.abs(lease.trustedUntil - until)).toBeLessThan(1_000);
});

test("[LB107] a renewal that is recorded moves what may be relied on", async () => {
  const fleet = await openRoomy();
  const lease = await fleet.acquire({ ...SRC, ttlMs: SHORT_MS });
  const { expiresAtMs, trustedUntil } = lease;
  const renewed = await lease.renew({ ttlMs: LONG_MS, runId: "r2" });
  expect(renewed.expiresAtMs).toBeGreaterThan(expiresAtMs + LONG_MS / 2);
  expect(lease.expiresAtMs).toBe(renewed.expiresAtMs);
  expect(lease.trustedUntil).toBeGreaterThan(trustedUntil + LONG_MS / 2);
  expect((await entriesOf(fleet)).at(-1)).toMatchObject({
    kind: "lease.renewed",
    data: { lease: lease.id, runId: "r2", expiresAtMs: renewed.expiresAtMs },
  });
  // It never shortens.
  expect(await lease.renew({ ttlMs: SHORT_MS })).toEqual(renewed);
});

test("[LB107] whoever finds a lease that runs already relies on what is left of it", async () => {
  const [fleet, other] = await twoHandles();
  const first = await fleet.acquire({ ...SRC, ttlMs: 4 * SHORT_MS });
  await new Promise((resolve) => setTimeout(resolve, SHORT_MS));
  const found = await other.acquire({ ...SRC, ttlMs: 4 * SHORT_MS });
  expect(found.id).toBe(first.id);
  const leftMs = found.trustedUntil - performance.now();
  expect(leftMs).toBeLessThan(3 * SHORT_MS - 300);
  expect(leftMs).toBeGreaterThan(SHORT_MS);
});

const ENDS: readonly [string, string, (fleet: Fleet, id: string, token: string) => unknown][] = [
  ["released elsewhere", "released", (fleet, id, token) => fleet.lease(id, { token }).release()],
  ["revoked", "revoked", (fleet, id) => fleet.revoke(id, { reason: "x" })],
  [
    "handed over elsewhere",
    "taken_over",
    (fleet, id, token) => fleet.lease(id, { token }).handOver({ to: "bob" }),
  ],
  ["of a fleet that is killed", "killed", (fleet) => fleet.kill({ reason: "x", settleMs: 0 })],
];

test.each(ENDS)("[LB106] the signal of a lease that is %s says %s", async (...row) => {
  const [, by, end] = row;
  const [fleet, other] = await twoHandles();
  const lease = await fleet.acquire({ ...SRC, ttlMs: LONG_MS });
  await end(other, lease.id, tokenOf(lease));
  expect(await lostBy(lease)).toBe(by);
  expect(lease.trustedUntil).toBe(Number.NEGATIVE_INFINITY);
});

test("[LB106] whoever closes his handle is told that he hears nothing more", async () => {
  const [fleet, other] = await twoHandles();
  const lease = await fleet.acquire({ ...SRC, ttlMs: LONG_MS });
  await fleet.close();
  expect(lease.signal.reason).toMatchObject({ by: "closed" });
  expect((await rejectionOf(lease.renew())).code).toBe("closed");
  expect((await rejectionOf(lease.release())).code).toBe("closed");
  // Closing ends no lease.
  expect(other.leases()).toMatchObject([{ id: lease.id, isLive: true }]);
  await other.lease(lease.id, { token: tokenOf(lease) }).release();
});

test("[LB106] what a worker gives back by ending as it should is lost to it", async () => {
  const fleet = await openRoomy();
  const worker = await fleet.start();
  const lease = await worker.acquire({ region: "src/**" });
  const kept = await fleet.acquire({ region: "docs/**", holder: "anna" });
  await worker.shutdown();
  expect(await lostBy(lease)).toBe("completed");
  expect(lease.view().ended).toMatchObject({ how: "completed" });
  expect(fleet.leases().map(({ id }) => id)).toEqual([kept.id]);
});

test("[LB108] a lease is released where its block ends, once", async () => {
  const fleet = await openRoomy();
  let held;
  {
    await using lease = await fleet.acquire(SRC);
    held = lease;
    expect(fleet.leases()).toHaveLength(1);
  }
  expect(fleet.leases()).toEqual([]);
  await Promise.all([held.release(), held.release(), held[Symbol.asyncDispose]()]);
  expect((await kindsOf(fleet)).filter((kind) => kind === "lease.released")).toHaveLength(1);
});

test("[LB108] a lease that has ended by then is no error where its block ends", async () => {
  const fleet = await openRoomy();
  const [revoked, taken] = await Promise.all([
    fleet.acquire(SRC),
    fleet.acquire({ ...SRC, region: "docs/**" }),
  ]);
  {
    await using first = revoked;
    await using second = taken;
    await fleet.revoke(first.id, { reason: "x" });
    await fleet.lease(second.id, { token: tokenOf(second) }).handOver({ to: "bob" });
  }
  expect(fleet.leases()).toMatchObject([{ id: taken.id, holder: "bob" }]);
  // But a release that was asked for says so.
  expect((await refusedBy(revoked.release())).code).toBe("lease_ended");
});

test("[LB108] a release that could not be written may be tried again", async () => {
  const store = new MadeStore();
  const fleet = await openRoomy({ store });
  const lease = await fleet.acquire(SRC);
  store.weather = "full";
  expect((await rejectionOf(lease.release())).code).toBe("storage_full");
  store.weather = "fair";
  await lease.release();
  expect(fleet.leases()).toEqual([]);
});

test("[LB108] a late release touches no later lease (leases H30, leases H17)", async () => {
  const [fleet, other] = await twoHandles();
  const old = await fleet.acquire({ ...SRC, ttlMs: SHORT_MS });
  await lostBy(old);
  await expect.poll(() => old.view().ended?.how).toBe("lapsed");
  const heir = await other.acquire({ ...SRC, ttlMs: LONG_MS });
  expect(heir.id).not.toBe(old.id);
  for (const act of [() => old.renew(), () => old.release(), () => old.narrow("src/a")])
    expect((await refusedBy(act())).code).toBe("lease_ended");
  // The old token is no credential for the new lease of the same name on the same ground.
  const forged = fleet.lease(heir.id, { token: tokenOf(old), holder: "anna" });
  expect((await refusedBy(forged.release())).code).toBe("holder_mismatch");
  expect(heir.signal.aborted).toBe(false);
});

test("[LB108] what is narrowed is free for others, and what stays is held", async () => {
  const [fleet, other] = await twoHandles();
  const lease = await fleet.acquire(SRC);
  await lease.narrow(["src/a/**", "src/b/**"], { exclude: ["src/b/gen/**"] });
  expect(lease.view().region).toEqual(["src/a/**", "src/b/**", "!src/b/gen/**"]);
  await other.acquire({ region: "src/b/gen/**", holder: "bob" });
  const refused = await refusedBy(lease.narrow("src/**"));
  expect(refused).toMatchObject({ code: "rights_exceeded" });
  const error = await rejectionOf(lease.narrow([]));
  expect(error.message).toMatch(/^region must be at least one pattern/);
});

test("[LB106] a crashed holder's ground is free when its time is over (leases H12)", async () => {
  const [fleet, other] = await twoHandles();
  await fleet.acquire({ ...SRC, ttlMs: SHORT_MS });
  await fleet.close();
  expect(await other.tryAcquire({ ...SRC, holder: "bob" })).toMatchObject({ ok: false });
  const again = (): Promise<boolean> =>
    other.tryAcquire({ ...SRC, holder: "bob" }).then(({ ok }) => ok);
  await expect.poll(again, { timeout: 5_000 }).toBe(true);
});
