import { InputError, memory } from "stint";
import { expect, test } from "vitest";
import { entriesOf, openRoomy, rejectionOf } from "../rig.ts";
import { LONG_MS, openWithLanes, refusedBy, seqOf, tokenOf } from "./rig.ts";

test("[LB112] leases are shown as they are, and how they ended, from the journal", async () => {
  const store = memory();
  const fleet = await openWithLanes({ store });
  const worker = await fleet.start();
  const named = (name: string) => ({ region: `${name}/**`, holder: name, ttlMs: LONG_MS });
  const [released, revoked, given] = await Promise.all(
    ["anna", "bob", "cleo"].map((name) => fleet.acquire(named(name))),
  );
  const own = await worker.acquire({ region: "own/**" });
  if (released === undefined || revoked === undefined || given === undefined) throw new Error();
  await released.narrow("anna/a/**");
  await released.release();
  await fleet.revoke(revoked.id, { reason: "x", runId: "r" });
  await given.handOver({ to: "dora" });
  await worker.shutdown();
  const other = await openRoomy({ store });
  expect(other.leases().map(({ id, holder }) => [id, holder])).toEqual([[given.id, "dora"]]);
  const all = await other.leases({ all: true });
  expect(all.map(({ id, isLive, ended }) => [id, isLive, ended?.how])).toEqual([
    [released.id, false, "released"],
    [revoked.id, false, "revoked"],
    [given.id, true, undefined],
    [own.id, false, "completed"],
  ]);
  expect(all[0]).toMatchObject({ region: ["anna/a/**"], fence: seqOf(released), holder: "anna" });
  for (const view of all) expect(await other.findLease(view.id)).toEqual(view);
  expect(await other.findLease("l-99")).toBeUndefined();
  expect(await other.findLease("l-1")).toBeUndefined();
  expect(() => other.leases({ al: true } as never)).toThrow(/did you mean all\?/);
});

test("[LB112] a lease is a frozen copy, and the lanes too", async () => {
  const fleet = await openWithLanes();
  const lease = await fleet.acquire({ lane: "api", holder: "anna" });
  const shown: readonly object[] = [lease.view(), ...fleet.leases(), ...fleet.lanes(), lease];
  for (const one of shown) expect(Object.isFrozen(one)).toBe(true);
  for (const one of [lease.view().region, fleet.lanes()[0]?.region])
    expect(Object.isFrozen(one)).toBe(true);
});

test("[LB112] lanes are shown as they are in force, with who holds them", async () => {
  const fleet = await openWithLanes();
  const [api, one, two] = await Promise.all([
    fleet.acquire({ lane: "backend", holder: "anna" }),
    fleet.acquire({ lane: "ports", holder: "anna" }),
    fleet.acquire({ lane: "ports", holder: "bob" }),
  ]);
  expect(fleet.lanes()).toMatchObject([
    { name: "api", slots: null, alone: false, aliases: ["backend"], leases: [api.id] },
    { name: "ports", slots: 2, region: ["port:8000", "port:8001"], leases: [one.id, two.id] },
  ]);
  const full = await fleet.tryAcquire({ lane: "ports", holder: "cleo" });
  expect(full).toMatchObject({ refusal: { code: "slots_full", facts: { slots: 2, held: 2 } } });
  await one.release();
  await fleet.acquire({ lane: "ports", holder: "cleo" });
  // Another set of lanes replaces these; leases stay as they were granted.
  await fleet.enactGround({ lanes: [{ name: "all", region: "**", alone: true }] });
  expect(fleet.lanes().map(({ name, alone }) => [name, alone])).toEqual([["all", true]]);
  expect(fleet.leases()).toHaveLength(3);
});

const WRONG: readonly [string, unknown, RegExp][] = [
  ["no lanes", {}, /^options\.lanes must be an array of lanes, got nothing$/],
  ["a lane that is none", { lanes: [5] }, /^options\.lanes\[0\] must be a lane, got 5$/],
  [
    "a misspelt field of a lane",
    { lanes: [{ name: "a", region: "a", slot: 2 }] },
    /^options\.lanes\[0\]\.slot must be .* did you mean slots\?/,
  ],
  [
    "no slots",
    { lanes: [{ name: "a", region: "a", slots: 0 }] },
    /^options\.lanes\[0\]\.slots must be an integer from 1 to 10000, got 0$/,
  ],
  ["a lane without a region", { lanes: [{ name: "a" }] }, /^options\.lanes\[0\]\.region\[0\] must/],
  [
    "a ground that there is none of",
    { lanes: [], worktrees: "two" },
    /^options\.worktrees must be one of/,
  ],
  [
    "a need that is no flag",
    { lanes: [], requireLease: 1 },
    /^options\.requireLease must be true or false/,
  ],
];

