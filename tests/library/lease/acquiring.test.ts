import { Fault, InputError, memory, sqlite, type AcquireOptions, type Fleet } from "stint";
import { expect, test } from "vitest";
import { MadeStore } from "../made-store.ts";
import { codeOf, entriesOf, kindsOf, makeFolder, openRoomy, rejectionOf } from "../rig.ts";
import { LONG_MS, openWithLanes, refusedBy, tokenOf } from "./rig.ts";

type Given = Readonly<Record<string, unknown>>;

const WRONG: readonly [string, Given, RegExp][] = [
  ["nothing", {}, /^options must be one with exactly one of lane, any, region, got none of them$/],
  [
    "a lane and a region",
    { lane: "api", region: "a" },
    /exactly one of lane, any, region, got lane and region$/,
  ],
  ["a region that is no text", { region: 5 }, /^options\.region\[0\] must be text of 1 to/],
  ["an empty region", { region: [] }, /^options\.region must be at least one pattern, got \[\]$/],
  [
    "10 000 patterns",
    { region: Array.from({ length: 10_000 }, (_, index) => `f${index}`) },
    /^options\.region must be an array of at most 256 patterns/,
  ],
  [
    "what is left out of nothing",
    { lane: "api", exclude: ["x"] },
    /^options\.exclude must be absent where lanes are asked for/,
  ],
  [
    "what is left out twice",
    { region: "a", exclude: ["!x"] },
    /^options\.exclude\[0\] must be a pattern, without a leading "!", got "!x"$/,
  ],
  ["a lane that is no text", { lane: 7 }, /^options\.lane must be the name of a lane, got 7$/],
  ["an empty lane", { lane: "" }, /^options\.lane must be text of 1 to 64 bytes, got ""$/],
  ["lanes of which one is none", { any: ["api", null] }, /^options\.any\[1\] must be text/],
  ["no lanes", { any: [] }, /^options\.any must be at least one lane, got \[\]$/],
  ["a ttl of 0", { lane: "api", ttlMs: 0 }, /^options\.ttlMs must be an integer from 1000 to/],
  ["a negative ttl", { lane: "api", ttlMs: -1 }, /^options\.ttlMs must be an integer from 1000/],
  ["a ttl of NaN", { lane: "api", ttlMs: NaN }, /^options\.ttlMs must be .*, got NaN$/],
  ["a ttl of ten years", { lane: "api", ttlMs: 315e9 }, /^options\.ttlMs must be .* 86400000, got/],
  ["a mode that is none", { lane: "api", mode: "write" }, /^options\.mode must be one of "exclusi/],
  ["a misspelt option", { lane: "api", ttl: 5 }, /^options\.ttl must be .* mean ttlMs\?/],
  ["the journal's own name", { lane: "api", run_id: "x" }, /^options\.run_id must be .*runId\?/],
  ["no holder", { lane: "api", holder: undefined }, /^options\.holder must be a text that is not/],
  ["an empty holder", { lane: "api", holder: "" }, /^options\.holder must be a text that is not/],
  ["a long holder", { lane: "api", holder: "é".repeat(129) }, /^options\.holder must be text/],
  ["a lone surrogate", { lane: "api", holder: "a\ud800" }, /^options\.holder must be well-formed/],
  ["a long key", { lane: "api", key: "k".repeat(1_024) }, /^options\.key must be (text of|absent)/],
  ["what is held, wrongly", { lane: "api", alsoHeld: ["a"] }, /^options\.alsoHeld\[0\] must be an/],
];

test.each(WRONG)("[LB101] asking with %s is an InputError, and nothing is done", async (...row) => {
  const [, given, message] = row;
  const fleet = await openWithLanes();
  const before = await entriesOf(fleet);
  const options = { holder: "anna", ...given } as unknown as AcquireOptions;
  for (const ask of [
    () => fleet.acquire(options),
    () => fleet.tryAcquire(options),
    () => fleet.withLease(options, () => 1),
  ]) {
    const error = await rejectionOf(ask());
    expect(error).toBeInstanceOf(InputError);
    expect(error.message).toMatch(message);
  }
  expect(await entriesOf(fleet)).toEqual(before);
});

const REFUSED: readonly [string, Given, string][] = [
  ["a pattern that cannot be meant", { region: "../up" }, "region_invalid"],
  ["a control character", { region: "a\u0007b" }, "region_invalid"],
  ["a region that matches nothing", { region: "a", exclude: ["a"] }, "region_invalid"],
  ["a typo of a lane", { lane: "appi" }, "lane_unknown"],
  ["a slot of a lane without slots", { lane: "api", mode: "slot" }, "region_invalid"],
];

test.each(REFUSED)("[LB101] %s is for the rules to refuse", async (_, given, code) => {
  const fleet = await openWithLanes();
  const options = { holder: "anna", ...given } as unknown as AcquireOptions;
  expect(codeOf(await fleet.tryAcquire(options))).toBe(code);
  expect((await refusedBy(fleet.acquire(options))).code).toBe(code);
  expect(fleet.leases()).toEqual([]);
});

test("[LB101] a typo gets no other lane, and is told the nearest (leases H27)", async () => {
  const fleet = await openWithLanes();
  const refused = await refusedBy(fleet.acquire({ lane: "ports2", holder: "anna" }));
  expect(refused.refusal.facts).toEqual({ lane: "ports2", nearest: "ports" });
});

test("[LB101] what was asked for is what is held, with key and run", async () => {
  const fleet = await openWithLanes();
  await fleet.acquire({ lane: "api", holder: "bob" });
  const lease = await fleet.acquire({
    any: ["backend", "ports"],
    holder: "anna",
    ttlMs: LONG_MS,
    key: "k1",
    runId: "r1",
  });
  expect(lease.view()).toMatchObject({
    lane: "ports",
    mode: "slot",
    region: ["port:8000", "port:8001"],
    holder: "anna",
    holderKind: "outside",
    ttlMs: LONG_MS,
    key: "k1",
    runId: "r1",
    isLive: true,
  });
  const [entry] = (await entriesOf(fleet)).slice(-1);
  expect(entry).toMatchObject({ data: { passedOver: [{ lane: "api", code: "conflict" }] } });
});

test("[LB101] regions that count as held stand in the way of one decision alone", async () => {
  const fleet = await openWithLanes();
  const asked = { lane: "api", holder: "anna" };
  const refused = await fleet.tryAcquire({ ...asked, alsoHeld: [["src/*/x.ts"]] });
  expect(refused).toMatchObject({
    refusal: { code: "conflict", facts: { alsoHeld: ["src/*/x.ts"], witness: "src/api/x.ts" } },
  });
  expect(codeOf(await fleet.tryAcquire(asked))).toBe("granted");
});

test("[LB102] whoever asks again has what he has, nothing is written (leases H54)", async () => {
  const fleet = await openWithLanes();
  const asked = { region: ["src/a/**", "src/b/**"], holder: "anna", ttlMs: LONG_MS };
  const first = await fleet.acquire(asked);
  const before = await kindsOf(fleet);
  const again = await fleet.acquire({ ...asked, region: ["src/{a,b}/**"] });
  expect([again.id, again.fence, again.token]).toEqual([first.id, first.fence, first.token]);
  expect(again.trustedUntil).toBeGreaterThan(performance.now() + LONG_MS / 2);
  expect(await kindsOf(fleet)).toEqual(before);
  await again.release();
  const fresh = await fleet.acquire(asked);
  expect(fresh.fence).toBeGreaterThan(first.fence);
  expect(fresh.token).not.toBe(first.token);
});

test("[LB102] under one key one lease is asked for, and another is a mismatch", async () => {
  const fleet = await openWithLanes();
  const asked = { region: "src/**", holder: "anna", key: "task-1" };
  const first = await fleet.acquire(asked);
  const narrower = await fleet.acquire({ ...asked, region: "src/a/**" });
  expect(narrower.id).toBe(first.id);
  const other = await fleet.tryAcquire({ ...asked, region: "docs/**" });
  expect(other).toMatchObject({
    refusal: { code: "command_mismatch", facts: { key: "task-1", leaseId: first.id } },
  });
});

test("[LB102] a grant that may or may not be written is found (leases H53)", async () => {
  const store = new MadeStore();
  const fleet = await openRoomy({ store });
  const heard = await openRoomy({ store });
  let failures = 0;
  store.onAppended = async () => {
    store.onAppended = async () => undefined;
    failures += 1;
    throw new Fault("append_unknown", "the disk must say what it wrote, it did not");
  };
  const lease = await fleet.acquire({ region: "src/**", holder: "anna", ttlMs: LONG_MS });
  expect(failures).toBe(1);
  await heard.look();
  expect(heard.leases().map(({ id }) => id)).toEqual([lease.id]);
  await lease.release();
  // One that died before it heard the answer finds what it was granted under its key.
  const asked = { region: "src/**", holder: "anna", key: "task-1", ttlMs: LONG_MS };
  const made = await heard.acquire(asked);
  await heard.close();
  const found = await fleet.acquire(asked);
  expect([found.id, found.token]).toEqual([made.id, made.token]);
});

test("[LB102] where nothing can be written no lease is reported (leases H08)", async () => {
  const store = new MadeStore();
  const fleet = await openRoomy({ store });
  store.weather = "full";
  const asked = { region: "src/**", holder: "anna" };
  expect((await rejectionOf(fleet.acquire(asked))).code).toBe("storage_full");
  store.weather = "fair";
  expect(fleet.leases()).toEqual([]);
  const other = await fleet.acquire({ ...asked, holder: "bob" });
  expect(other.view().holder).toBe("bob");
});

const ODD = [
  "anna ",
  " anna",
  "anna",
  "anna\nowner: bob",
  "a\u2028b",
  "a\u0085b",
  "a\u2029b",
  "лес",
  "w-",
  "W-ABCDE",
];

test("[LB103] any other text is a holder of just that name (leases H07, H28, H34)", async () => {
  const dir = makeFolder();
  const fleet = await openRoomy({ store: sqlite({ dir }) });
  for (const [index, holder] of ODD.entries())
    await fleet.acquire({ region: `f${index}`, holder, ttlMs: LONG_MS });
  const reader = await openRoomy({ store: sqlite({ dir }) });
  const seen = reader.leases().map(({ holder, holderKind }) => [holder, holderKind]);
  expect(seen).toEqual(ODD.map((name) => [name, "outside"]));
  // Names that look alike are no less others, and each conflict says whose it is.
  const refused = await reader.tryAcquire({ region: "f0", holder: "anna" });
  expect(refused).toMatchObject({ refusal: { facts: { holder: "anna ", own: false } } });
});

test("[LB103] what ends a line elsewhere hides no lease and no reason (leases H07)", async () => {
  const dir = makeFolder();
  const fleet = await openRoomy({ store: sqlite({ dir }) });
  const odd = "one\u2028two\u2029three\u0085four";
  const { id } = await fleet.acquire({ region: "src/**", holder: odd, key: odd, runId: odd });
  await fleet.revoke(id, { reason: odd });
  await fleet.acquire({ region: "src/**", holder: odd, ttlMs: LONG_MS });
  const reader = await openRoomy({ store: sqlite({ dir }) });
  const kinds = (await entriesOf(reader)).map(({ kind, data }) => [kind, data]);
  expect(kinds).toContainEqual(["lease.revoked", { lease: id, reason: odd }]);
  const refused = await reader.tryAcquire({ region: "src/a", holder: "anna" });
  expect(refused).toMatchObject({ refusal: { code: "conflict", facts: { holder: odd } } });
});

test("[LB103] a worker is meant by its id, its beginning, or `worker:`", async () => {
  const fleet = await openRoomy();
  const worker = await fleet.start({ name: "api" });
  for (const holder of [worker.id, worker.id.slice(0, 8), `worker:${worker.id}`, "worker:api"]) {
    const lease = await fleet.acquire({ region: "src/**", holder });
    expect(lease.view()).toMatchObject({ holder: worker.id, holderKind: "worker" });
    expect(lease.token).toBeNull();
  }
  expect(fleet.leases()).toHaveLength(1);
  const named = await fleet.acquire({ region: "docs/**", holder: "api" });
  expect(named.view()).toMatchObject({ holder: "api", holderKind: "outside" });
});

test("[LB103] a worker that there is none of is refused, and becomes nobody's name", async () => {
  const fleet = await openRoomy();
  await Promise.all([fleet.start({ name: "twin" }), fleet.start({ name: "twin" })]);
  for (const holder of ["w-abcdefgh", "worker:nobody"])
    expect(codeOf(await fleet.tryAcquire({ region: "a", holder }))).toBe("worker_unknown");
  const error = await rejectionOf(fleet.acquire({ region: "a", holder: "worker:twin" }));
  expect(error.message).toMatch(/^options\.holder must be one worker, got "twin", which means w-/);
});

async function twoHandles(): Promise<readonly [Fleet, Fleet]> {
  const store = memory();
  return [await openRoomy({ store }), await openRoomy({ store })];
}

test("[LB104] without its token a lease is nobody's to act on (leases H13)", async () => {
  const [fleet, other] = await twoHandles();
  const lease = await fleet.acquire({ region: "src/**", holder: "anna", ttlMs: LONG_MS });
  const stranger = await fleet.acquire({ region: "docs/**", holder: "bob" });
  const token = tokenOf(lease);
  const wrong = [
    {},
    { token: "" },
    { token: tokenOf(stranger) },
    { token: `${token} ` },
    { token, holder: "bob" },
    { holder: "anna" },
    { worker: "anna" },
  ];
  for (const credential of wrong) {
    const known = other.lease(lease.id, credential);
    for (const act of [
      () => known.renew(),
      () => known.release(),
      () => known.narrow("src/a"),
      () => known.handOver({ to: "bob" }),
      () => known.hold(),
    ])
      expect((await refusedBy(act())).code).toBe("holder_mismatch");
  }
  await expect(other.adopt({ lease: lease.id, holder: "bob" })).rejects.toMatchObject({
    code: "holder_mismatch",
  });
  expect((await other.findLease(lease.id))?.isLive).toBe(true);
  await other.lease(lease.id, { token, holder: "anna" }).release();
  expect(lease.signal.aborted).toBe(true);
});

test("[LB104] no token is in the journal, and a worker's lease has none", async () => {
  const fleet = await openRoomy();
  const lease = await fleet.acquire({ region: "src/**", holder: "anna" });
  expect(tokenOf(lease)).toMatch(/^[a-z2-7]{52}$/);
  expect(JSON.stringify(await entriesOf(fleet))).not.toContain(tokenOf(lease));
  const wrong = () => fleet.lease(lease.id, { token: 5 } as never);
  expect(wrong).toThrow(/^options\.token must be a text, got something else$/);
});

test("[LB104] after a rotation an old token is still good, and is not told again", async () => {
  const fleet = await openRoomy();
  const asked = { region: "src/**", holder: "anna", ttlMs: LONG_MS };
  const lease = await fleet.acquire(asked);
  await fleet.rotateSecret("another secret that only tests have");
  const again = await fleet.acquire(asked);
  expect([again.id, again.token]).toEqual([lease.id, null]);
  expect((await refusedBy(again.renew())).code).toBe("holder_mismatch");
  await lease.renew();
  await lease.release();
});

test("[LB104] a fence that is not the lease's is refused", async () => {
  const fleet = await openRoomy();
  const lease = await fleet.acquire({ region: "src/**", holder: "anna" });
  const token = tokenOf(lease);
  const stale = fleet.lease(lease.id, { token, fence: lease.fence - 1 });
  expect((await refusedBy(stale.renew())).code).toBe("fence_stale");
  await fleet.lease(lease.id, { token, fence: lease.fence }).renew();
});

test("[LB113] a lease that never was is unknown, one that has ended has ended", async () => {
  const [fleet, other] = await twoHandles();
  const lease = await fleet.acquire({ region: "src/**", holder: "anna" });
  const token = tokenOf(lease);
  const codeFor = async (id: string): Promise<string> =>
    (await refusedBy(other.lease(id, { token }).renew())).code;
  // Twice: that somebody has asked for it before makes no lease of it.
  for (let asked = 0; asked < 2; asked += 1) expect(await codeFor("l-99")).toBe("lease_unknown");
  // The place of another entry is no lease either.
  expect(await codeFor("l-1")).toBe("lease_unknown");
  await lease.release();
  for (let asked = 0; asked < 2; asked += 1) expect(await codeFor(lease.id)).toBe("lease_ended");
  await expect(other.revoke(lease.id, { reason: "x" })).rejects.toMatchObject({
    code: "lease_ended",
  });
  const error = await rejectionOf(other.lease("7", { token }).renew());
  expect(error.message).toBe('lease must be a lease id ("l-" and a number), got "7"');
  // A worker of that name is another matter.
  await expect(other.writeOff(lease.id, { reason: "x" })).rejects.toMatchObject({
    code: "worker_unknown",
  });
});
