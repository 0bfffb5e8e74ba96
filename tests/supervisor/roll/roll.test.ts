import * as fc from "fast-check";
import { expect, test, vi } from "vitest";
import type { Beat } from "../../../src/ports/bus.ts";
import { RollRig } from "./rig.ts";

test("[RW1] at three intervals of silence and not before it is stale (health 13)", async () => {
  const rig = await RollRig.make([{ name: "api", every_ms: 5_000 }]);
  expect(await rig.name("api")).toMatchObject({ status: "unknown", expected: true });
  rig.beat();
  await rig.pass(14_999);
  expect(await rig.name("api")).toMatchObject({ status: "ok" });
  await rig.pass(1);
  expect(await rig.name("api")).toMatchObject({ status: "stale" });
  expect(await rig.instance("api", "1")).toMatchObject({ status: "stale", age_ms: 15_000 });
  await rig.pass(1_000);
  expect(await rig.changes()).toEqual(["api/1 unknown ok", "api/1 ok stale"]);
  rig.beat();
  await rig.pass(1_000);
  expect(await rig.changes()).toContain("api/1 stale ok");
  await rig.end();
});

test("[RW2] the supervisor hears its own beats over its own bus (health 1)", async () => {
  const rig = await RollRig.make([{ name: "api" }]);
  await rig.pass(60_000);
  const { sections } = await rig.bus.document();
  expect(sections.expected.map(({ name, status }) => [name, status])).toEqual([
    ["stint", "ok"],
    ["api", "unknown"],
  ]);
  expect(sections.expected[0]?.instances).toMatchObject([
    { kind: "supervisor", status: "ok", count: 7, pid: process.pid },
  ]);
  expect(await rig.changes()).toEqual([]);
  await rig.end();
});

const NO_BEATS = [null, 7, "x", [], [1], true, Number.NaN, { name: "api" }, { instance: "1" }];

const HOSTILE_FIELDS: readonly object[] = [
  ...[null, "now", [], {}, Number.NaN, Infinity].map((sent_at_ms) => ({ sent_at_ms })),
  ...[null, 0, -1, 999, 3_600_001, 1.5, "10s"].map((interval_ms) => ({ interval_ms })),
  ...[null, -1, 0.5, 2 ** 53, "1"].map((progress) => ({ progress })),
  ...[null, "dead", 1].map((said) => ({ said })),
  ...["a.b", "", "a b", "*", ">", "é", "x".repeat(65), null, 1].map((name) => ({ name })),
  ...["w-aaaaaaaaaaaaaaaa", "a.b", null].map((instance) => ({ instance })),
  ...[0, -1, 1.5, "1"].map((pid) => ({ pid })),
  ...[1, "x".repeat(129), "\uD800"].map((host) => ({ host })),
  ...[[], "x", null, { text: "x".repeat(4_096) }].map((extra) => ({ extra })),
  { ts: 1 },
  { constructor: 1 },
  { name: "stint" },
];

test("[BE1] a beat that is none is told, and ends no listening (health 2)", async () => {
  const rig = await RollRig.make();
  const hostile = HOSTILE_FIELDS.map((one) => ({ name: "api", instance: "1", ...one }));
  const whole = [...NO_BEATS, ...hostile];
  const answer = rig.give([...whole, { name: "api", instance: "1" }]);
  expect(answer.accepted).toBe(1);
  expect(answer.refused.map(({ index }) => index)).toEqual(whole.map((_, index) => index));
  expect(await rig.instance("api", "1")).toMatchObject({ count: 1, status: "ok" });
  rig.beat();
  expect(await rig.instance("api", "1")).toMatchObject({ count: 2 });
  expect((await rig.bus.document()).bus).toMatchObject({ malformed: whole.length });
  await rig.end();
});

test("[BE1] whatever is given as a beat, the next one is heard (health 2)", async () => {
  const rig = await RollRig.make();
  let count = 0;
  const some = fc.oneof(
    fc.jsonValue(),
    fc.record({ name: fc.constant("api"), instance: fc.constant("1"), extra: fc.jsonValue() }),
    fc.record(
      { name: fc.string(), instance: fc.string(), sent_at_ms: fc.double(), said: fc.string() },
      { requiredKeys: [] },
    ),
  );
  fc.assert(
    fc.property(fc.array(some, { maxLength: 5 }), (beats) => {
      const { accepted, refused } = rig.give(beats);
      expect(accepted + refused.length).toBe(beats.length);
      rig.beat({ name: "sure" });
      count += 1;
    }),
  );
  expect(await rig.instance("sure", "1")).toMatchObject({ count });
  await rig.end();
});