test.each(WRONG)("[LB112] enacting %s is an InputError", async (_, given, message) => {
  const fleet = await openRoomy();
  const error = await rejectionOf(fleet.enactGround(given as never));
  expect(error).toBeInstanceOf(InputError);
  expect(error.message).toMatch(message);
  expect(fleet.lanes()).toEqual([]);
});

test("[LB112] lanes that would mean two things are refused, and none is put in force", async () => {
  const fleet = await openWithLanes();
  const lanes = [
    { name: "a", region: "a" },
    { name: "b", region: "b", aliases: ["a"] },
  ];
  expect((await refusedBy(fleet.enactGround({ lanes }))).code).toBe("lanes_invalid");
  expect(fleet.lanes().map(({ name }) => name)).toEqual(["api", "ports"]);
});

test("[LB112] an announcement and a request to halt are shown, and hold nothing", async () => {
  const fleet = await openWithLanes();
  const worker = await fleet.start({ name: "w" });
  await fleet.announce({ lane: "backend", holder: "worker:w", note: "soon", runId: "r" });
  await fleet.requestHalt({ handle: "h", reason: "late", lease: "l-77", runId: "r", proposed: {} });
  const [announced, halt] = (await entriesOf(fleet)).slice(-2);
  expect(announced).toMatchObject({
    kind: "lane.announced",
    data: { lane: "api", holder: worker.id, note: "soon", runId: "r" },
  });
  expect(halt).toMatchObject({ kind: "halt.requested", data: { lease: "l-77", runId: "r" } });
  expect((await fleet.acquire({ lane: "api", holder: "anna" })).view().isLive).toBe(true);
  const typo = await refusedBy(fleet.announce({ lane: "apu", holder: "anna" }));
  expect(typo.refusal.facts).toEqual({ lane: "apu", nearest: "api" });
  const error = await rejectionOf(
    fleet.announce({ lane: "api", holder: "anna", notes: 1 } as never),
  );
  expect(error.message).toMatch(/notes .* did you mean note\?/);
});

test("[LB118] what became of leases is told in words, and decided again", async () => {
  const fleet = await openWithLanes();
  const worker = await fleet.start({ name: "builder" });
  const child = await worker.maybeReplicate({ reason: "x", name: "part" });
  if (!child.ok) throw new Error(child.refusal.message);
  const lease = await worker.acquire({ region: "src/**", ttlMs: 1_000 });
  const lent = await lease.split({ to: child.worker.id, region: "src/a/**" });
  await lease.renew({ ttlMs: LONG_MS });
  await lease.narrow("src/{a,b}/**");
  await fleet.revoke(lent.id, { reason: "too slow" });
  const outside = await fleet.acquire({ lane: "api", holder: "anna" });
  await fleet.lease(outside.id, { token: tokenOf(outside) }).handOver({ to: "bob" });
  await fleet.announce({ lane: "api", holder: "anna" });
  await worker.shutdown("completed");
  const told = new Map<string, string>();
  for (const { seq, kind } of await entriesOf(fleet)) {
    const { text, redecided } = await fleet.explain(seq);
    if (!/^(lease|lane)/.test(kind)) continue;
    expect([kind, redecided]).toEqual([kind, "same"]);
    expect(text).not.toMatch(/\bunknown\b|NaN|undefined/);
    told.set(kind, text);
  }
  expect([...told.keys()].toSorted()).toEqual(
    [
      "lane.announced",
      "lanes.enacted",
      "lease.granted",
      "lease.handed_over",
      "lease.narrowed",
      "lease.released",
      "lease.renewed",
      "lease.revoked",
    ].toSorted(),
  );
  expect(told.get("lease.revoked")).toMatch(/Lease l-\d+ was revoked: too slow\./);
  expect(told.get("lease.handed_over")).toMatch(/went from "anna" to "bob", until/);
  expect(told.get("lease.released")).toMatch(/was given back, for its worker had ended as it sho/);
  expect(told.get("lane.announced")).toMatch(/"api" is about to be worked on by "anna"/);
});
