import { memory, type EntryView } from "stint";
import { expect, test } from "vitest";
import { Ring } from "../../src/library/feed/ring.ts";
import {
  codeOf,
  entriesOf,
  granted,
  kindsOf,
  makeGate,
  openRoomy,
  openUnder,
  refusalsOf,
  rejectionOf,
} from "./rig.ts";

test("[LB27] entries are the journal from its first entry to its end", async () => {
  const fleet = await openRoomy();
  const root = await fleet.start({ name: "root", state: { snake_case: 1 } });
  const entries: EntryView[] = [];
  for await (const entry of fleet.entries()) entries.push(entry);
  expect(entries.map(({ seq }) => seq)).toEqual(entries.map((_, index) => index + 1));
  const admitted = entries.find(({ kind }) => kind === "worker.admitted");
  expect(admitted).toMatchObject({
    actor: { kind: "operator", via: "library" },
    data: { manifest: { instance: root.id, issuedAtMs: expect.any(Number) as number } },
  });
  expect(admitted?.data).toMatchObject({ manifest: { state: { snake_case: 1 } } });
});

test("[LB27] following goes on with what others append, until the handle closes", async () => {
  const store = memory();
  const fleet = await openRoomy({ store });
  const other = await openRoomy({ store });
  const seen: string[] = [];
  const enough = makeGate();
  const following = (async () => {
    for await (const entry of fleet.entries({ from: 2, follow: true })) {
      if (entry.kind !== "journal.signed") seen.push(entry.kind);
      if (entry.kind === "fleet.resumed") enough.open();
    }
    return "closed";
  })();
  await fleet.start();
  await other.pause();
  await other.resume();
  await enough.passed;
  await fleet.close();
  expect(await following).toBe("closed");
  expect(seen.slice(0, 4)).toEqual([
    "worker.admitted",
    "worker.registered",
    "fleet.paused",
    "fleet.resumed",
  ]);
});

test("[LB27] following may begin beyond the end", async () => {
  const fleet = await openRoomy();
  await fleet.look();
  const { seq } = fleet.metrics();
  const following = fleet.entries({ from: seq + 3, follow: true })[Symbol.asyncIterator]();
  const first = following.next();
  for (let index = 0; index < 4; index += 1) await fleet.start();
  const { value } = (await first) as IteratorYieldResult<EntryView>;
  expect(value.seq).toBe(seq + 3);
  await following.return?.();
});

test.each([0, -1, 1.5, Number.NaN, "1"])("[LB9] entries from %s is an InputError", async (from) => {
  const fleet = await openRoomy();
  const iterator = fleet.entries({ from: from as number })[Symbol.asyncIterator]();
  expect((await rejectionOf(iterator.next())).message).toMatch(
    /^from must be an integer from 1 on/,
  );
});

test("[LB28] beats never push out an entry, event or metric (replication F1)", async () => {
  const fleet = await openUnder({ beatEveryMs: 100 });
  const root = await fleet.start();
  fleet.emit("important", { n: 1 });
  fleet.metric("depth", 3);
  await fleet.pause();
  const { FEED_MAX } = await import("../../src/library/feed/feed.ts");
  for (let beat = 0; beat <= FEED_MAX.beat; beat += 1) granted(await fleet.heartbeat(root.id));
  expect(fleet.recent("beat")).toHaveLength(FEED_MAX.beat);
  expect(fleet.metrics().dropped.beat).toBeGreaterThan(0);
  expect(fleet.recent("event")).toMatchObject([{ name: "important" }]);
  expect(fleet.recent("metric")).toMatchObject([{ name: "depth", value: 3 }]);
  expect(fleet.recent("entry").map(({ kind }) => kind)).toContain("fleet.paused");
  expect(await kindsOf(fleet)).toContain("fleet.paused");
  expect(fleet.metrics().dropped).toMatchObject({ entry: 0, event: 0, metric: 0 });
});