test("[BE2] a service beats as itself, and nobody as the supervisor (health 5)", async () => {
  const rig = await RollRig.make();
  const api = { kind: "service", id: "api" } as const;
  const beats = ["api", "web", "stint"].map((name) => ({ name, instance: "1" }));
  const answer = rig.give(beats, api);
  expect(answer).toMatchObject({ accepted: 1, refused: [{ index: 1 }, { index: 2 }] });
  expect(answer.refused[0]?.problem).toEqual({
    path: "name",
    expected: '"api", the only one of this sender',
    got: '"web"',
  });
  expect(await rig.name("web")).toBeUndefined();
  expect(rig.give([{ name: "stint", instance: "1" }])).toMatchObject({ accepted: 0 });
  await rig.end();
});

test("[BE3] a sender's clock judges nobody: it is shown as skew (health 5)", async () => {
  const rig = await RollRig.make([{ name: "api" }, { name: "web" }]);
  const { clock } = rig.rig;
  const day = 86_400_000;
  const senders: Partial<Beat>[] = [
    { name: "api", sent_at_ms: clock.read().wallMs + day },
    { name: "web", sent_at_ms: clock.read().wallMs - day },
  ];
  for (const one of senders) rig.beat(one);
  await rig.pass(1_000);
  expect(await rig.instance("api", "1")).toMatchObject({ status: "ok", skew_ms: -day });
  expect(await rig.instance("web", "1")).toMatchObject({ status: "ok", skew_ms: day });
  await rig.pass(30_000);
  expect(await rig.instance("api", "1")).toMatchObject({ status: "stale", age_ms: 31_000 });
  await rig.end();
});

test("[RW3] a step of the wall clock changes no status (health 5)", async () => {
  const rig = await RollRig.make([{ name: "api" }]);
  rig.beat();
  rig.rig.clock.stepWall(86_400_000);
  await rig.pass(1_000);
  expect(await rig.name("api")).toMatchObject({ status: "ok" });
  rig.rig.clock.stepWall(-2 * 86_400_000);
  await rig.pass(29_000);
  expect(await rig.instance("api", "1")).toMatchObject({ status: "stale", age_ms: 30_000 });
  await rig.end();
});

test("[RW4] one dead of two is seen, until one takes its place (health 6)", async () => {
  const rig = await RollRig.make([{ name: "api", instances: 2 }]);
  await rig.beating([{ instance: "1" }, { instance: "2" }], 5_000);
  expect(await rig.name("api")).toMatchObject({ status: "ok", wanted: 2 });
  await rig.beating([{ instance: "2" }], 32_000);
  expect(await rig.instance("api", "1")).toMatchObject({ status: "stale" });
  expect(await rig.instance("api", "2")).toMatchObject({ status: "ok" });
  expect(await rig.name("api")).toMatchObject({
    status: "stale",
    why: "1 went silent, and nobody came in its place",
  });
  await rig.beating([{ instance: "2" }, { instance: "3" }], 3_000);
  expect(await rig.name("api")).toMatchObject({ status: "ok" });
  await rig.end();
});

test("[RW4] a name of too few instances is stale though all are well (health 6)", async () => {
  const rig = await RollRig.make([{ name: "api", instances: 2 }]);
  await rig.beating([{ instance: "1" }], 2_000);
  expect(await rig.name("api")).toMatchObject({ status: "stale", why: "1 of 2 that must be ok" });
  await rig.end();
});

test("[RW4] a restart within the window of the one before leaves no stain (health 6)", async () => {
  const rig = await RollRig.make([{ name: "api" }]);
  await rig.beating([{ instance: "1" }], 5_000);
  await rig.beating([{ instance: "2" }], 40_000);
  expect(await rig.instance("api", "1")).toMatchObject({ status: "stale" });
  expect(await rig.name("api")).toMatchObject({ status: "ok" });
  await rig.end();
});

test("[RW5] each change is one entry, told on the bus, kept as history (health 7)", async () => {
  const rig = await RollRig.make([{ name: "api", every_ms: 1_000 }]);
  const heard = rig.bus.hub.subscribe({ kind: "operator" }, ["system.*.*.status"]);
  rig.beat();
  await rig.pass(1_000);
  const told = heard.takeNow();
  const entry = (await rig.rig.entries()).at(-1);
  expect(entry).toMatchObject({ kind: "roll.changed", actor: { kind: "supervisor" } });
  expect(told).toMatchObject({
    kind: "message",
    envelope: {
      subject: "system.api.1.status",
      from: { kind: "supervisor" },
      body: { seq: entry?.seq, from: "unknown", to: "ok", name: "api", instance: "1" },
    },
  });
  await rig.pass(3_000);
  // Between two looks it came and went: only what was seen is on record.
  expect(await rig.changes()).toEqual(["api/1 unknown ok", "api/1 ok stale"]);
  expect((await rig.instance("api", "1"))?.history.map(({ to }) => to)).toEqual(["stale", "ok"]);
  await rig.end();
});

