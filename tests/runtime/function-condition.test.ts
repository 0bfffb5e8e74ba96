import { expect, test } from "vitest";
import type { AdmissionContext } from "../../src/kernel/condition/context/admission.ts";
import type { StopCondition } from "../../src/kernel/fleet/contract.ts";
import type { JsonObject } from "../../src/kernel/json.ts";
import { LIMITS } from "../../src/kernel/limits.ts";
import type { FunctionCondition } from "../../src/runtime/function-condition.ts";
import type { Answer, Loop } from "../../src/runtime/loop.ts";
import { redecide } from "../../src/runtime/replaying/redeciding.ts";
import {
  admit,
  begin,
  create,
  exited,
  granted,
  KILL,
  manifestIn,
  OPERATOR,
  refused,
  register,
  Rig,
  SUPERVISOR,
} from "./rig.ts";

const ASK: StopCondition = { name: "ask" };

/** A loop on a fleet whose contract names one function condition, and that function. */
function asking(rig: Rig, ask: FunctionCondition, register_within_ms = 30_000): Promise<Loop> {
  return rig.found({ stop: [ASK], register_within_ms }, { functions: { ask } });
}

async function factsOf(answer: Promise<Answer>): Promise<JsonObject> {
  const { code, facts } = await refused(answer);
  expect(code).toBe("stop_condition");
  return facts;
}

test("[FC1] a function that answers true blocks, one that answers false does not", async () => {
  const rig = new Rig();
  const loop = await asking(rig, (context: AdmissionContext) => context.name === "b");
  await granted(loop.submit(admit("a"), OPERATOR));
  expect(await factsOf(loop.submit(admit("b"), OPERATOR))).toEqual({ condition: "ask" });
  await loop.close();
});

test("[FC2] a function sees a frozen copy, in its process's form (replication A18)", async () => {
  const rig = new Rig();
  const seen: unknown[] = [];
  const look = (context: { readonly state: { list: number[] } }): boolean => {
    seen.push(context);
    expect(() => context.state.list.push(2)).toThrow(TypeError);
    expect(() => Object.assign(context, { state: {} })).toThrow(TypeError);
    return false;
  };
  const toContext = ({ state, active_count }: AdmissionContext): unknown => ({
    activeCount: active_count,
    state,
  });
  const loop = await rig.found({ stop: [ASK] }, { functions: { ask: look }, toContext });
  await begin(loop, "b");
  const state = { list: [1] };
  const { entries } = await granted(loop.submit(admit("a", { state }), OPERATOR));
  expect(seen.at(-1)).toEqual({ activeCount: 1, state: { list: [1] } });
  expect(manifestIn(entries).state).toEqual({ list: [1] });
  await loop.close();
});

const wrong: readonly (readonly [string, FunctionCondition, RegExp])[] = [
  ["throws", () => fail("no idea"), /threw: no idea$/],
  ["throws nonsense", () => raise(Object.create(null)), /threw: something without a description$/],
  ["answers a number", () => 0, /true or false at once, got number$/],
  ["answers nothing", () => undefined, /got undefined$/],
  ["answers null", () => null, /got null$/],
  ["promises", async () => false, /got a promise$/],
  ["promises and breaks it", () => Promise.reject(new Error("late")), /got a promise$/],
  ["never answers", () => spin(), /answer within 50 ms, it was interrupted$/],
  ["catches everything", () => spinStubbornly(), /it was interrupted$/],
  ["throws a trap", () => raise({ toString: spin }), /it was interrupted$/],
  ["sleeps", () => sleep(), /it was interrupted$/],
];

test.each(wrong)("[FC3] a function that %s denies, and says why", async (_, ask, error) => {
  const rig = new Rig();
  const loop = await asking(rig, ask);
  const startedAtMs = performance.now();
  const facts = await factsOf(loop.submit(admit("a"), OPERATOR));
  expect(performance.now() - startedAtMs).toBeLessThan(100 * LIMITS.functionConditionMs);
  expect(facts["error"]).toMatch(error);
  expect((await rig.entries()).at(-1)?.kind).toBe("command.refused");
  // Nothing of it stays behind.
  await granted(loop.submit(KILL, OPERATOR));
  await loop.close();
});

