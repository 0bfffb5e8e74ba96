import { existsSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { ContractOptions, EntryView } from "stint";
import { toWire } from "../../../src/library/names.ts";
import { permitFile } from "../../../src/system/places.ts";
import { listProcesses } from "../../support/process-table.ts";
import { needs } from "../../support/require-all.ts";
import { makeRig, type Rig } from "../rig.ts";

const MIB = 2 ** 20;
const SLEEP = ["/bin/sleep", "600"];
const BUSY = ["/bin/sh", "-c", "while :; do :; done"];

/** Holds so much memory once it has read it all: what has no line to cut is kept whole. */
const HOG = ["/bin/sh", "-c", `{ head -c ${96 * MIB} /dev/zero; sleep 600; } | tail`];

/** Long enough for two samples, each a second apart, and what follows from them, ms. */
const WITHIN = { timeout: 20_000, interval: 50 };

type KillWhen = NonNullable<ContractOptions["killWhen"]>;

const HOG_CONDITION: KillWhen[number] = {
  name: "hog",
  when: `worker.memory_bytes > ${64 * MIB}`,
  forMs: 1_000,
  action: "quarantine",
};

/** Supervises on the best rung; skips where that measures nothing. */
async function superviseWithGauges(rig: Rig): Promise<void> {
  const { said } = await rig.supervise({ rung: "best" });
  const degraded = said[0]?.["degraded"];
  const isMeasured = Array.isArray(degraded) && !degraded.includes("memory");
  needs(isMeasured, "this host measures nothing: no writable cgroups");
}

/** The entries of a kind, once there are any. */
async function entriesOf(rig: Rig, kind: EntryView["kind"]): Promise<readonly EntryView[]> {
  const list = async () => (await rig.entries()).filter((entry) => entry.kind === kind);
  await expect.poll(async () => (await list()).length, WITHIN).toBeGreaterThan(0);
  return list();
}

/** The names of the conditions that have tripped, in their order. */
async function trippedBy(rig: Rig): Promise<readonly unknown[]> {
  const entries = await rig.entries();
  return entries.flatMap(({ kind, data }) =>
    kind === "condition.tripped" ? [data.condition] : [],
  );
}

/** Puts other kill conditions in force, by the supervisor's own loop. */
async function enact(rig: Rig, killWhen: KillWhen): Promise<void> {
  const kill_when = killWhen.map(({ forMs, ...one }) => ({ ...one, for_ms: forMs }));
  const [created] = await rig.entries();
  const { contract } = (created?.command?.data ?? {}) as { readonly contract: object };
  const wire = toWire(contract, "contract") as object;
  const { body } = await rig.command("contract.enact", { contract: { ...wire, kill_when } });
  expect(body.refusal).toBeUndefined();
}

/** Whether the kernel holds all processes of this rig's workers, by its own word in /proc. */
function areHeld(rig: Rig): boolean {
  const rows = rig.processes();
  const isHeld = (pid: number): boolean => {
    const lines = readFileSync(`/proc/${pid}/cgroup`, "utf8").split("\n");
    const wchan = readFileSync(`/proc/${pid}/wchan`, "utf8");
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    const isFrozen = /freezer|do_freezer|frozen|get_signal/.test(wchan);
    return isFrozen || /^State:\t[TD]/m.test(status) || lines.some((one) => isFrozenBy(one));
  };
  return rows.length > 0 && rows.every(({ pid }) => isHeld(pid));
}

function isFrozenBy(line: string): boolean {
  const [, controllers = "", path = ""] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
  if (controllers === "freezer")
    return readOr(`/sys/fs/cgroup/freezer${path}/freezer.state`) === "FROZEN";
  const roots = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"];
  return controllers === "" && roots.some((root) => readOr(`${root}${path}/cgroup.freeze`) === "1");
}

function readOr(file: string): string {
  try {
    return readFileSync(file, "utf8").trim();
  } catch {
    // Another hierarchy has it.
    return "";
  }
}

describe("[KW11] a supervisor measures, and what trips acts as an operator's order", () => {
  test("a memory hog is frozen in quarantine, its sibling runs on", async () => {
    const rig = await makeRig({ killWhen: [HOG_CONDITION] });
    await superviseWithGauges(rig);
    const calm = await rig.start(SLEEP);
    const hog = await rig.start(HOG);
    const [tripped] = await entriesOf(rig, "condition.tripped");
    expect(tripped).toMatchObject({
      actor: { kind: "supervisor" },
      data: { condition: "hog", worker: hog, action: "quarantine", forMs: 1_000 },
    });
    const { measures, heldMs } = (tripped?.data ?? {}) as {
      readonly measures: { readonly worker: { readonly memoryBytes: number } };
      readonly heldMs: number;
    };
    expect(measures.worker.memoryBytes).toBeGreaterThan(64 * MIB);
    expect(heldMs).toBeGreaterThanOrEqual(1_000);
    expect((await rig.fleet.worker(hog))?.quarantine).toMatchObject({ source: "kill_when" });
    expect((await rig.fleet.worker(calm))?.quarantine).toBeNull();
    await rig.command("worker.stop", { worker: calm, reason: "requested", tree: false });
    await rig.end(calm);
    await expect.poll(() => areHeld(rig), WITHIN).toBe(true);
  });

  test("a busy loop is stopped by its cpu, its sibling runs on", async () => {
    const killWhen: KillWhen = [
      { name: "busy", when: "worker.cpu_milli > 300", forMs: 1_000, action: "stop" },
    ];
    const rig = await makeRig({ killWhen });
    await superviseWithGauges(rig);
    const calm = await rig.start(SLEEP);
    const busy = await rig.start(BUSY);
    expect(await rig.end(busy)).toMatchObject({ reason: "tripped" });
    const [tripped] = await entriesOf(rig, "condition.tripped");
    expect(tripped?.data).toMatchObject({ condition: "busy", worker: busy });
    expect((await rig.fleet.worker(calm))?.status).toBe("running");
    expect(rig.processes()).toHaveLength(1);
  });

  test("a storm of refusals pauses the fleet, and not again when it is resumed", async () => {
    const storm: KillWhen[number] = {
      name: "storm",
      when: "fleet.refusals_per_minute >= 5",
      forMs: 0,
      action: "pause",
    };
    const own = { ...storm, name: "own", when: "worker.refusals_per_minute >= 5" } as const;
    const rig = await makeRig({ killWhen: [own, storm] });
    await rig.supervise();
    const id = await rig.start(SLEEP);
    for (let count = 0; count < 5; count += 1) {
      const command = { kind: "fleet.kill", data: { reason: "because" } };
      const { status } = await rig.worker(id, "/v1/commands", { id: `c-${count}`, command });
      expect(status).toBe(403);
    }
    const [paused] = await entriesOf(rig, "fleet.paused");
    expect(String(Reflect.get(paused?.data ?? {}, "reason"))).toMatch(/^kill condition "own"/);
    const resume = (): Promise<unknown> => rig.command("fleet.resume", { reason: "seen to" });
    await resume();
    // What had to wait because the fleet was paused has its effect then, once.
    await expect.poll(async () => (await trippedBy(rig)).length, WITHIN).toBe(2);
    expect(await trippedBy(rig)).toEqual(["own", "storm"]);
    await resume();
    // Another condition shows that samples were taken for two seconds more.
    const later = { name: "later", when: "fleet.active_count > 0", forMs: 2_000, action: "pause" };
    await enact(rig, [own, storm, later as KillWhen[number]]);
    await expect.poll(async () => (await trippedBy(rig)).length, WITHIN).toBeGreaterThan(2);
    expect(await trippedBy(rig)).toEqual(["own", "storm", "later"]);
  });

  test("a fleet that has grown too large is killed, with a receipt", async () => {
    const killWhen: KillWhen = [
      { name: "crowd", when: "fleet.active_count >= 3", forMs: 0, action: "kill" },
    ];
    const rig = await makeRig({ killWhen });
    const supervisor = await rig.supervise();
    await rig.start(SLEEP);
    await rig.start(BUSY);
    expect((await rig.entries()).some(({ kind }) => kind === "fleet.killed")).toBe(false);
    await rig.start(SLEEP);
    const [receipt] = await entriesOf(rig, "receipt.recorded");
    const [killed] = await entriesOf(rig, "fleet.killed");
    expect(receipt?.data).toMatchObject({
      receipt: { order: "kill", seq: killed?.seq, stoppedCount: 3, survivorCount: 0 },
    });
    expect(rig.processes()).toEqual([]);
    await supervisor.exited;
    expect(listProcesses().some(({ pid }) => pid === supervisor.child.pid)).toBe(false);
    const [tripped] = await entriesOf(rig, "condition.tripped");
    expect(tripped?.seq).toBe((killed?.seq ?? 0) - 1);
  });
});

describe("[KW9] what cannot be measured stops nobody, and is on record once", () => {
  test("on a rung without control groups", async () => {
    const killWhen: KillWhen = [
      { name: "blind", when: "worker.memory_bytes > 0", forMs: 0, action: "kill" },
      { name: "asks", when: "has(worker.memory_bytes)", forMs: 0, action: "stop" },
    ];
    const rig = await makeRig({ killWhen });
    await rig.supervise({ rung: "process-group" });
    const ids = [await rig.start(SLEEP), await rig.start(SLEEP)];
    const failed = await entriesOf(rig, "condition.failed");
    expect(failed).toHaveLength(1);
    const [{ data } = { data: {} }] = failed;
    expect(data).toMatchObject({ condition: "blind" });
    expect(String(Reflect.get(data, "problem"))).toContain('"memory_bytes" must be present');
    expect(ids).toContain(Reflect.get(data, "worker"));
    for (const id of ids) expect((await rig.fleet.worker(id))?.status).toBe("running");
  });
});

describe("[KW12] a time is what one supervisor saw, without a break", () => {
  const slow: KillWhen = [
    { name: "slow", when: "fleet.active_count > 0", forMs: 4_000, action: "pause" },
  ];

  /** How long it was seen to hold, by the trip's own entry. */
  async function heldMs(rig: Rig): Promise<number> {
    const [tripped] = await entriesOf(rig, "condition.tripped");
    return Number(Reflect.get(tripped?.data ?? {}, "heldMs"));
  }

  test("a supervisor that stood still has not seen what held meanwhile", async () => {
    const rig = await makeRig({ killWhen: slow });
    const { child } = await rig.supervise();
    await rig.start(SLEEP);
    const startedMs = performance.now();
    // Two samples at least, so that it has begun to hold.
    await poll(() => performance.now() - startedMs > 2_500);
    child.kill("SIGSTOP");
    await poll(() => performance.now() - startedMs > 7_500);
    expect(await trippedBy(rig)).toEqual([]);
    child.kill("SIGCONT");
    expect(await heldMs(rig)).toBeLessThan(6_000);
    // It saw some 2 s of it before and owes 2 s more; else it would have tripped within 1 s.
    expect(performance.now() - startedMs).toBeGreaterThan(8_600);
  });

  test("a supervisor that is started anew begins anew", async () => {
    const rig = await makeRig({ killWhen: slow });
    const first = await rig.supervise();
    await rig.start(SLEEP);
    const startedMs = performance.now();
    await poll(() => performance.now() - startedMs > 2_500);
    await first.kill();
    const secondMs = performance.now();
    await rig.supervise();
    await rig.start(SLEEP);
    expect(await heldMs(rig)).toBeGreaterThanOrEqual(4_000);
    expect(performance.now() - secondMs).toBeGreaterThan(4_000);
  });

  test("[KW13] a worker is asked about anew when its quarantine is lifted", async () => {
    const old: KillWhen = [
      { name: "old", when: "worker.age_ms > 0", forMs: 2_000, action: "quarantine" },
    ];
    const rig = await makeRig({ killWhen: old });
    await rig.supervise();
    const id = await rig.start(SLEEP);
    for (const count of [1, 2]) {
      const quarantines = (): Promise<readonly EntryView[]> =>
        rig.entriesAbout(id, "worker.quarantined");
      await expect.poll(async () => (await quarantines()).length, WITHIN).toBe(count);
      await rig.command("worker.unquarantine", { worker: id, resolution: "let it" });
    }
    for (const { data } of await entriesOf(rig, "condition.tripped"))
      expect(Number(Reflect.get(data, "heldMs"))).toBeGreaterThanOrEqual(2_000);
  });
});

/** Lets time pass that a test is about. */
async function poll(isOver: () => boolean): Promise<void> {
  await expect.poll(isOver, WITHIN).toBe(true);
}

test("[KW14] a kill whose author died after its entry is carried out by the next", async () => {
  const rig = await makeRig();
  const first = await rig.supervise({ rung: "process-group" });
  await rig.start(SLEEP);
  await first.kill();
  expect(rig.processes()).toHaveLength(1);
  // As a supervisor leaves it that dies right after a trip: on record, with the permit in place.
  const answer = await rig.fleet.submit({ kind: "fleet.kill", data: { reason: "drill" } });
  expect(answer.ok).toBe(true);
  const permit = permitFile(rig.stateDir, rig.fleet.id);
  expect(existsSync(permit)).toBe(true);
  const second = await rig.supervise({ rung: "process-group" });
  await second.exited;
  expect(rig.processes()).toEqual([]);
  expect(existsSync(permit)).toBe(false);
});
