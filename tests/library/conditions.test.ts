import { memory, openFleet, type ConditionContext, type Fleet } from "stint";
import { expect, test } from "vitest";
import {
  closeAfterwards,
  codeOf,
  entriesOf,
  granted,
  openRoomy,
  openUnder,
  ROOMY,
  SECRET,
} from "./rig.ts";

function under(when: (context: ConditionContext) => boolean): Promise<Fleet> {
  return openUnder({ stopConditions: [{ name: "mine", when }] });
}

test("[LB31] a function condition is enacted by its name and asked at each admission", async () => {
  const fleet = await openUnder({
    stopConditions: [{ name: "active_limit", when: (c) => c.activeCount >= 2 }],
  });
  expect(fleet.contract.stopConditions).toEqual([{ name: "active_limit" }]);
  await fleet.start();
  await fleet.start();
  const third = await fleet.tryStart();
  expect(third).toMatchObject({
    refusal: { code: "stop_condition", facts: { condition: "active_limit" } },
  });
});

test("[LB31] no more than the function allows are admitted, however many ask at once", async () => {
  const fleet = await under((c) => c.activeCount >= 3);
  const answers = await Promise.all(Array.from({ length: 8 }, () => fleet.tryStart()));
  expect(answers.map(codeOf).toSorted()).toEqual([
    "granted",
    "granted",
    "granted",
    ...Array.from({ length: 5 }, () => "stop_condition"),
  ]);
});

test("[LB31] it sees the admission in camelCase, the candidate not counted", async () => {
  const seen: ConditionContext[] = [];
  const fleet = await under((context) => {
    seen.push(context);
    return false;
  });
  const root = await fleet.start({ name: "root", state: { snake_case: 1 } });
  granted(await root.maybeReplicate({ reason: "because", name: "leaf", state: { part_a: 2 } }));
  expect(seen[0]).toMatchObject({ activeCount: 0, totalCount: 0, depth: 0, name: "root" });
  expect(seen[0]).toMatchObject({ parent: null, state: { snake_case: 1 } });
  expect(seen[1]).toMatchObject({
    activeCount: 1,
    depth: 1,
    name: "leaf",
    reason: "because",
    state: { part_a: 2 },
    parent: {
      id: root.id,
      childrenCount: 0,
      state: { snake_case: 1 },
    },
    contract: { maxReplicas: 50 },
  });
});

test("[LB31] it cannot change what it is shown (replication A18)", async () => {
  const fleet = await under((context) => {
    (context.contract as { maxReplicas: number }).maxReplicas = 1_000;
    return false;
  });
  const refused = await fleet.tryStart();
  expect(refused).toMatchObject({ refusal: { code: "stop_condition" } });
  expect(fleet.contract.maxReplicas).toBe(50);
});

test("[LB31] one that throws blocks, with its error in the refusal (replication A18)", async () => {
  const fleet = await under(() => {
    throw new Error("no idea");
  });
  const refused = await fleet.tryStart();
  expect(refused).toMatchObject({ refusal: { code: "stop_condition" } });
  expect(JSON.stringify(refused)).toContain("no idea");
});

test("[LB31] one that never answers is interrupted and blocks (replication A18)", async () => {
  const fleet = await openUnder({
    stopConditions: [
      {
        name: "endless",
        when: () => {
          for (;;);
        },
      },
    ],
  });
  const starting = fleet.tryStart();
  const killing = fleet.kill({ reason: "drill" });
  expect(codeOf(await starting)).toMatch(/^(stop_condition|fleet_killed)$/);
  const receipt = await killing;
  expect(receipt.seq).not.toBeNull();
  expect(receipt.durationMs).toBeLessThan(2_000);
});

test("[LB31] one that uses its own fleet blocks nobody (replication A18)", async () => {
  const asked: Promise<unknown>[] = [];
  const fleet: Fleet = await under(() => {
    asked.push(fleet.look(), fleet.heartbeat("w-aaaaaaaaaaaaaaaa"));
    return fleet.workers().length > 0;
  });
  // On a busy machine its first answer may come too late, which blocks and harms nobody.
  await expect.poll(async () => codeOf(await fleet.tryStart())).toBe("granted");
  expect(codeOf(await fleet.tryStart())).toBe("stop_condition");
  expect((await Promise.all(asked)).length).toBeGreaterThanOrEqual(4);
});

test("[LB32] a process without the function is refused (replication A19)", async () => {
  const store = memory();
  const contract = { ...ROOMY, stopConditions: [{ name: "mine", when: () => false }] };
  const first = await openRoomy({ store, contract });
  const without = await openFleet({ store, secret: SECRET });
  closeAfterwards(without);
  expect(await without.tryStart()).toMatchObject({
    refusal: { code: "stop_condition", facts: { condition: "mine", missing: true } },
  });
  const bringing = await openFleet({ store, secret: SECRET, conditions: { mine: () => false } });
  closeAfterwards(bringing);
  expect(codeOf(await bringing.tryStart())).toBe("granted");
  expect(codeOf(await first.tryStart())).toBe("granted");
});

test("[LB31] the first condition that blocks is named, in the order of the contract", async () => {
  const fleet = await openUnder({
    stopConditions: [
      { name: "quiet", when: "active_count > 100" },
      { name: "first", when: () => true },
      { name: "second", when: "true" },
    ],
  });
  expect(await fleet.tryStart()).toMatchObject({ refusal: { facts: { condition: "first" } } });
});

test("[LB31] what a function said is on record with the command", async () => {
  const fleet = await under(() => true);
  await fleet.tryStart();
  const refused = (await entriesOf(fleet)).find(({ kind }) => kind === "command.refused");
  expect(refused?.command).toMatchObject({
    kind: "worker.admit",
    data: { verdicts: { mine: true } },
  });
});