test("[FC4] a function that this process does not have denies, and is named", async () => {
  const rig = new Rig();
  const loop = await asking(rig, () => false);
  await granted(loop.submit(admit("a"), OPERATOR));
  const other = await rig.open();
  const missing = { condition: "ask", missing: true };
  expect(await factsOf(other.submit(admit("b"), OPERATOR))).toEqual(missing);
  // Nor is anything taken for one that merely has the name.
  const { contract } = loop.state();
  const stop = [{ name: "toString" }];
  await granted(
    loop.submit({ kind: "contract.enact", data: { contract: { ...contract, stop } } }, OPERATOR),
  );
  expect(await factsOf(loop.submit(admit("b"), OPERATOR))).toMatchObject({ missing: true });
  await Promise.all([loop.close(), other.close()]);
});

test("[FC5] a verdict is taken on the very state that the command is decided on", async () => {
  const rig = new Rig();
  const only = (context: AdmissionContext): boolean => context.active_count >= 2;
  const one = await asking(rig, only);
  const other = await rig.open({ functions: { ask: only } });
  const answers = await Promise.all(
    ["a", "b", "c", "d", "e", "f"].map((name, index) =>
      (index % 2 === 0 ? one : other).submit(admit(name), OPERATOR),
    ),
  );
  expect(answers.filter(({ ok }) => ok)).toHaveLength(2);
  expect((await one.look()).live_count).toBe(2);
  await Promise.all([one.close(), other.close()]);
});

test("[FC5] also when the condition came with the command before", async () => {
  const rig = new Rig();
  const loop = await rig.found(
    {},
    { functions: { ask: ({ name }: AdmissionContext) => name === "b" } },
  );
  const { contract } = loop.state();
  const [enacted, one, other] = await Promise.all([
    loop.submit(
      { kind: "contract.enact", data: { contract: { ...contract, stop: [ASK] } } },
      OPERATOR,
    ),
    loop.submit(admit("a"), OPERATOR),
    loop.submit(admit("b"), OPERATOR),
  ]);
  expect([enacted.ok, one.ok, other.ok]).toEqual([true, true, false]);
  await loop.close();
});

test("[FC5] no verdict is used for another command of the same append", async () => {
  const rig = new Rig();
  let isStrict = false;
  const loop = await asking(rig, ({ name }: AdmissionContext) => isStrict && name === "b");
  const b = await granted(loop.submit(admit("b"), OPERATOR));
  isStrict = true;
  const contract = { ...loop.state().contract, max_depth: 5 };
  const [a, , late] = await Promise.all([
    loop.submit(admit("a"), OPERATOR),
    // From here on the registration has to be asked about, too.
    loop.submit({ kind: "contract.enact", data: { contract } }, OPERATOR),
    loop.submit(register(manifestIn(b.entries)), OPERATOR),
  ]);
  expect(a.ok).toBe(true);
  expect(late).toMatchObject({ refusal: { code: "stop_condition" } });
  await loop.close();
});

test("[FC6] what time has ended is journaled before a verdict is taken", async () => {
  const rig = new Rig();
  const counts: number[] = [];
  const loop = await asking(
    rig,
    ({ active_count }: AdmissionContext) => {
      counts.push(active_count);
      return active_count >= 1;
    },
    1_000,
  );
  await granted(loop.submit(admit("a"), OPERATOR));
  rig.clock.advance(1_000);
  await granted(loop.submit(admit("b"), OPERATOR));
  expect(withoutRepeats(counts)).toEqual([0, 1, 0]);
  const [lapse, admission] = (await rig.entries()).slice(-2);
  expect(lapse).toMatchObject({ kind: "worker.lapsed", command: { kind: "clock.tick" } });
  expect(admission).toMatchObject({ kind: "worker.admitted", command: { kind: "worker.admit" } });
  expect(lapse?.id).not.toBe(admission?.id);
  await loop.close();
});

