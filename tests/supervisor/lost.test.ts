import { randomInt } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import type { EntryView } from "stint";
import { expect, test } from "vitest";
import { openProcessSandbox } from "../../src/sandbox/process/process-sandbox.ts";
import { awaitGone } from "../support/process-table.ts";
import type { Reply } from "./fixtures/ask.ts";
import { makeRig, type Rig, type Rung } from "./rig.ts";

const roundCount = 5;

/** How long after the first answer a supervisor is killed, at most, ms. */
const busyMsMax = 150;

/** How long the sandboxes of a dead supervisor may take to be gone on the upper rungs, ms. */
const goneWithinMs = 2_000;

const lookEveryMs = 5;

/** What is on record of an end that nobody ordered. */
const LOST = "supervisor lost";

/** Workers that leave their group, their session, and their parent. */
const STRAY = ["/bin/sh", "-c", "sleep 600 & setsid sleep 600 & exec sleep 600"];

interface Ordered {
  readonly order: ReturnType<Rig["order"]>;
  readonly reply: Reply | undefined;
}

/** Gives orders one after another until nobody answers any more. */
async function giveOrders(rig: Rig, given: Ordered[]): Promise<void> {
  for (;;) {
    const order = rig.order(STRAY);
    const reply = await rig.operator("/v1/workers", order).catch(() => undefined);
    given.push({ order, reply });
    if (reply === undefined) return;
  }
}

/** What was found in rounds of supervisors that were killed while they started workers. */
interface Found {
  /** Processes of workers that ran when a successor served. */
  readonly atStart: number[];
  /** Workers that were on record as running then. */
  readonly onRecord: number[];
  /** Processes that ran some time after a supervisor was dead. */
  readonly atDeath: number[];
}

async function killInRounds(rig: Rig, rung: Rung, given: Ordered[]): Promise<Found> {
  const found: Found = { atStart: [], onRecord: [], atDeath: [] };
  for (let round = 0; round < roundCount; round += 1) {
    const supervised = await rig.supervise({ rung });
    found.atStart.push(rig.processes().length);
    const entries = await rig.entries();
    const ended = workersOf(entries, "worker.stopped");
    const running = workersOf(entries, "worker.registered").filter((id) => !ended.includes(id));
    found.onRecord.push(running.length);
    const before = given.length;
    const giving = [giveOrders(rig, given), giveOrders(rig, given)];
    while (!given.slice(before).some(isGranted)) await pause(lookEveryMs);
    await pause(randomInt(busyMsMax));
    const rows = rig.processes();
    await supervised.kill();
    await Promise.all(giving);
    if (rung === "process-group") continue;
    const left = await awaitGone([...rows, ...rig.processes()], goneWithinMs);
    found.atDeath.push(left.length);
  }
  await rig.supervise({ rung });
  found.atStart.push(rig.processes().length);
  return found;
}

function isGranted({ reply }: Ordered): boolean {
  return reply?.body.ok === true;
}

function workersOf(entries: readonly EntryView[], kind: EntryView["kind"]): readonly string[] {
  return entries.flatMap((entry) =>
    entry.kind === kind && "worker" in entry.data ? [entry.data.worker] : [],
  );
}

const withinMs = 240_000;

test.for(["process-group", "pid-namespace", "best"] as const)(
  "[SV23] killed five times, rung %s: nothing lives on, is lost or runs twice (replication C3)",
  { timeout: withinMs },
  async (rung) => {
    const rig = await makeRig({ maxReplicas: 10_000, maxTotal: 100_000 });
    const given: Ordered[] = [];
    const { atStart, onRecord, atDeath } = await killInRounds(rig, rung, given);
    // Whatever the one before has left is gone, and on record, before the next one serves.
    expect(Math.max(...atStart, ...onRecord)).toBe(0);
    expect(Math.max(0, ...atDeath)).toBe(0);

    const entries = await rig.entries();
    const registered = workersOf(entries, "worker.registered");
    expect(new Set(registered).size).toBe(registered.length);
    const acknowledged = given.filter(isGranted).map(({ order }) => order.admission.instance);
    expect(acknowledged.length).toBeGreaterThanOrEqual(roundCount);
    expect(registered).toEqual(expect.arrayContaining(acknowledged));
    const lost = entries.filter(
      (entry) => entry.kind === "worker.stopped" && entry.data.outcome.killedBy === LOST,
    );
    expect(workersOf(lost, "worker.stopped")).toEqual(expect.arrayContaining(acknowledged));

    // The same order given again, to the last successor, finds what it came to.
    const first = given.find(isGranted);
    const again = await rig.operator("/v1/workers", first?.order);
    expect(again.body).toEqual(first?.reply?.body);
    expect(rig.processes()).toEqual([]);
  },
);

test("[SV23] what another process has started in the fleet is no supervisor's to end", async () => {
  const rig = await makeRig();
  const worker = await rig.fleet.issueManifest({ reason: "a test", network: "open" });
  if (!worker.ok) throw new Error(worker.refusal.message);
  const driver = await openProcessSandbox({ stateFolder: rig.stateDir, fleet: rig.fleet.id });
  const { instance } = worker.manifest;
  const run = ["/bin/sleep", "600"] as const;
  await driver.start({ instance, run, files: {}, env: { SV_MARK: rig.mark } });
  for (let round = 0; round < 2; round += 1) {
    await (await rig.supervise()).kill();
    expect(rig.processes()).toHaveLength(1);
  }
  await driver.stop(instance, { graceMs: 0, deadlineMs: 5_000, by: "a test" });
  await driver.close();
});
