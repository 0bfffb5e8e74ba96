// Moments at which holders of an earlier system got into each other's way, each tried by processes
// of their own. What became of it is read from the journal, from outside.
import { expect, test, vi } from "vitest";
import { makeSite } from "./contest.ts";
import { auditLeases, readEntries } from "./outside-journal.ts";
import { denied, granted, Party } from "./party.ts";

vi.setConfig({ testTimeout: 120_000 });

const REGION = "src/api/**";

test("[LP3] of two processes that ask in one moment one is granted it (leases H01)", async () => {
  const stateDir = await makeSite();
  const parties = await Promise.all(["anna", "ben"].map((name) => Party.enter(stateDir, name)));
  const asked = await Promise.all(
    parties.map((party) => party.tell({ do: "acquire", options: { region: REGION } })),
  );
  const first = asked.findIndex(({ ok }) => ok);
  const [winner, loser] = first === 0 ? parties : parties.toReversed();
  const { id = "", fence = 0 } = granted(asked[first] ?? { ok: true });
  const refused = denied(asked[1 - first] ?? { ok: true });
  expect(refused).toMatchObject({ code: "conflict", facts: { leaseId: id, own: false } });

  // In the same second it goes to the other, and what the first one still says about its own
  // lease says nothing about that of the other.
  granted((await winner?.tell({ do: "release", lease: id })) ?? { ok: true });
  const next = await loser?.acquire({ region: REGION });
  expect(next?.id).not.toBe(id);
  expect(next?.fence).toBeGreaterThan(fence);
  const late = denied((await winner?.tell({ do: "renew", lease: id })) ?? { ok: true });
  expect(late.code).toBe("lease_ended");
  const audit = auditLeases(readEntries(stateDir));
  expect(audit.wrongs).toEqual([]);
  expect([...audit.ended]).toEqual([[id, "lease.released"]]);
});

test("[LP4] two processes under one name are one holder (leases H02)", async () => {
  const stateDir = await makeSite();
  const [one, other] = await Promise.all([
    Party.enter(stateDir, "ci"),
    Party.enter(stateDir, "ci"),
  ]);
  const { id, fence } = await one.acquire({ region: REGION });
  // Ground that is not just the same is in the way, whoever holds it.
  const refused = await other.denied({ region: "src/**" });
  expect(refused).toMatchObject({ code: "conflict", facts: { leaseId: id, own: true } });
  // The same ground is the lease that this name has, not a second one.
  expect(await other.acquire({ region: REGION })).toMatchObject({ id, fence });
  expect(auditLeases(readEntries(stateDir)).counts["lease.granted"]).toBe(1);
  // It ends once, for both.
  granted(await one.tell({ do: "release", lease: id }));
  expect(await other.tell({ do: "renew", lease: id })).toMatchObject({ code: "lease_ended" });
  expect(await other.tell({ do: "check", path: "src/api/a.ts", fence })).toMatchObject({
    allowed: false,
    reason: "lapsed",
  });
});
