import { expect, test } from "vitest";
import type { Actor } from "../../src/kernel/actor.ts";
import type { Command } from "../../src/kernel/command.ts";
import { LIMITS } from "../../src/kernel/limits.ts";
import type { Loop } from "../../src/runtime/loop.ts";
import {
  admit,
  begin,
  exited,
  granted,
  idOf,
  KILL,
  note,
  OPERATOR,
  PAUSE,
  refused,
  RESUME,
  Rig,
  self,
  stop,
  TICK,
} from "./rig.ts";

const bert: Actor = { ...OPERATOR, id: "bert" };

/** Has an actor refused so many times, each one journaled. */
async function exhaust(loop: Loop, by: Actor, count: number): Promise<void> {
  for (let done = 0; done < count; done += 1)
    await refused(loop.submit(admit("z", { parent: idOf("none") }), by));
}

test("[RL1] beyond its refusals a minute an actor is refused undecided", async () => {
  const rig = new Rig();
  const loop = await rig.found({ refusals_per_minute: 3 });
  await exhaust(loop, OPERATOR, 2);
  await granted(loop.submit(admit("a"), OPERATOR));
  await exhaust(loop, OPERATOR, 1);
  rig.clock.advance(1_000);
  const entries = await rig.entries();
  // It would have been granted.
  expect(await refused(loop.submit(admit("b"), OPERATOR))).toMatchObject({
    code: "rate_limited",
    facts: { actor: "operator:anna", max: 3, retry_after_ms: LIMITS.refusalWindowMs - 1_000 },
  });
  expect(await rig.entries()).toEqual(entries);
  await granted(loop.submit(admit("b"), bert));
  await loop.close();
});

test("[RL9] refusals of a lease count for the outside party that asked", async () => {
  const rig = new Rig();
  const loop = await rig.found({ refusals_per_minute: 2 });
  const ask = (name: string, region: string, by = OPERATOR) => {
    const holder = { name, nonce: "a".repeat(26), token_hash: "0".repeat(64) };
    const data = { holder, region: [region], ttl_ms: 60_000 };
    return loop.submit({ kind: "lease.acquire", data }, by);
  };
  await granted(ask("ada", "src/**"));
  for (let count = 0; count < 2; count += 1) await refused(ask("bob", "src/a"));
  expect(await refused(ask("bob", "docs/**"))).toMatchObject({
    code: "rate_limited",
    facts: { actor: "outside:bob" },
  });
  // Whoever asks for others, and all others, go on.
  expect((await refused(ask("carl", "src/a"))).code).toBe("conflict");
  await granted(ask("carl", "docs/**"));
  await granted(loop.submit(admit("a"), OPERATOR));
  // A worker that speaks in many names is one.
  await begin(loop, "w");
  for (const name of ["x", "y"])
    expect((await refused(ask(name, "etc/**", self("w")))).code).toBe("not_authorised");
  expect((await refused(ask("z", "etc/**", self("w")))).code).toBe("rate_limited");
  await loop.close();
});

test("[RL2] the window is one of journal time, and ends at its instant", async () => {
  const rig = new Rig();
  const loop = await rig.found({ refusals_per_minute: 2 });
  await exhaust(loop, OPERATOR, 2);
  rig.clock.advance(LIMITS.refusalWindowMs - 1);
  expect(
    await refused(loop.submit(PAUSE, OPERATOR).then(() => loop.submit(RESUME, OPERATOR))),
  ).toMatchObject({ code: "rate_limited", facts: { retry_after_ms: 1 } });
  rig.clock.advance(1);
  await granted(loop.submit(RESUME, OPERATOR));
  await exhaust(loop, OPERATOR, 1);
  await granted(loop.submit(admit("a"), OPERATOR));
  await loop.close();
});

test("[RL3] the count is kept by the journal: another loop limits the same actor", async () => {
  const rig = new Rig();
  const loop = await rig.found({ refusals_per_minute: 2 });
  await exhaust(loop, OPERATOR, 2);
  await loop.close();
  const other = await rig.open();
  expect((await refused(other.submit(admit("a"), OPERATOR))).code).toBe("rate_limited");
  await other.close();
});

test("[RL4] within one append the limit holds from the refusal that reaches it", async () => {
  const rig = new Rig();
  const loop = await rig.found({ refusals_per_minute: 2 });
  const codes = await Promise.all(
    Array.from({ length: 4 }, async () => {
      const { code } = await refused(loop.submit(admit("z", { parent: idOf("no") }), OPERATOR));
      return code;
    }),
  );
  expect(codes).toEqual(["parent_unknown", "parent_unknown", "rate_limited", "rate_limited"]);
  await loop.close();
});

