import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { Fault, InputError, memory, openFleet, sqlite } from "stint";
import { expect, test } from "vitest";
import {
  closeAfterwards,
  codeOf,
  entriesOf,
  kindsOf,
  makeFolder,
  openRoomy,
  openUnder,
  rejectionOf,
  ROOMY,
  SECRET,
} from "./rig.ts";

test("[LB1] an empty store gets a fleet, what its contract leaves out by default", async () => {
  const fleet = await openRoomy({ name: "orchard", contract: { maxDepth: 2, cooldownMs: 7 } });
  expect(fleet.name).toBe("orchard");
  expect(fleet.status).toBe("open");
  expect(fleet.id).toMatch(/^f-[a-z2-7]{16}$/);
  expect(fleet.contract).toMatchObject({ maxDepth: 2, cooldownMs: 7, maxReplicas: 50 });
  const [created] = await entriesOf(fleet);
  expect(created).toMatchObject({ kind: "fleet.created", data: { name: "orchard" } });
});

test("[LB1] no policy means deny: an empty store without a contract stays empty", async () => {
  const store = memory();
  const error = await rejectionOf(openFleet({ store, secret: SECRET }));
  expect(error).toBeInstanceOf(InputError);
  expect(error.message).toBe("options.contract must be a contract for a new fleet, got nothing");
  const later = await openRoomy({ store });
  expect(await kindsOf(later)).toEqual(["fleet.created"]);
});

test("[LB2] a contract that differs throws and names every difference", async () => {
  const store = memory();
  const first = await openRoomy({ store });
  const error = await rejectionOf(
    openFleet({ store, secret: SECRET, contract: { ...ROOMY, maxDepth: 1, cooldownMs: 5 } }),
  );
  expect(error).toBeInstanceOf(InputError);
  expect(error.message).toContain("maxDepth: in force 5, given 1");
  expect(error.message).toContain("cooldownMs: in force 0, given 5");
  expect(error.message).not.toContain("maxReplicas");
  expect(await kindsOf(first)).toEqual(["fleet.created"]);
});

test("[LB2] the same contract, and none at all, open an existing fleet as it is", async () => {
  const store = memory();
  const first = await openRoomy({ store });
  const same = await openRoomy({ store });
  const { contract: _, ...without } = { store, secret: SECRET, contract: ROOMY };
  const none = await openFleet(without);
  closeAfterwards(none);
  expect([same.id, none.id]).toEqual([first.id, first.id]);
  expect(none.contract).toEqual(first.contract);
});

test("[LB3] with enact a contract that differs is put in force", async () => {
  const store = memory();
  const first = await openRoomy({ store });
  const second = await openRoomy({ store, contract: { ...ROOMY, maxDepth: 1 }, enact: true });
  expect(second.contract.maxDepth).toBe(1);
  expect(await kindsOf(first)).toEqual(["fleet.created", "contract.enacted"]);
});

test("[LB4] another secret is a fault", async () => {
  const store = memory();
  await openRoomy({ store });
  const error = await rejectionOf(openFleet({ store, secret: `${SECRET} not` }));
  expect(error).toBeInstanceOf(Fault);
  expect(error.code).toBe("key_mismatch");
});

test("[LB9] a secret that is too short is an InputError that does not show it", async () => {
  const error = await rejectionOf(openFleet({ store: memory(), secret: "hunter2", contract: {} }));
  expect(error).toBeInstanceOf(InputError);
  expect(error.message).toMatch(/^options\.secret must be 16 to \d+ bytes .*, got 7$/);
  expect(error.message).not.toContain("hunter2");
});

test.each([
  [{ maxDepth: Number.NaN }, "contract.maxDepth must be an integer from 0 to 64, got NaN"],
  [{ maxReplicas: Infinity }, "contract.maxReplicas must be an integer from 1 to 100000, got"],
  [{ maxReplicas: 0 }, "contract.maxReplicas must be an integer from 1 to 100000, got 0"],
  [{ maxDepth: 1.5 }, "contract.maxDepth must be an integer from 0 to 64, got 1.5"],
  [{ cooldownMs: -1 }, "contract.cooldownMs must be an integer from 0 to 2592000000, got -1"],
  [{ maxDepth: "3" }, 'contract.maxDepth must be an integer from 0 to 64, got "3"'],
  [
    { maxDept: 3 },
    "contract.maxDept must be absent (no such field; did you mean maxDepth?), got 3",
  ],
  [{ max_depth: 3 }, "did you mean maxDepth?"],
  [{ stop: [] }, "did you mean stopConditions?"],
  [{ budget: { cpuMilli: 0.5 } }, "contract.budget.cpuMilli must be an integer"],
  [{ stopConditions: [{ name: "x" }] }, "contract.stopConditions[0].when must be CEL text or a"],
  [null, "contract must be an object, got null"],
])(
  "[LB9] the contract %j is an InputError in the caller's words (replication G1)",
  async (contract, message) => {
    const store = memory();
    const given = { store, secret: SECRET, contract: contract as object };
    const error = await rejectionOf(openFleet(given));
    expect(error).toBeInstanceOf(InputError);
    expect(error.message).toContain(message);
  },
);

