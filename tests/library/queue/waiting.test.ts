import { memory, type Fleet, type LeaseHandle } from "stint";
import { expect, test } from "vitest";
import { fired, makeGate, openRoomy, rejectionOf } from "../rig.ts";
import { LONG_MS, openWithLanes, refusedBy } from "../lease/rig.ts";

const SRC = { region: "src/**", ttlMs: LONG_MS };

/** Waits until so many wait. */
async function waited(fleet: Fleet, count: number): Promise<void> {
  if (fleet.waiting().length === count) return;
  for await (const _ of fleet.entries({ follow: true })) {
    if (fleet.waiting().length === count) return;
  }
}

/** Whoever waits, in the order of coming, each known to be in line before the next one comes. */
async function inLine(
  fleet: Fleet,
  holders: readonly string[],
  more: object = {},
): Promise<readonly Promise<LeaseHandle>[]> {
  const waiting: Promise<LeaseHandle>[] = [];
  for (const [index, holder] of holders.entries()) {
    waiting.push(fleet.acquire({ ...SRC, ...more, holder, waitMs: LONG_MS }));
    await waited(fleet, index + 1);
  }
  return waiting;
}

test("[LB140] who waits is served when the ground is given back, first come first", async () => {
  const fleet = await openRoomy();
  const held = await fleet.acquire({ ...SRC, holder: "ann" });
  const names = ["b1", "b2", "b3", "b4"];
  const line = await inLine(fleet, names);
  expect(fleet.waiting().map(({ holder }) => holder)).toEqual(names);
  expect(fleet.waiting()[0]).toMatchObject({
    holderKind: "outside",
    grounds: [{ lane: null, mode: "exclusive", region: ["src/**"] }],
    behind: [{ by: held.id, holder: "ann" }],
    isTurn: false,
  });
  expect(fleet.waiting()[1]?.behind).toEqual([
    { by: held.id, holder: "ann" },
    { by: fleet.waiting()[0]?.id, holder: "b1" },
  ]);
  await held.release();
  const served: string[] = [];
  for (const one of line) {
    const lease = await one;
    served.push(lease.view().holder);
    expect(lease.view().place).toMatch(/^q-\d+$/);
    await lease.release();
  }
  expect(served).toEqual(names);
  expect(fleet.waiting()).toEqual([]);
});

test("[LB140] tasks of one program wait for each other under one name", async () => {
  const fleet = await openRoomy();
  let running = 0;
  const results = await Promise.all(
    [1, 2, 3, 4, 5].map((number) =>
      fleet.withLease({ ...SRC, holder: "app", waitMs: LONG_MS }, async () => {
        running += 1;
        await new Promise((resolve) => setTimeout(resolve, 5));
        expect(running).toBe(1);
        running -= 1;
        return number;
      }),
    ),
  );
  expect(results).toEqual([1, 2, 3, 4, 5]);
});

test("[LB141] a wait ends by its deadline, and by its signal, and the place is left", async () => {
  const fleet = await openRoomy();
  const held = await fleet.acquire({ ...SRC, holder: "ann" });
  const late = await refusedBy(fleet.acquire({ ...SRC, holder: "bob", waitMs: 300 }));
  expect(late.refusal).toMatchObject({ code: "wait_timeout", facts: { waitedMs: 300 } });
  const controller = new AbortController();
  const asked = { ...SRC, holder: "bob", waitMs: LONG_MS, signal: controller.signal };
  const waiting = fleet.acquire(asked);
  await waited(fleet, 1);
  controller.abort(new Error("enough"));
  expect((await rejectionOf(waiting)).message).toBe("enough");
  await waited(fleet, 0);
  expect((await rejectionOf(fleet.acquire(asked))).message).toBe("enough");
  await held.release();
  await fleet.acquire({ ...SRC, holder: "carl" });
});

test("[LB141] whoever gives up just when its turn comes leaves no lease behind", async () => {
  const fleet = await openRoomy();
  for (let round = 0; round < 20; round += 1) {
    const held = await fleet.acquire({ ...SRC, holder: "ann" });
    const controller = new AbortController();
    const { signal } = controller;
    const waiting = fleet.acquire({ ...SRC, holder: "bob", waitMs: LONG_MS, signal });
    const ended = waiting.then(
      (lease) => lease.release(),
      (error: unknown) => expect(error).toBe(signal.reason),
    );
    await waited(fleet, 1);
    // At the same moment, in one order and in the other.
    const released = held.release();
    if (round % 2 === 0) await new Promise((resolve) => setImmediate(resolve));
    controller.abort(new Error("enough"));
    await Promise.all([released, ended]);
    expect(fleet.leases()).toEqual([]);
    expect(fleet.waiting()).toEqual([]);
  }
});

