import { InputError } from "../../src/protocol/input.ts";
import { expect, test } from "vitest";
import { Hub, type HubOptions } from "../../src/bus/hub.ts";
import type { Subscription } from "../../src/bus/subscription.ts";
import type { BusIdentity } from "../../src/ports/bus.ts";
import { FakeClock } from "../../src/testing/fake-clock.ts";

const OPERATOR: BusIdentity = { kind: "operator" };
const SUPERVISOR: BusIdentity = { kind: "supervisor" };
const API: BusIdentity = { kind: "service", id: "api" };
const WORKER: BusIdentity = { kind: "worker", id: "w-aaaaaaaaaaaaaaaa" };
const FLEET = "f-1";

function makeHub(so: Partial<HubOptions> = {}) {
  const clock = new FakeClock();
  const broken: unknown[] = [];
  const onBroken = (error: unknown): void => void broken.push(error);
  const hub = new Hub({ fleet: FLEET, clock, run: "r", onBroken, ...so });
  return { hub, clock, broken };
}

const publish = (hub: Hub, n: number, subject = "system.x"): void =>
  void hub.publish(OPERATOR, { subject, body: { n } });

/** Everything that waits now, in few words. */
function drain(subscription: Subscription): readonly unknown[] {
  const said: unknown[] = [];
  for (;;) {
    const taken = subscription.takeNow();
    if (taken === undefined) return said;
    said.push(taken.kind === "lost" ? `lost ${taken.count}` : taken.envelope.body["n"]);
  }
}

test("[BU3] the hub makes the envelope; nothing of a publisher's survives", () => {
  const { hub, clock } = makeHub();
  const heard = hub.subscribe(OPERATOR, ["system.>"]);
  const body = { v: 9, id: "mine", at_ms: -1, from: { kind: "supervisor" } };
  hub.publish(API, { subject: "system.api.news", body });
  const taken = heard.takeNow();
  expect(taken).toEqual({
    kind: "message",
    envelope: {
      v: 1,
      id: "r-1",
      subject: "system.api.news",
      at_ms: clock.read().wallMs,
      from: API,
      body,
    },
  });
});

test("[BU4] who publishes hears it itself, and each message once (health 1)", () => {
  const { hub } = makeHub();
  const heard = hub.subscribe(OPERATOR, ["system.x", "system.*", "system.>"]);
  publish(hub, 1);
  expect(drain(heard)).toEqual([1]);
});

test.each([
  [OPERATOR, "system.api.1.health"],
  [OPERATOR, "system.api.1.control"],
  [OPERATOR, "fleet.f-1.journal"],
  [OPERATOR, "fleet.f-1.worker.w-a.news"],
  [OPERATOR, "system"],
  [API, "system.web.news"],
  [API, "system.api"],
  [API, "system.api.1.health"],
  [API, "fleet.f-1.operator.news"],
  [WORKER, "fleet.f-1.worker.w-bbbbbbbbbbbbbbbb.news"],
  [WORKER, "fleet.f-2.worker.w-aaaaaaaaaaaaaaaa.news"],
  [WORKER, "system.api.news"],
  [OPERATOR, "system.*"],
] as const)("[BU5] %j may not publish on %s (health 5)", (from, subject) => {
  const { hub } = makeHub();
  const heard = hub.subscribe(OPERATOR, [">"]);
  expect(() => hub.publish(from, { subject, body: {} })).toThrow(InputError);
  expect(heard.takeNow()).toBeUndefined();
  expect(hub.counts).toMatchObject({ messages: 0, malformed: 1 });
});

test.each([
  [OPERATOR, "system.api.1.news"],
  [OPERATOR, "fleet.f-1.operator.news"],
  [API, "system.api.1.news"],
  [WORKER, "fleet.f-1.worker.w-aaaaaaaaaaaaaaaa.news"],
  [SUPERVISOR, "fleet.f-1.journal"],
] as const)("[BU5] %j may publish on %s", (from, subject) => {
  const { hub } = makeHub();
  expect(hub.publish(from, { subject, body: {} })).toMatchObject({ subject, from });
});

test.each([
  [API, ">"],
  [API, "system.>"],
  [API, "system.*.1.control"],
  [API, "system.web.>"],
  [WORKER, "fleet.f-1.journal"],
  [WORKER, "fleet.f-1.worker.>"],
  [WORKER, "fleet.*.worker.w-aaaaaaaaaaaaaaaa.>"],
] as const)("[BU6] %j may not subscribe to %s", (by, pattern) => {
  const { hub } = makeHub();
  expect(() => hub.subscribe(by, [pattern])).toThrow(InputError);
  expect(hub.counts.subscriptions).toBe(0);
});

test("[BU6] a service and a worker hear what is their own", () => {
  const { hub } = makeHub();
  const api = hub.subscribe(API, ["system.api.>"]);
  const worker = hub.subscribe(WORKER, ["fleet.f-1.worker.w-aaaaaaaaaaaaaaaa.*"]);
  hub.tell("system.api.1.control", { n: 1 }, { from: SUPERVISOR });
  hub.tell("fleet.f-1.worker.w-aaaaaaaaaaaaaaaa.control", { n: 2 }, { from: SUPERVISOR });
  expect([drain(api), drain(worker)]).toEqual([[1], [2]]);
});