const always: readonly (readonly [Command, Actor])[] = [
  [stop("b"), OPERATOR],
  [{ kind: "worker.observe", data: observation("c") }, OPERATOR],
  [
    {
      kind: "worker.quarantine",
      data: { worker: idOf("d"), reason: "odd", source: "test", severity: "low" },
    },
    OPERATOR,
  ],
  [exited("b"), OPERATOR],
  [{ kind: "worker.write_off", data: { worker: idOf("c"), reason: "gone" } }, OPERATOR],
  [{ kind: "budget.charge", data: { worker: idOf("a"), amounts: { cpu_ms: 5 } } }, OPERATOR],
  [{ kind: "halt.request", data: { handle: "h", reason: "test" } }, OPERATOR],
  [{ kind: "receipt.record", data: { receipt: {} } }, OPERATOR],
  [TICK, OPERATOR],
  [PAUSE, OPERATOR],
  [KILL, OPERATOR],
];

function observation(name: string): Extract<Command, { kind: "worker.observe" }>["data"] {
  return { worker: idOf(name), beat_count: 1, silent_ms: 10 ** 7, watched_ms: 1, seen: "unknown" };
}

test("[RL5] what stops or observes is decided for a limited actor too", async () => {
  const rig = new Rig();
  const loop = await rig.found({ refusals_per_minute: 1 });
  for (const name of "abcd") await begin(loop, name);
  await exhaust(loop, OPERATOR, 1);
  const happened: string[] = [];
  for (const [command, by] of always) {
    const { entries } = await granted(loop.submit(command, by));
    happened.push(...entries.map(({ kind }) => kind));
  }
  expect(happened).toEqual([
    "worker.stopping",
    "worker.staled",
    "worker.quarantined",
    "worker.stopped",
    "worker.stopped",
    "budget.charged",
    "halt.requested",
    "receipt.recorded",
    "fleet.paused",
    "fleet.killed",
  ]);
  // All others are not.
  for (const command of [RESUME, note("a"), admit("e")])
    expect((await refused(loop.submit(command, OPERATOR))).code).toBe("rate_limited");
  const claim = {
    kind: "budget.charge",
    data: { worker: idOf("a"), amounts: { cpu_ms: 1 } },
  } as const;
  await exhaust(loop, self("a"), 1);
  expect((await refused(loop.submit(claim, self("a")))).code).toBe("rate_limited");
  await loop.close();
});

test("[RL6] a limited actor's refusals fill no journal, whatever it tries", async () => {
  const rig = new Rig();
  const loop = await rig.found({ refusals_per_minute: 1 });
  await begin(loop, "a");
  await begin(loop, "b");
  await exhaust(loop, self("a"), 1);
  const before = (await rig.entries()).length;
  for (let count = 0; count < 5; count += 1) {
    expect((await refused(loop.submit(stop("b"), self("a")))).code).toBe("not_authorised");
    expect((await refused(loop.submit(KILL, self("a")))).code).toBe("not_authorised");
    expect((await refused(loop.submit(note("b"), self("a")))).code).toBe("rate_limited");
  }
  expect((await rig.entries()).length).toBe(before);
  await loop.close();
});

test("[RL7] after the window one entry counts the refusals it does not show", async () => {
  const rig = new Rig();
  const loop = await rig.found({ refusals_per_minute: 1 });
  await exhaust(loop, OPERATOR, 1);
  await exhaust(loop, bert, 1);
  for (let count = 0; count < 7; count += 1) await refused(loop.submit(RESUME, OPERATOR));
  await refused(loop.submit(RESUME, bert));
  const suppressed = async (): Promise<readonly unknown[]> =>
    (await rig.entries())
      .filter(({ kind }) => kind === "refusals.suppressed")
      .map(({ actor, data }) => ({ actor, data }));
  await rig.timers.advance(LIMITS.refusalWindowMs - 1);
  expect(await suppressed()).toEqual([]);
  await rig.timers.advance(1);
  const actor = { kind: "system", via: "runtime" };
  const window_ms = LIMITS.refusalWindowMs;
  const expected = [
    { actor, data: { actor_key: "operator:anna", count: 7, window_ms } },
    { actor, data: { actor_key: "operator:bert", count: 1, window_ms } },
  ];
  expect(await suppressed()).toEqual(expected);
  await rig.timers.advance(LIMITS.refusalWindowMs);
  expect(await suppressed()).toEqual(expected);
  await loop.close();
});

test("[RL8] a loop that closes says how many refusals it has not shown", async () => {
  const rig = new Rig();
  const loop = await rig.found({ refusals_per_minute: 1 });
  await exhaust(loop, OPERATOR, 1);
  await refused(loop.submit(RESUME, OPERATOR));
  const last = loop.submit(RESUME, OPERATOR);
  await loop.close();
  await refused(last);
  const told = (await rig.entries()).filter((entry) => entry.kind === "refusals.suppressed");
  expect(told.map(({ data }) => data.count)).toEqual([2]);
  expect(rig.timers.count).toBe(0);
});