test("[LB9] CEL that does not check is an InputError that says what is wrong with it", async () => {
  const stopConditions = [{ name: "typo", when: "activ_count > 3" }];
  const given = { store: memory(), secret: SECRET, contract: { stopConditions } };
  const error = await rejectionOf(openFleet(given));
  expect(error).toBeInstanceOf(InputError);
  expect(error.message).toContain('stop condition "typo"');
});

test("[LB9] an unknown option is an InputError with a suggestion", async () => {
  const given = { store: memory(), secret: SECRET, contract: ROOMY, stewart: false };
  const error = await rejectionOf(openFleet(given));
  expect(error.message).toContain("options.stewart must be absent");
  expect(error.message).toContain("did you mean steward?");
});

test("[LB38] a paused fleet admits nobody until it is resumed", async () => {
  const fleet = await openRoomy();
  await fleet.pause({ reason: "inspection" });
  expect(fleet.status).toBe("paused");
  expect(codeOf(await fleet.tryStart())).toBe("fleet_paused");
  await fleet.resume();
  expect(codeOf(await fleet.tryStart())).toBe("granted");
});

test("[LB3] a contract enacted by hand binds the next admission and stops nobody", async () => {
  const fleet = await openRoomy();
  await fleet.start();
  await fleet.start();
  await fleet.enact({ ...ROOMY, maxReplicas: 1 });
  expect(fleet.workers()).toHaveLength(2);
  expect(fleet.metrics()).toMatchObject({ liveCount: 2, maxReplicas: 1, utilisation: 2 });
  expect(codeOf(await fleet.tryStart())).toBe("max_replicas");
});

test("[LB39] closing tells tasks to stop, waits for them, and may be repeated", async () => {
  const store = memory();
  const watching = await openRoomy({ store });
  const fleet = await openRoomy({ store });
  const root = await fleet.start({ name: "root" });
  let interrupted: unknown;
  const task = root.performTask(async ({ signal }) => {
    await new Promise((resolve) => signal.addEventListener("abort", resolve));
    interrupted = signal.reason;
  });
  await fleet.close();
  await fleet.close();
  await task;
  expect(interrupted).toMatchObject({ name: "Interrupted", by: "stop" });
  const ended = await watching.worker(root.id);
  expect(ended?.end).toMatchObject({ grade: "settled", reason: "requested" });
  expect((await rejectionOf(fleet.start())).message).toContain("closed");
});

test("[LB39] `await using` closes a fleet", async () => {
  let kept;
  {
    await using fleet = await openFleet({ store: memory(), secret: SECRET, contract: ROOMY });
    kept = fleet;
    await fleet.start();
  }
  expect((await rejectionOf(kept.start())).message).toContain("closed");
});

test("[KL4] a kill that could not be journaled is journaled by the next who opens", async () => {
  const dir = makeFolder();
  const first = await openRoomy({ store: sqlite({ dir }) });
  await first.close();
  const permits = readdirSync(dir).filter((name) => name.startsWith("permit-"));
  expect(permits).toEqual([`permit-${first.id}`]);
  rmSync(join(dir, String(permits[0])));
  const second = await openRoomy({ store: sqlite({ dir }) });
  expect(second.status).toBe("killed");
  expect(codeOf(await second.tryStart())).toBe("fleet_killed");
  expect(await kindsOf(second)).toContain("fleet.killed");
});

test("[LB1] of two who open an empty store at once one creates the fleet for both", async () => {
  const dir = makeFolder();
  const both = await Promise.all([
    openRoomy({ store: sqlite({ dir }) }),
    openRoomy({ store: sqlite({ dir }) }),
  ]);
  expect(both[0].id).toBe(both[1].id);
  expect(readdirSync(dir).filter((name) => name.startsWith("permit-"))).toHaveLength(1);
});

test("[LB9] the reason of a pause must be a text", async () => {
  const fleet = await openUnder({});
  const error = await rejectionOf(fleet.pause({ reason: 3 as unknown as string }));
  expect(error).toBeInstanceOf(InputError);
  expect(fleet.status).toBe("open");
});