test("[RW6] who went silent before a restart is stale after it (health 7)", async () => {
  const rig = await RollRig.make([{ name: "api" }, { name: "web" }]);
  await rig.beating([{ name: "api" }, { name: "web" }], 2_000);
  await rig.beating([{ name: "web" }], 40_000);
  rig.die();
  await rig.begin();
  expect(await rig.name("api")).toMatchObject({ status: "stale" });
  expect(await rig.instance("api", "1")).toMatchObject({
    count: 2,
    why: "on record; not heard since this supervisor began",
  });
  expect((await rig.instance("api", "1"))?.history).toHaveLength(2);
  // The other one gets a whole window to be heard in.
  await rig.pass(29_000);
  expect(await rig.name("web")).toMatchObject({ status: "ok" });
  await rig.pass(2_000);
  expect(await rig.name("web")).toMatchObject({ status: "stale" });
  expect(await rig.changes()).toHaveLength(4);
  await rig.end();
});

test("[RW7] time in which the supervisor did not run counts for nobody (health 3)", async () => {
  const rig = await RollRig.make([{ name: "api" }]);
  rig.beat();
  await rig.pass(1_500);
  // As a suspended process: the clock goes on, its timers do not.
  rig.rig.clock.advance(120_000);
  await rig.pass(1_500);
  expect(await rig.name("api")).toMatchObject({ status: "ok" });
  await rig.pass(28_000);
  expect(await rig.name("api")).toMatchObject({ status: "stale" });
  await rig.end();
});

test("[RW7] a beat that came in before that was noticed is no more than one beat", async () => {
  const rig = await RollRig.make([{ name: "api" }]);
  rig.beat();
  await rig.pass(1_500);
  rig.rig.clock.advance(120_000);
  rig.beat();
  await rig.pass(29_500);
  expect(await rig.name("api")).toMatchObject({ status: "ok" });
  await rig.pass(1_000);
  expect(await rig.name("api")).toMatchObject({ status: "stale" });
  await rig.end();
});

test("[RW14] a beat while it looks sets no second timer", async () => {
  const rig = await RollRig.make();
  const { timers } = rig.rig;
  const before = timers.count;
  const looks = vi.spyOn(rig.bus.roll, "look").mockImplementationOnce(async () => rig.beat());
  await rig.pass(10_000);
  expect(timers.count).toBe(before);
  await rig.pass(3_000);
  expect(looks).toHaveBeenCalledTimes(4);
  await rig.end();
});

test("[RW16] what ten thousand instances say of themselves is cut, none of them is", async () => {
  const rig = await RollRig.make();
  const extra = { text: "x".repeat(4_000) };
  const count = 3_000;
  const nameOf = (n: number): string => `service-${n % 3}`;
  rig.give(
    Array.from({ length: count }, (_, n) => ({ name: nameOf(n), instance: `i${n}`, extra })),
  );
  const names = [await rig.name(nameOf(0)), await rig.name(nameOf(1)), await rig.name(nameOf(2))];
  const instances = names.flatMap((row) => row?.instances ?? []);
  expect(instances).toHaveLength(count);
  const shown = instances.filter((row) => row.extra !== undefined).length;
  expect(shown).toBeGreaterThan(1_000);
  expect(shown).toBeLessThan(1_100);
  expect(JSON.stringify(instances).length).toBeLessThan(8 * 2 ** 20);
  await rig.end();
});

test("[RW8] a goodbye is no crash, and silence on the way is one (health 8)", async () => {
  const rig = await RollRig.make([{ name: "api" }, { name: "web" }]);
  await rig.beating([{ name: "api" }, { name: "web" }], 2_000);
  rig.beat({ name: "api", said: "stopping" });
  rig.beat({ name: "web", said: "stopping" });
  await rig.pass(1_000);
  expect(await rig.name("api")).toMatchObject({ status: "stopping" });
  rig.beat({ name: "api", said: "stopped" });
  await rig.pass(60_000);
  expect(await rig.name("api")).toMatchObject({ status: "stopped" });
  expect(await rig.name("web")).toMatchObject({ status: "stale" });
  rig.beat({ name: "api", instance: "2" });
  await rig.pass(1_000);
  expect(await rig.name("api")).toMatchObject({ status: "ok" });
  await rig.end();
});

