import { expect, test } from "vitest";
import { LIMITS } from "../../../src/kernel/limits.ts";
import type { BusIdentity } from "../../../src/ports/bus.ts";
import { RollRig } from "./rig.ts";

/** One that holds a token of a service, and makes up instances. */
const FLOOD: BusIdentity = { kind: "service", id: "flood" };

function madeUp(name: string, count: number, so: object = {}): readonly object[] {
  return Array.from({ length: count }, (_, index) => ({ name, instance: `x${index}`, ...so }));
}

test("[RW17] who makes up instances leaves room for each name of the roster", async () => {
  const rig = await RollRig.make([{ name: "api", instances: 2 }]);
  const flood = rig.give(madeUp("flood", LIMITS.rollInstancesMax + 1), FLOOD);
  expect(flood).toMatchObject({
    accepted: LIMITS.rollInstancesMax,
    refused: [{ problem: { path: "instance", got: "one more" } }],
  });
  expect(flood.refused[0]?.problem.expected).toMatch(/^room in the roll/);
  const names = LIMITS.rollRowsMax / LIMITS.rollInstancesMax;
  for (let index = 1; index < names; index += 1)
    rig.give(madeUp(`flood-${index}`, LIMITS.rollInstancesMax));
  expect(rig.give(madeUp("another", 1)).accepted).toBe(0);
  // All that is left is for the two that are expected.
  expect(rig.give(madeUp("api", 3)).accepted).toBe(2);
  expect(rig.give(madeUp("flood", 1), FLOOD).accepted).toBe(1);
  expect(await rig.name("api")).toMatchObject({ status: "ok" });
  await rig.end();
});

test("[RW17] who says otherwise every second keeps no other name waiting", async () => {
  const rig = await RollRig.make([{ name: "api" }]);
  const flapping = async (seconds: number): Promise<void> => {
    for (let second = 0; second < seconds; second += 1) {
      const said = second % 2 === 0 ? "stopped" : "up";
      rig.give(madeUp("flood", LIMITS.rollPerDecisionMax, { said }), FLOOD);
      await rig.pass(1_000);
    }
  };
  await flapping(4);
  rig.beat();
  await flapping(6);
  const changes = await rig.changes();
  expect(changes).toContain("api/1 unknown ok");
  expect(changes.length).toBeLessThanOrEqual(2 * LIMITS.rollInstancesMax + 30);
  await flapping(20);
  expect((await rig.changes()).length - changes.length).toBeLessThanOrEqual(42);
  // What was left out is written down in the end, as it then stands.
  rig.give(madeUp("flood", LIMITS.rollPerDecisionMax, { said: "stopped" }), FLOOD);
  await rig.pass(200_000);
  const stands = [...rig.loop.state().roll.values()].filter(({ name }) => name === "flood");
  expect(new Set(stands.map(({ status }) => status))).toEqual(new Set(["stopped"]));
  await rig.end();
});

test("[RW18] a name that begins anew again and again does not shut itself out", async () => {
  const rig = await RollRig.make([{ name: "api" }]);
  rig.beat({ instance: "steady" });
  rig.give(madeUp("api", LIMITS.rollInstancesMax - 1, { said: "stopped" }));
  await rig.beating([{ instance: "steady" }], 6_000);
  expect(rig.give(madeUp("api", 1_000)).accepted).toBe(999);
  expect(rig.give([{ name: "api", instance: "next" }]).accepted).toBe(0);
  rig.give(madeUp("api", LIMITS.rollInstancesMax - 1, { said: "stopped" }));
  await rig.beating([{ instance: "steady" }], 605_000);
  expect(rig.loop.state().roll.size).toBe(750);
  expect(rig.loop.state().roll.has("api/steady")).toBe(true);
  expect(rig.give([{ name: "api", instance: "next" }]).accepted).toBe(1);
  await rig.end();
});