test("[BU7] a full queue drops its oldest and says how many, where they would have been", () => {
  const { hub } = makeHub({ limits: { messagesMax: 3, bytesMax: 1e6, beatsMax: 9 } });
  const slow = hub.subscribe(OPERATOR, [">"]);
  for (let n = 1; n <= 5; n += 1) publish(hub, n);
  expect(drain(slow)).toEqual(["lost 2", 3, 4, 5]);
  for (let n = 6; n <= 9; n += 1) publish(hub, n);
  expect(drain(slow)).toEqual(["lost 1", 7, 8, 9]);
  expect(hub.counts.lost).toBe(3);
});

test("[BU7] bytes bound a queue, too, and a slow reader costs others nothing", async () => {
  const { hub } = makeHub({ limits: { messagesMax: 1_000, bytesMax: 4_000, beatsMax: 9 } });
  const slow = hub.subscribe(OPERATOR, [">"]);
  const quick = hub.subscribe(OPERATOR, [">"]);
  const quickly: unknown[] = [];
  for (let n = 1; n <= 10; n += 1) {
    const reading = quick.take();
    hub.publish(OPERATOR, { subject: "system.x", body: { n, text: "x".repeat(900) } });
    const taken = await reading;
    quickly.push(taken?.kind === "message" ? taken.envelope.body["n"] : taken);
  }
  expect(quickly).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  expect(drain(slow)).toEqual(["lost 7", 8, 9, 10]);
});

test("[BU8] a burst evicts no beat, of which the newest is kept (health 11)", () => {
  const { hub } = makeHub({ limits: { messagesMax: 2, bytesMax: 1e6, beatsMax: 9 } });
  const heard = hub.subscribe(OPERATOR, [">"]);
  const beat = (instance: string, n: string): void =>
    void hub.tell(`system.api.${instance}.health`, { n }, { from: OPERATOR });
  beat("1", "old");
  beat("2", "b2");
  beat("1", "b1");
  for (let n = 1; n <= 4; n += 1) publish(hub, n);
  const said = drain(heard);
  expect(said.filter((one) => typeof one === "number")).toEqual([3, 4]);
  expect(said.filter((one) => String(one).startsWith("b"))).toEqual(["b2", "b1"]);
  expect(said).toHaveLength(5);
});

test("[BU8] messages and beats are read in turn: neither starves the other", () => {
  const { hub } = makeHub();
  const heard = hub.subscribe(OPERATOR, [">"]);
  for (let n = 1; n <= 3; n += 1) publish(hub, n);
  for (const n of ["a", "b", "c"]) hub.tell(`system.api.${n}.health`, { n }, { from: OPERATOR });
  expect(drain(heard)).toEqual([1, "a", 2, "b", 3, "c"]);
});

test("[BU9] what has expired is not delivered, at the bound neither", () => {
  const { hub, clock } = makeHub();
  const heard = hub.subscribe(OPERATOR, [">"]);
  const [subject, ttlMs] = ["system.x", 1_000];
  hub.publish(OPERATOR, { subject, body: { n: 1 }, ttlMs });
  clock.advance(1);
  hub.publish(OPERATOR, { subject, body: { n: 2 }, ttlMs });
  clock.advance(999);
  expect(drain(heard)).toEqual([2]);
});

test("[BU10] closing wakes the reader, however full its queue is (health 11)", async () => {
  const { hub } = makeHub({ limits: { messagesMax: 1, bytesMax: 1e6, beatsMax: 1 } });
  const waiting = hub.subscribe(OPERATOR, ["system.y"]);
  const full = hub.subscribe(OPERATOR, ["system.x"]);
  const taken = waiting.take();
  publish(hub, 1);
  publish(hub, 2);
  hub.close();
  expect(await taken).toBeUndefined();
  expect(await full.take()).toBeUndefined();
  expect(hub.counts.subscriptions).toBe(0);
  expect(await hub.subscribe(OPERATOR, [">"]).take()).toBeUndefined();
});

test("[BU11] what a listener throws ends neither it nor others (health 2)", () => {
  const { hub, broken } = makeHub();
  const heard: unknown[] = [];
  hub.listen("system.>", ({ body }) => {
    if (body["n"] === 1) throw new Error("cannot bear it");
    heard.push(body["n"]);
  });
  const queued = hub.subscribe(OPERATOR, ["system.>"]);
  for (let n = 1; n <= 3; n += 1) publish(hub, n);
  expect(heard).toEqual([2, 3]);
  expect(drain(queued)).toEqual([1, 2, 3]);
  expect(broken).toHaveLength(1);
});

test("[BU12] subscriptions are bounded, of one and of all (health 11)", () => {
  const { hub } = makeHub();
  for (let n = 0; n < 8; n += 1) hub.subscribe(API, ["system.api.>"]);
  expect(() => hub.subscribe(API, ["system.api.>"])).toThrow("at most 8 of its subscriber");
  const kept = Array.from({ length: 248 }, () => hub.subscribe(OPERATOR, [">"]));
  expect(() => hub.subscribe(OPERATOR, [">"])).toThrow("at most 256");
  kept[0]?.close();
  expect(hub.subscribe(OPERATOR, [">"]).isClosed).toBe(false);
  expect(() => hub.subscribe(OPERATOR, [])).toThrow("1 to 32 patterns");
});

test("[BU12] a subscription that was closed hears nothing more", () => {
  const { hub } = makeHub();
  const heard = hub.subscribe(OPERATOR, [">"]);
  publish(hub, 1);
  heard.close();
  publish(hub, 2);
  expect(drain(heard)).toEqual([]);
  expect(hub.counts.messages).toBe(2);
});