test("[RW9] the roster's interval wins over the beat's own (health 9)", async () => {
  const rig = await RollRig.make([{ name: "api", every_ms: 1_000 }]);
  rig.beat({ name: "api", interval_ms: 3_600_000 });
  rig.beat({ name: "web", interval_ms: 2_000 });
  rig.beat({ name: "job" });
  const statuses = async (): Promise<readonly unknown[]> => [
    (await rig.name("api"))?.status,
    (await rig.name("web"))?.status,
    (await rig.name("job"))?.status,
  ];
  await rig.pass(3_000);
  expect(await statuses()).toEqual(["stale", "ok", "ok"]);
  await rig.pass(3_000);
  expect(await statuses()).toEqual(["stale", "stale", "ok"]);
  await rig.pass(24_000);
  expect(await statuses()).toEqual(["stale", "stale", "stale"]);
  await rig.end();
});

test("[RW10] who beats and does not get on is called stuck (health 10)", async () => {
  const rig = await RollRig.make([{ name: "api", every_ms: 1_000 }]);
  await rig.beating([{ progress: 7 }, { name: "web", instance: "2" }], 59_000);
  expect(await rig.instance("api", "1")).not.toHaveProperty("stuck");
  await rig.beating([{ progress: 7 }], 2_000);
  expect(await rig.instance("api", "1")).toMatchObject({ status: "ok", progress: 7, stuck: true });
  rig.beat({ progress: 8 });
  const moved = await rig.instance("api", "1");
  expect(moved).toMatchObject({ progress: 8, progress_age_ms: 0 });
  expect(moved).not.toHaveProperty("stuck");
  expect(await rig.instance("web", "2")).not.toHaveProperty("progress");
  await rig.end();
});

test("[RW11] an unexpected name never becomes an expected one (health 9)", async () => {
  const rig = await RollRig.make([{ name: "api" }]);
  rig.beat({ name: "web" });
  await rig.pass(1_000);
  const { sections, counts } = await rig.bus.document();
  expect(sections.expected.map(({ name }) => name)).toEqual(["stint", "api"]);
  expect(sections.unexpected).toMatchObject([{ name: "web", expected: false, status: "ok" }]);
  expect(counts).toMatchObject({ ok: 2, unknown: 1, truncated: 0 });
  await rig.expect([{ name: "web" }]);
  const after = (await rig.bus.document()).sections;
  expect(after.expected.map(({ name }) => name)).toEqual(["stint", "web"]);
  expect(after.unexpected).toEqual([]);
  await rig.end();
});

test("[RW12] who ended a day ago is forgotten, who is well is not", async () => {
  const rig = await RollRig.make([{ name: "api" }]);
  rig.beat({ name: "api", interval_ms: 3_600_000 });
  rig.beat({ name: "web", said: "stopped" });
  await rig.expect([{ name: "api", every_ms: 3_600_000 }]);
  await rig.pass(2_000);
  for (let hours = 0; hours < 25; hours += 1) {
    rig.beat({ name: "api" });
    rig.rig.clock.advance(3_600_000);
    await rig.pass(11 * 60_000);
  }
  expect(await rig.name("web")).toBeUndefined();
  expect(await rig.name("api")).toMatchObject({ status: "ok" });
  expect((await rig.pulse.readInstances()).map(({ name }) => name)).toEqual(["api"]);
  await rig.end();
});

test("[RW13] beats are kept together, and a store that fails costs none", async () => {
  const rig = await RollRig.make();
  for (let count = 0; count < 10; count += 1) rig.beat({ progress: count, pid: 5 });
  expect(await rig.pulse.readInstances()).toEqual([]);
  const failing = vi.spyOn(rig.pulse, "keepInstances").mockRejectedValue(new Error("no room"));
  await rig.pass(1_000);
  expect(await rig.name("api")).toMatchObject({ status: "ok" });
  failing.mockRestore();
  await rig.pass(1_000);
  expect(await rig.pulse.readInstances()).toMatchObject([
    { name: "api", instance: "1", count: 10, progress: 9, about: { pid: 5 } },
  ]);
  await rig.end();
});

test("[RW14] while nobody beats it looks as seldom as it beats itself", async () => {
  const rig = await RollRig.make([{ name: "api" }]);
  const looks = vi.spyOn(rig.bus.roll, "look");
  await rig.pass(100_000);
  expect(looks.mock.calls.length).toBeLessThanOrEqual(10);
  looks.mockClear();
  rig.beat();
  await rig.pass(1_000);
  expect(looks).toHaveBeenCalledTimes(1);
  rig.beat({ said: "stopped" });
  await rig.pass(101_000);
  expect(looks.mock.calls.length).toBeLessThanOrEqual(13);
  await rig.end();
});

test("[RW15] many changes are written down some at a time, and all of them", async () => {
  const rig = await RollRig.make();
  const beats = Array.from({ length: 600 }, (_, index) => ({ name: "api", instance: `i${index}` }));
  rig.give(beats);
  await rig.pass(1_000);
  expect(rig.loop.state().roll.size).toBe(256);
  await rig.pass(2_000);
  expect(rig.loop.state().roll.size).toBe(600);
  await rig.end();
});