test("[LB141] an operator ends somebody's waiting, who is told why", async () => {
  const fleet = await openRoomy();
  await fleet.acquire({ ...SRC, holder: "ann" });
  const [waiting] = await inLine(fleet, ["bob"]);
  const refused = refusedBy(waiting ?? Promise.resolve());
  await fleet.cancelWait(fleet.waiting()[0]?.id ?? "", { reason: "the release goes first" });
  expect((await refused).refusal).toMatchObject({
    code: "place_ended",
    facts: { cancelled: "the release goes first" },
  });
  const gone = await refusedBy(fleet.cancelWait("q-999", { reason: "x" }));
  expect(gone.code).toBe("place_ended");
});

test("[LB141] a circle is refused to whoever closes it", async () => {
  const fleet = await openRoomy();
  await fleet.acquire({ region: "a", holder: "ann", ttlMs: LONG_MS });
  await fleet.acquire({ region: "b", holder: "bob", ttlMs: LONG_MS });
  const waiting = fleet.acquire({ region: "b", holder: "ann", waitMs: 60_000 });
  await waited(fleet, 1);
  const refused = await refusedBy(fleet.acquire({ region: "a", holder: "bob", waitMs: 60_000 }));
  expect(refused.refusal).toMatchObject({
    code: "wait_deadlock",
    facts: { holders: ["bob", "ann"] },
  });
  await fleet.kill({ reason: "end of test" });
  expect((await refusedBy(waiting)).code).toBe("fleet_killed");
});

test("[LB142] a lease that lapses makes way at its instant, by nobody's doing", async () => {
  const fleet = await openRoomy();
  await fleet.acquire({ region: "src/**", ttlMs: 1_000, holder: "ann" });
  const lease = await fleet.acquire({ ...SRC, holder: "bob", waitMs: LONG_MS });
  expect(lease.view().holder).toBe("bob");
});

test("[LB142] of several lanes whichever comes free is had", async () => {
  const fleet = await openWithLanes();
  const both = { any: ["api", "ports"], ttlMs: LONG_MS };
  const held = await Promise.all(
    ["a", "b", "c"].map((holder) => fleet.acquire({ ...both, holder })),
  );
  const waiting = fleet.acquire({ ...both, holder: "d", waitMs: LONG_MS });
  await waited(fleet, 1);
  const api = held.find((lease) => lease.view().lane === "api");
  await api?.release();
  expect((await waiting).view().lane).toBe("api");
});

test("[LB142] a handle that is closed waits no longer", async () => {
  const store = memory();
  const [fleet, other] = [await openRoomy({ store }), await openRoomy({ store })];
  await fleet.acquire({ ...SRC, holder: "ann" });
  const waiting = rejectionOf(other.acquire({ ...SRC, holder: "bob", waitMs: LONG_MS }));
  await waited(fleet, 1);
  await other.close();
  expect(await waiting).toMatchObject({ code: "closed" });
});

test("[LB142] what is wrong with a wait is named as it was asked for", async () => {
  const fleet = await openRoomy();
  const ask = (more: object): Promise<Error> =>
    rejectionOf(fleet.acquire({ ...SRC, holder: "bob", ...more }));
  expect((await ask({ waitMs: 0 })).message).toMatch(/options\.waitMs must be .*, got 0/);
  expect((await ask({ waitMs: "30s" })).message).toMatch(/options\.waitMs must be/);
  expect((await ask({ signal: "x" })).message).toMatch(/options\.signal must be an AbortSignal/);
});

test("[LB143] work under a lease that was waited for keeps it, and hears of its loss", async () => {
  const fleet = await openRoomy();
  const held = await fleet.acquire({ ...SRC, holder: "ann" });
  const begun = makeGate();
  const working = fleet.withLease(
    { region: "src/**", ttlMs: 1_000, holder: "bob", waitMs: LONG_MS },
    async (lease, signal) => {
      await new Promise((resolve) => setTimeout(resolve, 2_500));
      expect(signal.aborted).toBe(false);
      begun.open();
      await fleet.revoke(lease.id, { reason: "enough" });
      throw await fired(signal);
    },
  );
  const ended = rejectionOf(working);
  await waited(fleet, 1);
  await held.release();
  await begun.passed;
  expect(await ended).toMatchObject({ name: "LeaseLost", by: "revoked" });
});