test("[LB28] a full ring drops its oldest and counts them (replication F1, F3)", () => {
  const ring = new Ring<number>(3);
  for (let item = 1; item <= 5; item += 1) ring.add(item);
  expect(ring.list()).toEqual([3, 4, 5]);
  expect(ring.droppedCount).toBe(2);
  const nothing = new Ring<number>(0);
  nothing.add(1);
  expect(nothing.list()).toEqual([]);
  expect(nothing.droppedCount).toBe(1);
});

test("[LB29] what is recent may be iterated while more is said (replication F2)", async () => {
  const fleet = await openRoomy();
  for (let index = 0; index < 3; index += 1) fleet.emit("event", { index });
  const seen = [];
  for (const { fields } of fleet.recent("event")) {
    fleet.emit("event", { index: 100 });
    seen.push(fields["index"]);
  }
  expect(seen).toEqual([0, 1, 2]);
  expect(fleet.recent("event")).toHaveLength(6);
});

test("[LB29] a listener that throws or leaves keeps nobody else from hearing", async () => {
  const fleet = await openRoomy();
  const heard: string[] = [];
  const stop = fleet.on("event", ({ name }) => {
    heard.push(`first ${name}`);
    stop();
    throw new Error("mine");
  });
  fleet.on("event", ({ name }) => heard.push(`second ${name}`));
  fleet.emit("one");
  fleet.emit("two");
  expect(heard).toEqual(["first one", "second one", "second two"]);
});

test("[LB30] no field name is reserved (replication F3)", async () => {
  const fleet = await openRoomy();
  const fields = {
    event: 1,
    kind: 2,
    name: 3,
    atMs: 4,
    timestamp: 5,
    seq: 6,
    fields: { toString: 7 },
  };
  fleet.emit("timestamp", fields);
  expect(fleet.recent("event")).toEqual([
    { kind: "event", name: "timestamp", atMs: expect.any(Number) as number, fields },
  ]);
});

test.each([
  ["a name that is empty", { name: "", fields: {}, value: 1 }],
  ["fields that are no JSON", { name: "x", fields: { f: () => 1 }, value: 1 }],
  ["a value that is NaN", { name: "x", fields: {}, value: Number.NaN }],
  ["a value that is infinite", { name: "x", fields: {}, value: -Infinity }],
])("[LB9] %s is an InputError and is told to nobody", async (_, { name, fields, value }) => {
  const fleet = await openRoomy();
  expect(() => {
    fleet.emit(name, fields as never);
    fleet.metric(name, value);
  }).toThrow(/must be/);
  expect(fleet.recent("metric")).toEqual([]);
});

test("[LB30] a metric has a number and labels of texts", async () => {
  const fleet = await openRoomy();
  const heard: unknown[] = [];
  fleet.on("metric", (metric) => heard.push(metric));
  fleet.metric("queue", 3, { part: "a" });
  expect(heard).toMatchObject([{ kind: "metric", name: "queue", value: 3, labels: { part: "a" } }]);
  expect(() => fleet.metric("queue", 3, { part: 1 as unknown as string })).toThrow("labels.part");
});

test("[LB43] every refusal is an entry: who asked, what, why (replication F4)", async () => {
  const fleet = await openUnder({ maxReplicas: 3, maxDepth: 1 });
  const root = await fleet.start();
  const { worker: child } = granted(await root.maybeReplicate({ reason: "x" }));
  await child.maybeReplicate({ reason: "deeper" });
  await fleet.start();
  await fleet.tryStart();
  await rejectionOf(fleet.quarantine("nobody-here", { reason: "odd" }));
  await fleet.heartbeat("w-aaaaaaaaaaaaaaaa");
  await fleet.pause();
  await fleet.tryStart();
  expect(await refusalsOf(fleet)).toEqual([
    "max_depth",
    "max_replicas",
    "worker_unknown",
    "worker_unknown",
    "fleet_paused",
  ]);
  const entries = await entriesOf(fleet);
  const deeper = entries.find(({ kind }) => kind === "command.refused");
  expect(deeper).toMatchObject({
    actor: { kind: "worker", id: child.id },
    command: { kind: "worker.admit", data: { reason: "deeper", parent: child.id } },
    data: { code: "max_depth", facts: { depth: 2, max: 1 } },
  });
});

