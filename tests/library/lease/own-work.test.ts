import { expect, test } from "vitest";
import { LONG_MS, openWithLanes, refusedBy } from "./rig.ts";

const ASKED = { lane: "api", holder: "agent", ttlMs: LONG_MS };

test("[LB46] two pieces of work in one name do not share a lease (leases H02)", async () => {
  await using fleet = await openWithLanes();
  await fleet.withLease(ASKED, async () => {
    const refused = await refusedBy(fleet.withLease(ASKED, () => expect.unreachable()));
    expect(refused.refusal).toMatchObject({ code: "conflict", facts: { own: true } });
    expect(fleet.leases()).toHaveLength(1);
  });
  expect(fleet.leases()).toEqual([]);
});

test("[LB46] work takes no key: two of one key would share a lease (leases H02)", async () => {
  await using fleet = await openWithLanes();
  const keyed = { ...ASKED, key: "nightly" };
  await expect(fleet.withLease(keyed, () => expect.unreachable())).rejects.toThrow(
    /^options\.key must be absent .+, got "nightly"$/,
  );
  expect(fleet.leases()).toEqual([]);
});

test("[LB47] what a holder had before is not given back by a handle that asked again", async () => {
  await using fleet = await openWithLanes();
  const first = await fleet.acquire(ASKED);
  {
    await using again = await fleet.acquire(ASKED);
    expect(again.id).toBe(first.id);
  }
  expect(fleet.leases().map(({ id }) => id)).toEqual([first.id]);
  expect(first.signal.aborted).toBe(false);
  {
    await using keyed = await fleet.acquire({ ...ASKED, lane: "ports", key: "k" });
    await using same = await fleet.acquire({ ...ASKED, lane: "ports", key: "k" });
    expect(same.id).toBe(keyed.id);
  }
  expect(fleet.leases()).toHaveLength(1);
  await first.release();
});
