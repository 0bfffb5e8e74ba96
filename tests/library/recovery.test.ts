import { existsSync, mkdirSync, readFileSync, rmSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { openFleet, sqlite, type EntryView, type Fleet } from "stint";
import { acceptClock, inspectRecovery, recoverFleet } from "../../src/compose/recovery.ts";
import { Child } from "../journal/fixtures/child.ts";
import { entriesOf, makeFolder, ROOMY } from "./rig.ts";

const DATABASE = "journal.db";
const LOG = `${DATABASE}-wal`;
const LOST = ["looked", "deciding"];
const STEPS = [...LOST, "committed", "remembered", "done"] as const;

let folder: string;
beforeEach(() => {
  folder = join(makeFolder(), "state");
});

async function open(): Promise<Fleet> {
  const fleet = await openFleet({
    store: sqlite({ dir: folder }),
    contract: ROOMY,
    steward: false,
  });
  onTestFinished(() => fleet.close());
  return fleet;
}

/** What happened to a fleet after its backup was taken. */
type After = (fleet: Fleet) => Promise<unknown>;

/** A fleet whose database was put back to when it had one worker; its manifests lie about. */
async function restore(after: After): Promise<void> {
  mkdirSync(join(folder, "sandboxes"), { recursive: true });
  const fleet = await open();
  await admitted(fleet, "kept");
  // Nobody writes meanwhile: both files together are the journal as it is now.
  const backup = [DATABASE, LOG].map((name) => readFileSync(join(folder, name)));
  await after(fleet);
  await fleet.close();
  rmSync(join(folder, `${DATABASE}-shm`), { force: true });
  for (const [index, name] of [DATABASE, LOG].entries())
    writeFileSync(join(folder, name), backup[index] ?? "");
}

/** Admits a worker and leaves its manifest where a process of it would have found it. */
async function admitted(fleet: Fleet, name: string): Promise<string> {
  const issued = await fleet.issueManifest({ name });
  if (!issued.ok) throw new Error(issued.refusal.message);
  const id = issued.manifest.instance;
  mkdirSync(join(folder, "sandboxes", id));
  const path = join(folder, "sandboxes", id, "manifest.json");
  writeFileSync(path, JSON.stringify(issued.envelope));
  const registered = await fleet.register(issued.envelope);
  expect(registered.ok).toBe(true);
  return id;
}

function kindsOf(entries: readonly EntryView[]): readonly string[] {
  return entries.map(({ kind }) => kind);
}

const loseTwo: After = async (fleet) => {
  await admitted(fleet, "lost");
  await fleet.pause();
  await fleet.resume();
};

describe("a backup is restored", () => {
  test("[RV13] the fleet does not open; what is lost is shown", async () => {
    await restore(loseTwo);
    await expect(open()).rejects.toMatchObject({ code: "journal_truncated" });
    const loss = await inspectRecovery(folder);
    expect(loss).toMatchObject({ status: "open", isKilled: false, epoch: 0 });
    const { kept, remembered, lost } = loss;
    expect(remembered.seq).toBeGreaterThan(kept.seq);
    const count = remembered.seq - kept.seq;
    expect(lost).toEqual({ fromSeq: kept.seq + 1, toSeq: remembered.seq, count });
    expect(loss.liveWorkers).toHaveLength(1);
    expect(loss.workers.map(({ name }) => name)).toEqual(["lost"]);
    // Looking has changed nothing.
    await expect(open()).rejects.toMatchObject({ code: "journal_truncated" });
  });

  test("[RV14] recovered, it goes on above what is remembered, with its workers", async () => {
    await restore(loseTwo);
    const { remembered } = await inspectRecovery(folder);
    const recovery = await recoverFleet(folder, { operator: "anna" });
    expect(recovery).toMatchObject({ isRecovered: true, epoch: 1, isKilled: false });
    expect(recovery.adoptedWorkers).toHaveLength(1);
    const fleet = await open();
    expect(fleet.status).toBe("paused");
    expect(fleet.workers().map(({ name, status }) => [name, status])).toEqual(
      expect.arrayContaining([
        ["kept", "running"],
        ["lost", "running"],
      ]),
    );
    expect((await fleet.tryStart()).ok).toBe(false);
    await fleet.resume();
    expect((await fleet.tryStart()).ok).toBe(true);
    const entries = await entriesOf(fleet);
    const recovered = entries.find(({ kind }) => kind === "fleet.recovered");
    expect(recovered?.seq).toBe(remembered.seq + 1);
    expect(recovered?.actor).toMatchObject({ kind: "operator", id: "anna" });
    const audit = await fleet.audit();
    expect(audit.problems).toEqual([]);
    expect(audit.entryCount).toBeLessThan(entries.at(-1)?.seq ?? 0);
    const [adopted] = recovery.adoptedWorkers;
    expect(await fleet.worker(adopted ?? "")).toMatchObject({ name: "lost", end: null });
    await fleet.writeOff(adopted ?? "", { reason: "gone" });
    expect(await fleet.worker(adopted ?? "")).toMatchObject({
      name: "lost",
      end: { grade: "declared" },
    });
    expect((await fleet.workers({ all: true })).map(({ name }) => name)).toContain("lost");
  });

  test("[RV14] where nothing is lost a recovery writes nothing", async () => {
    const before = await open();
    const { length } = await entriesOf(before);
    await before.close();
    expect(await inspectRecovery(folder)).toMatchObject({ lost: null, workers: [] });
    expect(await recoverFleet(folder)).toMatchObject({ isRecovered: false, lost: null, epoch: 0 });
    expect(await entriesOf(await open())).toHaveLength(length);
  });

  test("[RV21] one that takes a recovery with it goes on above the fences of that", async () => {
    const fences: number[] = [];
    const files = [DATABASE, LOG].map((name) => join(folder, name));
    const acquire: After = async (fleet) => {
      fences.push((await fleet.acquire({ holder: "ann", region: "src/**" })).fence);
    };
    await restore(acquire);
    const backup = files.map((file) => readFileSync(file));
    for (const epoch of [1, 2, 3]) {
      const loss = await inspectRecovery(folder);
      expect([loss.epoch, loss.remembered.epoch]).toEqual([0, epoch - 1]);
      expect(await recoverFleet(folder)).toMatchObject({ isRecovered: true, epoch });
      const fleet = await open();
      await fleet.resume();
      await acquire(fleet);
      expect((await fleet.audit()).problems).toEqual([]);
      await fleet.close();
      // The same backup is laid back again: all of this epoch is lost.
      rmSync(join(folder, `${DATABASE}-shm`), { force: true });
      for (const [index, file] of files.entries()) writeFileSync(file, backup[index] ?? "");
    }
    expect(fences).toEqual(fences.toSorted((one, other) => one - other));
    expect(new Set(fences).size).toBe(4);
  });

  test("[RV15] who ended in the kept part is not taken over", async () => {
    await restore(loseTwo);
    const { workers } = await inspectRecovery(folder);
    await recoverFleet(folder, { workers: [...workers, ...workers] });
    const fleet = await open();
    const lost = fleet.workers().find(({ name }) => name === "lost");
    await fleet.writeOff(lost?.id ?? "", { reason: "gone" });
    await fleet.close();
    // Its manifest still lies there, and is not taken for that of a lost worker again.
    const { workers: left } = await inspectRecovery(folder);
    expect(left).toEqual([]);
  });

  test.each([
    ["its permit gone", () => undefined],
    ["a permit from the backup", (permit: string) => writeFileSync(permit, "")],
  ])("[RV16] a kill in the lost part stays in force, with %s", async (_, put) => {
    await restore((fleet) => fleet.kill({ reason: "drill" }));
    const { fleet: id, isKilled } = await inspectRecovery(folder);
    const permit = join(folder, `permit-${id}`);
    expect(existsSync(permit)).toBe(false);
    put(permit);
    expect(isKilled).toBe(true);
    expect(await recoverFleet(folder)).toMatchObject({ isRecovered: true, isKilled: true });
    const fleet = await open();
    expect(fleet.status).toBe("killed");
    expect(kindsOf(await entriesOf(fleet)).filter((kind) => kind === "fleet.killed")).toHaveLength(
      1,
    );
  });

  test("[RV17] a database without a fleet is nothing to go on with", async () => {
    await (await open()).close();
    for (const name of [DATABASE, `${DATABASE}-wal`, `${DATABASE}-shm`])
      rmSync(join(folder, name), { force: true });
    writeFileSync(join(folder, DATABASE), "");
    await expect(inspectRecovery(folder)).rejects.toMatchObject({ code: "journal_truncated" });
    unlinkSync(join(folder, DATABASE));
    await expect(recoverFleet(folder)).rejects.toMatchObject({ code: "journal_missing" });
  });
});

describe("a recovery that is killed", () => {
  test.each(STEPS)("[RV18] at the step %s is carried on by the next", async (step) => {
    await restore(loseTwo);
    const child = new Child(new URL("recoverer.case.ts", import.meta.url), [folder, step]);
    expect(await child.end()).toBe("SIGKILL");
    const isLost = LOST.includes(step);
    const opened = await open().then(
      () => "opened",
      (error: unknown) => (error as { readonly code?: string }).code,
    );
    expect(opened).toBe(isLost ? "journal_truncated" : "opened");
    const again = await recoverFleet(folder);
    expect(again).toMatchObject({ isRecovered: isLost, epoch: 1, isKilled: false });
    const fleet = await open();
    const kinds = kindsOf(await entriesOf(fleet));
    expect(kinds.filter((kind) => kind === "fleet.recovered")).toHaveLength(1);
    expect(kinds.filter((kind) => kind === "worker.adopted")).toHaveLength(1);
    expect(fleet.workers().map(({ status }) => status)).toEqual(["running", "running"]);
    expect((await fleet.audit()).problems).toEqual([]);
  });

  test("[RV18] before its kill is journaled leaves a fleet that is killed", async () => {
    await restore((fleet) => fleet.kill({ reason: "drill" }));
    const child = new Child(new URL("recoverer.case.ts", import.meta.url), [folder, "killing"]);
    expect(await child.end()).toBe("SIGKILL");
    const fleet = await open();
    expect(fleet.status).toBe("killed");
  });
});

test("[RV19] a clock is accepted on record, by an operator's name", async () => {
  await (await open()).close();
  const accepted = await acceptClock(folder, { operator: "anna", reason: "it is right" });
  expect(accepted.atMs).toBeGreaterThanOrEqual(accepted.previousAtMs);
  const entries = await entriesOf(await open());
  const entry = entries.find(({ kind }) => kind === "clock.accepted");
  expect(entry).toMatchObject({ actor: { id: "anna" }, data: { reason: "it is right" } });
  expect(entry?.seq).toBe(accepted.seq);
});
