import { expect, test } from "vitest";
import type { Actor } from "../../../src/kernel/actor.ts";
import type { Command } from "../../../src/kernel/command.ts";
import type { Loop } from "../../../src/runtime/loop.ts";
import {
  acquire,
  enactLanes,
  keep,
  leave,
  release,
  TTL_MS,
  wait,
} from "../../support/lease-scenario.ts";
import type { Ask, Play } from "../../support/scenario.ts";
import {
  begin,
  granted,
  idOf,
  OPERATOR,
  PAUSE,
  RESUME,
  Rig,
  self,
  SUPERVISOR,
  TICK,
} from "../rig.ts";

/** A step of a play as a command on the state of a loop. */
function commandOf(loop: Loop, step: Ask): Command {
  return step({ state: loop.state() } as Play).command;
}

async function give(loop: Loop, step: Ask): Promise<void> {
  await granted(loop.submit(commandOf(loop, step), OPERATOR));
}

/** Submits what keeps a place, held back for its turn; tells the kinds that it came to. */
function inTurn(loop: Loop, name: string, so: { turnMs?: number; signal?: AbortSignal } = {}) {
  const command = commandOf(loop, keep(name));
  const told: { kinds?: readonly string[]; error?: unknown } = {};
  loop.submit(command, OPERATOR, { turnMs: 4_000, ...so }).then(
    (answer) => (told.kinds = answer.ok ? answer.entries.map(({ kind }) => kind) : ["refused"]),
    (error: unknown) => (told.error = error),
  );
  return told;
}

async function inLine(): Promise<{ readonly rig: Rig; readonly loop: Loop }> {
  const rig = new Rig();
  const loop = await rig.found();
  await give(loop, acquire("ada", "src/**"));
  await give(loop, wait("bob", "src/a"));
  return { rig, loop };
}

test("[RT40] whoever waits for its turn is decided when somebody makes way", async () => {
  const { rig, loop } = await inLine();
  const told = inTurn(loop, "bob");
  await rig.timers.advance(3_999);
  expect(told.kinds).toBeUndefined();
  await give(loop, release("ada"));
  await rig.timers.settle();
  expect(told.kinds).toEqual(["lease.granted"]);
});

test("[RT40] or when its time is up, which keeps the place", async () => {
  const { rig, loop } = await inLine();
  const told = inTurn(loop, "bob");
  await rig.timers.advance(4_000);
  expect(told.kinds).toEqual([]);
  await rig.timers.advance(1_500);
  const again = inTurn(loop, "bob");
  await rig.timers.advance(4_000);
  expect(again.kinds).toEqual(["place.kept"]);
});

test("[RT40] what another process writes is heard, too", async () => {
  const { rig, loop } = await inLine();
  const other = await rig.open();
  const told = inTurn(loop, "bob");
  await give(other, release("ada"));
  await rig.timers.settle();
  expect(told.kinds).toEqual(["lease.granted"]);
});

test("[RT40] a lease that lapses is nobody's to tell of: its end is waited for", async () => {
  const rig = new Rig();
  const loop = await rig.found();
  await give(loop, acquire("ada", "src/**", { ttl_ms: 2_000 }));
  await give(loop, wait("bob", "src/a"));
  const told = inTurn(loop, "bob");
  await rig.timers.advance(1_999);
  expect(told.kinds).toBeUndefined();
  await rig.timers.advance(1);
  expect(told.kinds).toEqual(["lease.lapsed", "lease.granted"]);
});

test("[RT40] so is a place ahead that nobody keeps up, and one that is left", async () => {
  const { rig, loop } = await inLine();
  await rig.timers.advance(1_000);
  await give(loop, wait("carl", "src/a"));
  await give(loop, release("ada"));
  const told = inTurn(loop, "carl", { turnMs: 60_000 });
  await rig.timers.advance(13_999);
  expect(told.kinds).toBeUndefined();
  await rig.timers.advance(1);
  expect(told.kinds).toEqual(["lease.granted"]);

  const left = await inLine();
  await give(left.loop, wait("carl", "src/a"));
  await give(left.loop, release("ada"));
  const next = inTurn(left.loop, "carl");
  await give(left.loop, leave("bob"));
  await left.rig.timers.settle();
  expect(next.kinds).toEqual(["lease.granted"]);
});

test("[RT40] and a place ahead that has come to its lease elsewhere", async () => {
  const rig = new Rig();
  const loop = await rig.found();
  await give(loop, enactLanes(["x", "y"].map((name) => ({ name, region: [`${name}/**`] }))));
  await give(loop, acquire("ada", { lanes: ["x"] }));
  await give(loop, acquire("eve", { lanes: ["y"] }));
  await give(loop, wait("bob", { lanes: ["y", "x"] }));
  await give(loop, wait("carl", { lanes: ["x"] }));
  await give(loop, release("ada"));
  await give(loop, release("eve"));
  const told = inTurn(loop, "carl");
  await rig.timers.settle();
  expect(told.kinds).toBeUndefined();
  await give(loop, keep("bob"));
  await rig.timers.settle();
  expect(told.kinds).toEqual(["lease.granted"]);
});