test("[FC7] verdicts are recorded with the command, and never taken from who asks", async () => {
  const rig = new Rig();
  const loop = await asking(rig, () => true);
  const forged = admit("a", { verdicts: { ask: false } });
  await refused(loop.submit(forged, OPERATOR));
  const recorded = (await rig.entries()).at(-1);
  expect(recorded).toMatchObject({ command: { data: { verdicts: { ask: true } } } });
  await loop.close();
  // Also where there is no function to contradict.
  const other = await rig.open();
  expect(await factsOf(other.submit(forged, OPERATOR))).toMatchObject({ missing: true });
  expect(await redecide(rig.journal)).toEqual([]);
  // Nor are they kept where nobody is asked.
  const { contract } = other.state();
  const enact = { kind: "contract.enact", data: { contract: { ...contract, stop: [] } } } as const;
  await granted(other.submit(enact, OPERATOR));
  const { entries } = await granted(other.submit(forged, OPERATOR));
  expect(entries[0]?.command?.data).not.toHaveProperty("verdicts");
  await other.close();
});

test("[FC8] a function that calls the fleet back deadlocks nothing (replication A18)", async () => {
  const rig = new Rig();
  const inner: Promise<unknown>[] = [];
  const loop: Loop = await asking(rig, () => {
    if (inner.length === 0)
      inner.push(loop.submit(admit("b"), OPERATOR), loop.look(), loop.submit(KILL, OPERATOR));
    return false;
  });
  await granted(loop.submit(admit("a"), OPERATOR));
  const [nested] = await Promise.all(inner);
  expect(nested).toMatchObject({ refusal: { code: "fleet_killed" } });
  expect(loop.state().status).toBe("killed");
  await loop.close();
});

test("[FC9] a kill waits only for the function being asked (replication A18)", async () => {
  const rig = new Rig();
  const asked = new Set<string>();
  const loop = await asking(rig, ({ name }: AdmissionContext) => {
    asked.add(name);
    return false;
  });
  const many = ["a", "b", "c", "d"].map((name) => loop.submit(admit(name), OPERATOR));
  const first = many[0] ?? fail("one was submitted");
  await granted(first);
  expect([...asked]).toEqual(["a"]);
  await granted(loop.submit(KILL, OPERATOR));
  const rest = await Promise.all(many.slice(1));
  expect(rest.filter(({ ok }) => ok).length).toBeLessThanOrEqual(1);
  await loop.close();
});

test("[FC10] a registration is asked about only if the contract changed", async () => {
  const rig = new Rig();
  const asked: string[] = [];
  const loop = await asking(rig, ({ active_count: count, name, contract }: AdmissionContext) => {
    asked.push(`${name}, depth ${contract.max_depth}, beside ${count}`);
    return count > 0;
  });
  const a = await granted(loop.submit(admit("a"), OPERATOR));
  await granted(loop.submit(register(manifestIn(a.entries)), OPERATOR));
  expect(withoutRepeats(asked)).toEqual(["a, depth 3, beside 0"]);
  await granted(loop.submit(exited("a"), SUPERVISOR));
  const b = await granted(loop.submit(admit("b"), OPERATOR));
  const changed = { ...loop.state().contract, max_depth: 5 };
  await granted(loop.submit({ kind: "contract.enact", data: { contract: changed } }, OPERATOR));
  await granted(loop.submit(register(manifestIn(b.entries)), OPERATOR));
  expect(withoutRepeats(asked).slice(1)).toEqual(["b, depth 3, beside 0", "b, depth 5, beside 0"]);
  expect(await redecide(rig.journal)).toEqual([]);
  await loop.close();
});

test("[FC11] a command that is repeated under its id is not asked about again", async () => {
  const rig = new Rig();
  let isFull = false;
  const loop = await rig.open({ functions: { ask: () => isFull } });
  await granted(loop.submit(create({ stop: [ASK] }), OPERATOR));
  const first = await granted(loop.submit(admit("a"), OPERATOR, { id: "x" }));
  isFull = true;
  expect(await loop.submit(admit("a"), OPERATOR, { id: "x" })).toEqual(first);
  await loop.close();
});

/** On a machine that is busy elsewhere a function may be asked again. */
function withoutRepeats<T>(items: readonly T[]): readonly T[] {
  return items.filter((item, index) => index === 0 || item !== items[index - 1]);
}

function fail(message: string): never {
  throw new Error(message);
}

function raise(value: unknown): never {
  throw value;
}

function spin(): never {
  for (;;);
}

function spinStubbornly(): never {
  try {
    spin();
  } catch {
    spin();
  } finally {
    spin();
  }
}

function sleep(): boolean {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10_000);
  return false;
}
