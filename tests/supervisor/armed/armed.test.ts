import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { ContractOptions, EntryView } from "stint";
import { toWire } from "../../../src/library/names.ts";
import { awaitGone, environmentOf, isAlive, listProcesses } from "../../support/process-table.ts";
import { needs } from "../../support/require-all.ts";
import type { Order } from "../fixtures/obeying.ts";
import { makeRig, type Rig, type Rung, type Supervised } from "../rig.ts";

const ARMED = { armedEveryMs: 60_000, armedAction: "pause" } as const;

/** Long enough for a canary on a busy machine, and what follows from it, ms. */
const WITHIN = { timeout: 40_000, interval: 25 };

async function supervise(rig: Rig, rung: Rung = "best") {
  const obeys = join(rig.folder, "order");
  const tell = (order: Order): void => writeFileSync(obeys, order);
  const supervised = await rig.supervise({ rung, obeys });
  return { tell, supervised };
}

/** Supervises on an upper rung; skips where there is none. */
async function superviseProven(rig: Rig) {
  const { tell, supervised } = await supervise(rig);
  const degraded = supervised.said[0]?.["degraded"];
  const isProving = Array.isArray(degraded) && !degraded.includes("same_user");
  needs(isProving, "this host proves no end: no namespaces");
  return { tell, supervised };
}

/** What armed checks have come to, once there are any. */
async function checksOf(rig: Rig): Promise<readonly EntryView["data"][]> {
  const list = async () => (await rig.entries()).filter(({ kind }) => kind === "armed.checked");
  await expect.poll(async () => (await list()).length, WITHIN).toBeGreaterThan(0);
  return (await list()).map(({ data }) => data);
}

/** The processes of canaries of this rig's fleet. */
function canaries(rig: Rig) {
  return listProcesses().filter(({ pid, ...row }) => {
    const environment = environmentOf(pid);
    const isOurs = environment.includes(`STINT_FLEET=${rig.fleet.id}`);
    return (
      isAlive({ pid, ...row }) &&
      isOurs &&
      environment.some((one) => one.startsWith("STINT_CANARY="))
    );
  });
}

/** The fleet in numbers, as it is now. */
async function metricsOf(rig: Rig) {
  await rig.fleet.look();
  return rig.fleet.metrics();
}

/** The folders of sandboxes that there are. */
function sandboxFolders(rig: Rig): readonly string[] {
  const folder = join(rig.stateDir, "sandboxes");
  return existsSync(folder) ? readdirSync(folder).filter((name) => !name.startsWith(".")) : [];
}

async function enact(rig: Rig, contract: ContractOptions): Promise<void> {
  const [created] = await rig.entries();
  const { contract: before } = (created?.command?.data ?? {}) as { readonly contract: object };
  const wire = toWire({ ...before, ...contract }, "contract");
  const { body } = await rig.command("contract.enact", { contract: wire });
  expect(body.refusal).toBeUndefined();
}

describe("a supervisor whose contract is armed", () => {
  test("[AC4] starts a canary soon after it has begun, kills it, and proves that", async () => {
    const rig = await makeRig(ARMED);
    await superviseProven(rig);
    const [check] = await checksOf(rig);
    expect(check).toMatchObject({ ok: true, grade: "observed" });
    expect(canaries(rig)).toEqual([]);
    await expect.poll(() => sandboxFolders(rig), WITHIN).toEqual([]);
    // It was no worker at any time.
    const { totalCount, liveCount, status } = await metricsOf(rig);
    expect({ totalCount, liveCount, status }).toEqual({
      totalCount: 0,
      liveCount: 0,
      status: "open",
    });
    const armed = { standing: "proven", everyMs: 60_000, action: "pause" };
    expect((await metricsOf(rig)).armed).toMatchObject({ ...armed, last: { ok: true } });
  });

  test("[AC4] makes none while it is off, and begins when it is turned on", async () => {
    const rig = await makeRig();
    await superviseProven(rig);
    // Longer than it takes until the first one where it is on.
    const sinceMs = performance.now();
    await expect.poll(() => performance.now() - sinceMs, WITHIN).toBeGreaterThan(2_000);
    expect(sandboxFolders(rig)).toEqual([]);
    expect((await rig.entries()).some(({ kind }) => kind === "armed.checked")).toBe(false);
    await enact(rig, ARMED);
    expect(await checksOf(rig)).toMatchObject([{ ok: true }]);
  });

  test("[AC2] on the lowest rung, where an end is swept, it has failed and pauses", async () => {
    const rig = await makeRig(ARMED);
    await supervise(rig, "process-group");
    expect(await checksOf(rig)).toMatchObject([
      { ok: false, grade: "swept", problem: expect.stringContaining('"swept"') as string },
    ]);
    expect((await metricsOf(rig)).status).toBe("paused");
    expect(canaries(rig)).toEqual([]);
  });
});