test("[RT40] and a place of several that waited for a slot, once it is found empty", async () => {
  const rig = new Rig();
  const loop = await rig.found();
  await give(loop, enactLanes([{ name: "ci", region: ["ci/**"], slots: 1 }]));
  await give(loop, acquire("ada", { lanes: ["ci"] }));
  await give(loop, wait("bob", { lanes: ["ci"] }));
  await rig.timers.advance(1_000);
  await give(loop, wait("carl", { lanes: ["ci"] }));
  await rig.timers.advance(13_000);
  await give(loop, keep("carl"));
  await give(loop, release("ada"));
  const told = inTurn(loop, "carl", { turnMs: 12_000 });
  // That bob's place is over is nobody's to tell until it is recorded.
  await rig.timers.advance(6_000);
  expect(told.kinds).toBeUndefined();
  await granted(loop.submit(TICK, SUPERVISOR));
  await rig.timers.settle();
  expect(told.kinds).toEqual(["lease.granted"]);
});

test("[RT40] ground that a sandbox has mounted makes way when it is fenced", async () => {
  const rig = new Rig();
  const loop = await rig.found();
  await begin(loop, "w");
  const by = (command: Command, actor: Actor) => granted(loop.submit(command, actor));
  await by(commandOf(loop, acquire("@w", "src/**")), self("w"));
  const worker = idOf("w");
  const { id: lease } = [...loop.state().book.leases.values()][0] ?? { id: "" };
  await by({ kind: "lease.mount", data: { lease, worker } }, SUPERVISOR);
  await give(loop, wait("bob", "src/a"));
  await by(commandOf(loop, release("@w")), self("w"));
  const told = inTurn(loop, "bob");
  await rig.timers.settle();
  expect(told.kinds).toBeUndefined();
  const fence = { lease, worker, waited_ms: 5, was_frozen: false };
  await by({ kind: "lease.fence", data: fence }, SUPERVISOR);
  await rig.timers.settle();
  expect(told.kinds).toEqual(["lease.granted"]);
});

test("[RT40] in a pause it is nobody's turn, and after it whose it was", async () => {
  const { rig, loop } = await inLine();
  await granted(loop.submit(PAUSE, OPERATOR));
  const told = inTurn(loop, "bob");
  await give(loop, release("ada"));
  await rig.timers.settle();
  expect(told.kinds).toBeUndefined();
  await granted(loop.submit(RESUME, OPERATOR));
  await rig.timers.settle();
  expect(told.kinds).toEqual(["lease.granted"]);
});

test("[RT40] of those who ask for one turn the last waits, others are answered", async () => {
  const { rig, loop } = await inLine();
  const first = inTurn(loop, "bob");
  const second = inTurn(loop, "bob");
  await rig.timers.settle();
  expect([first.kinds, second.kinds]).toEqual([[], undefined]);
  await give(loop, release("ada"));
  await rig.timers.settle();
  expect(second.kinds).toEqual(["lease.granted"]);
});

test("[RT40] a place that is left meanwhile is no refusal to who waits for it", async () => {
  const { rig, loop } = await inLine();
  const told = inTurn(loop, "bob");
  await give(loop, leave("bob"));
  await rig.timers.settle();
  expect(told.kinds).toEqual([]);
  expect(await rig.kinds()).not.toContain("command.refused");
});

test("[RT40] of many who wait, looked at a few at a time, nobody is left out", async () => {
  const rig = new Rig();
  const loop = await rig.found();
  await give(loop, acquire("ada", "**"));
  const names = Array.from({ length: 9 }, (_, at) => `n${at}`);
  for (const name of names) await give(loop, wait(name, `src/${name}`));
  const told = names.map((name) => inTurn(loop, name));
  await rig.timers.settle();
  await give(loop, release("ada"));
  await rig.timers.settle();
  expect(told.map(({ kinds }) => kinds)).toEqual(names.map(() => ["lease.granted"]));
});

test("[RT41] whoever gives it up has submitted nothing, nor has a loop that closes", async () => {
  const { rig, loop } = await inLine();
  const { seq } = loop.head();
  const controller = new AbortController();
  const told = inTurn(loop, "bob", { signal: controller.signal });
  await rig.timers.settle();
  controller.abort(new Error("enough"));
  await rig.timers.settle();
  expect(told.error).toMatchObject({ message: "enough" });
  const closing = inTurn(loop, "bob");
  await rig.timers.settle();
  await loop.close();
  await rig.timers.settle();
  expect(closing.error).toMatchObject({ code: "closed" });
  const written = (await rig.entries()).filter((entry) => entry.seq > seq);
  expect(written.map(({ kind }) => kind)).toEqual(["journal.signed"]);
  expect(TTL_MS).toBeGreaterThan(4_000);
});