test("[LB43] refusals beyond the contract's number answer rate_limited", async () => {
  const fleet = await openUnder({ maxReplicas: 1, refusalsPerMinute: 2 });
  await fleet.start();
  const codes = [];
  for (let index = 0; index < 4; index += 1) codes.push(codeOf(await fleet.tryStart()));
  expect(codes).toEqual(["max_replicas", "max_replicas", "rate_limited", "rate_limited"]);
  expect(await refusalsOf(fleet)).toHaveLength(2);
});

test("[LB26] reading the fleet writes nothing (replication F6)", async () => {
  const fleet = await openRoomy();
  const root = await fleet.start();
  await fleet.quarantine(root.id, { reason: "odd" });
  const before = await kindsOf(fleet);
  fleet.workers();
  await fleet.workers({ all: true });
  fleet.metrics();
  await fleet.worker(root.id);
  await fleet.lineage(root.id);
  await fleet.report();
  await fleet.canSpawn();
  fleet.isQuarantined(root.id);
  expect(await kindsOf(fleet)).toEqual(before);
});

test("[LB26] a worker's lifetime shown is the one that ends it (replication F6)", async () => {
  const fleet = await openUnder({ lifetimeMs: 400, registerWithinMs: 400 });
  const root = await fleet.start();
  const { expiresAtMs } = (await fleet.worker(root.id)) ?? { expiresAtMs: 0 };
  const end = await root.ended();
  const stopping = (await entriesOf(fleet)).find(({ kind }) => kind === "worker.stopping");
  expect(stopping?.atMs).toBeGreaterThanOrEqual(expiresAtMs);
  expect(end.expiresAtMs).toBe(expiresAtMs);
});

test("[LB26] lineage outlives those in it (replication B4)", async () => {
  const fleet = await openUnder({ onOrphan: "keep" });
  const root = await fleet.start({ name: "root" });
  const { worker: child } = granted(await root.maybeReplicate({ reason: "x", name: "child" }));
  const { worker: leaf } = granted(await child.maybeReplicate({ reason: "x", name: "leaf" }));
  await root.shutdown();
  await child.shutdown();
  const line = await fleet.lineage(leaf.id);
  expect(line.map(({ name, status }) => `${name} ${status}`)).toEqual([
    "leaf running",
    "child stopped",
    "root stopped",
  ]);
  await leaf.shutdown();
  expect((await fleet.lineage(leaf.id)).map(({ name }) => name)).toEqual(["leaf", "child", "root"]);
  expect(fleet.workers()).toEqual([]);
  const all = await fleet.workers({ all: true });
  expect(all.map(({ name, depth }) => `${name} ${depth}`)).toEqual(["root 0", "child 1", "leaf 2"]);
  expect(all.every(({ end }) => end?.grade === "settled")).toBe(true);
});

test("[LB26] a worker is found after its end with the state it last checkpointed", async () => {
  const fleet = await openRoomy();
  const root = await fleet.start({ state: { found: 0 } });
  for (let found = 1; found <= 300; found += 1) await root.checkpoint({ found });
  await root.shutdown();
  expect(await fleet.worker(root.id)).toMatchObject({ state: { found: 300 }, status: "stopped" });
  expect(await fleet.worker("w-aaaaaaaaaaaaaaaa")).toBeUndefined();
});

test("[LB26] metrics count what is and what this handle has seen", async () => {
  const fleet = await openUnder({ maxReplicas: 4 });
  const [a] = [await fleet.start(), await fleet.start()];
  granted(await fleet.issueManifest());
  await fleet.quarantine(a.id, { reason: "odd" });
  await fleet.tryStart();
  await fleet.tryStart();
  expect(fleet.metrics()).toMatchObject({
    status: "open",
    liveCount: 4,
    maxReplicas: 4,
    utilisation: 1,
    totalCount: 4,
    admittedCount: 1,
    runningCount: 3,
    stoppingCount: 0,
    quarantinedCount: 1,
    refusals: { max_replicas: 1 },
  });
  expect(fleet.metrics().entries).toMatchObject({ "worker.admitted": 4, "worker.registered": 3 });
});