describe("[AC6] an armed check fails", () => {
  test("where the driver could not end the canary, which is ended again", async () => {
    const rig = await makeRig({ ...ARMED, armedAction: "show" });
    const { tell } = await supervise(rig, "process-group");
    tell("leave");
    const [check] = await checksOf(rig);
    expect(check).toMatchObject({ ok: false, grade: null });
    expect((await metricsOf(rig)).status).toBe("open");
    tell("work");
    await expect.poll(() => sandboxFolders(rig), WITHIN).toEqual([]);
  });

  test("where the driver says that it has and somebody is left, who is ended", async () => {
    const rig = await makeRig(ARMED);
    const { tell } = await supervise(rig, "process-group");
    tell("lie");
    const [check] = await checksOf(rig);
    expect(check).toMatchObject({
      ok: false,
      grade: "observed",
      problem: expect.stringMatching(/its end is observed, and \d+ of its processes/) as string,
    });
    expect((await metricsOf(rig)).status).toBe("paused");
    await awaitGone(canaries(rig), WITHIN.timeout);
    expect(canaries(rig)).toEqual([]);
    tell("work");
    await expect.poll(() => sandboxFolders(rig), WITHIN).toEqual([]);
  });
});

describe("[AC5] no canary is left behind", () => {
  /** Whatever ends a supervisor in the middle of a check, nothing of the canary is there after. */
  async function endDuring(end: (rig: Rig, supervised: Supervised) => Promise<void>) {
    const rig = await makeRig(ARMED);
    const { tell, supervised } = await supervise(rig, "process-group");
    tell("wait");
    await expect.poll(() => canaries(rig).length, WITHIN).toBeGreaterThanOrEqual(2);
    await end(rig, supervised);
    tell("work");
    await supervised.exited;
    return {
      alive: canaries(rig),
      folders: sandboxFolders(rig),
      checked: (await rig.entries()).filter(({ kind }) => kind === "armed.checked"),
    };
  }

  const NOTHING = { alive: [], folders: [], checked: [] };

  test("by a kill, whose receipt tells of workers alone", async () => {
    const left = await endDuring(async (rig) => {
      expect((await rig.fleet.kill({ reason: "over" })).workers).toEqual([]);
    });
    expect(left).toEqual(NOTHING);
  });

  test("and a steward leaves one alone that its supervisor has in hand", async () => {
    let aliveCount = 0;
    await endDuring(async (rig, { child }) => {
      // Longer than stewards leave to others what has no worker.
      const sinceMs = performance.now();
      await expect.poll(() => performance.now() - sinceMs, WITHIN).toBeGreaterThan(6_000);
      aliveCount = canaries(rig).length;
      child.kill("SIGTERM");
    });
    expect(aliveCount).toBeGreaterThanOrEqual(2);
  });

  test("by a drain", async () => {
    const left = await endDuring(async (_, { child }) => void child.kill("SIGTERM"));
    expect(left).toEqual(NOTHING);
  });

  test.each(["best", "process-group"] as const)(
    "by a supervisor that died with it, on the rung %s, once there is another",
    async (rung) => {
      const rig = await makeRig(ARMED);
      const { tell, supervised } = await supervise(rig, rung);
      tell("wait");
      await expect.poll(() => canaries(rig).length, WITHIN).toBeGreaterThanOrEqual(2);
      const [left = ""] = sandboxFolders(rig);
      await supervised.kill();
      tell("work");
      await supervise(rig, rung);
      expect(sandboxFolders(rig)).not.toContain(left);
      const isOld = (pid: number): boolean => environmentOf(pid).includes(`STINT_CANARY=${left}`);
      expect(canaries(rig).filter(({ pid }) => isOld(pid))).toEqual([]);
    },
  );
});
