// What a kill switch of an earlier system left open, tried through the command that a user types.
import { cpSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { makeField, RUNGS, type Field } from "./field.ts";

vi.setConfig({ testTimeout: 180_000 });

/** Far below the minutes for which a cooldown, a grace or a quarantine would hold a kill up, ms. */
const soonMs = 20_000;

async function kill(field: Field, reason = "drill") {
  const killed = await field.call(["kill", "--reason", reason, "--yes", "--json"]);
  expect(field.living()).toEqual([]);
  expect(field.isHeld()).toBe(false);
  return killed.json().data.receipt;
}

function readTicks({ dir }: Field): number {
  return readFileSync(join(dir, "ticks")).length;
}

async function entriesOf(field: Field, kind: string): Promise<readonly Entry[]> {
  const exported = await field.done(["journal", "export", "-"]);
  return exported
    .lines()
    .flatMap(({ entry }) => (entry === undefined ? [] : [entry as Entry]))
    .filter((entry) => entry.kind === kind);
}

interface Entry {
  readonly kind: string;
  readonly actor: Readonly<Record<string, unknown>>;
  readonly data: Readonly<Record<string, unknown>>;
}

test.each(RUNGS)(
  "[PF8] on the rung %s nothing that a command does lands after the kill (replication C2)",
  async (rung) => {
    const field = await makeField(rung);
    await field.supervise();
    await field.spawnWorker("ticks");
    const before = readTicks(field);
    // It is in the middle of it: this can fail.
    await expect.poll(() => readTicks(field)).toBeGreaterThan(before);
    await kill(field);
    const atKill = readTicks(field);
    await field.call(["workers", "--json"]);
    expect(readTicks(field)).toBe(atKill);
  },
);

test("[PF9] a kill sweeps whom the journal holds for stopped (replication C3)", async () => {
  const field = await makeField("process-group");
  await field.supervise();
  const id = await field.spawnWorker();
  field.killSupervisor();
  await field.done(["worker", "write-off", id, "--reason", "given up", "--yes"]);
  expect(await field.liveIds()).toEqual([]);
  expect(field.living()).not.toEqual([]);
  const receipt = await kill(field);
  expect(receipt.workers).toMatchObject([{ id, grade: "swept" }]);
});

test("[PF9] a kill sweeps whom the journal has lost (replication C3)", async () => {
  const field = await makeField("process-group");
  await field.supervise();
  const [backup, files] = [join(field.dir, "backup"), ["journal.db", "head"]];
  await field.done(["down"]);
  for (const name of files) cpSync(join(field.stateDir, name), join(backup, name));
  await field.supervise();
  const id = await field.spawnWorker();
  field.killSupervisor();
  for (const name of ["journal.db-wal", "journal.db-shm"])
    rmSync(join(field.stateDir, name), { force: true });
  for (const name of files) cpSync(join(backup, name), join(field.stateDir, name));
  const receipt = await kill(field);
  expect(receipt.workers.map((one: { readonly id: string }) => one.id)).toContain(id);
  expect(receipt.survivor_count).toBe(0);
});

test("[PF10] a kill lasts, and what it blocks is on record (replication C5)", async () => {
  const field = await makeField("cgroup");
  await field.supervise();
  await field.spawnWorker();
  await kill(field, "the night shift's word");
  await field.done(["down"]);
  for (const args of [["resume"], ["spawn", "--", ...field.command()], ["init"]]) {
    const refused = await field.call(["--json", ...args]);
    expect({ args, exit: refused.exit }).toEqual({ args, exit: 3 });
    expect(refused.json().refusal.code).toBe("fleet_killed");
  }
  expect(field.starts()).toHaveLength(1);
  const [killed] = await entriesOf(field, "fleet.killed");
  expect(killed?.data).toMatchObject({ reason: "the night shift's word" });
  expect(killed?.actor).toMatchObject({ kind: "operator", via: "cli", host: "h-tests" });
  expect(killed?.actor).toHaveProperty("user");
  const blocked = await entriesOf(field, "command.refused");
  expect(blocked.map(({ data }) => data["code"])).toEqual(["fleet_killed", "fleet_killed"]);
});

test("[PF11] a kill waits for no quarantine and no other kill (replication H1)", async () => {
  const field = await makeField("cgroup");
  await field.supervise();
  const id = await field.spawnWorker();
  const args = ["--reason", "odd", "--severity", "high"];
  await field.done(["worker", "quarantine", id, ...args]);
  const first = await kill(field);
  expect(first).toMatchObject({ stopped_count: 1, survivor_count: 0, grades: { observed: 1 } });
  expect(first.duration_ms).toBeLessThan(soonMs);
  const second = await kill(field, "to be sure");
  expect(second.duration_ms).toBeLessThan(soonMs);
  expect(second.proven).toBe(true);
});
