// Kills when much else has failed already. On the process-group rung workers outlive a supervisor
// that is killed: there it is the kill that has to end them.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, unlinkSync, writeSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { needs } from "../support/require-all.ts";
import { makeField, type Field } from "./field.ts";
import { killForkers } from "./forking.ts";

vi.setConfig({ testTimeout: 180_000 });

/** Workers that run on without their supervisor. */
const workerCount = 3;

const diskBytes = 32 * 2 ** 20;

/** How long a kill may take when its entry has to wait, and nothing else does, ms. */
const killMsMax = 20_000;

async function makeAbandoned(so: { readonly diskBytes?: number } = {}): Promise<Field> {
  const field = await makeField("process-group", so);
  await field.supervise();
  for (let count = 0; count < workerCount; count += 1) await field.spawnWorker();
  field.killSupervisor();
  // Nobody has ended them: what is told below is the kill's doing.
  expect(field.living()).toHaveLength(2 * workerCount);
  return field;
}

async function kill(field: Field) {
  const killed = await field.call(["kill", "--reason", "drill", "--yes", "--json"]);
  expect(field.living()).toEqual([]);
  expect(field.isHeld()).toBe(false);
  expect(killed.exit).toBe(6);
  const { receipt } = killed.json().data;
  expect(receipt).toMatchObject({ survivor_count: 0, stopped_count: workerCount });
  expect(receipt.duration_ms).toBeLessThan(killMsMax);
  return receipt;
}

/** Whatever is tried next is refused, and the kill is on record then. */
async function mustFollow(field: Field): Promise<void> {
  const refused = await field.call(["spawn", "--json", "--", ...field.command()]);
  expect(refused.json()).toMatchObject({ ok: false, refusal: { code: "fleet_killed" } });
  expect(field.living()).toEqual([]);
  const exported = await field.done(["journal", "export", "-"]);
  expect(exported.stdout).toContain('"kind":"fleet.killed"');
}

test("[PF6] a kill works without a supervisor", async () => {
  const field = await makeAbandoned();
  expect((await kill(field)).seq).toEqual(expect.any(Number));
  await mustFollow(field);
});

test("[PF6] a kill works without a supervisor on a full disk, and its entry follows", async () => {
  needs(process.getuid?.() === 0, "a small disk is mounted, which needs root");
  const field = await makeAbandoned({ diskBytes });
  const ballast = fillDisk(field);
  expect((await kill(field)).seq).toBeNull();
  ballast.remove();
  await mustFollow(field);
});

test("[PF6] a kill works without a supervisor on a locked journal; its entry follows", async () => {
  const field = await makeAbandoned();
  const lock = await holdLock(join(field.stateDir, "journal.db"));
  expect((await kill(field)).seq).toBeNull();
  await lock.release();
  await mustFollow(field);
});

test("[PF7] a kill ends 20 workers that fork without end", async () => {
  expect(await killForkers("cgroup")).toMatchObject({ survivor_count: 0, stopped_count: 20 });
});

/** Writes until the disk takes nothing more. */
function fillDisk({ dir }: Field): { remove(): void } {
  const file = join(dir, "ballast");
  const handle = openSync(file, "w");
  const block = Buffer.alloc(4_096);
  try {
    for (;;) writeSync(handle, block);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
  } finally {
    closeSync(handle);
  }
  return { remove: () => unlinkSync(file) };
}

/** A process that holds the whole database, as a frozen writer would. */
async function holdLock(file: string): Promise<{ release(): Promise<void> }> {
  const script = `
    const Database = require("better-sqlite3");
    const db = new Database(process.argv[1]);
    db.pragma("locking_mode = EXCLUSIVE");
    db.exec("BEGIN EXCLUSIVE");
    console.log("held");
    process.stdin.resume();
    process.stdin.on("end", () => db.close());
  `;
  const holder = spawn(process.execPath, ["-e", script, file], {
    cwd: join(import.meta.dirname, "../.."),
    stdio: ["pipe", "pipe", "inherit"],
  });
  onTestFinished(() => void holder.kill("SIGKILL"));
  await once(holder.stdout, "data");
  return {
    release: async () => {
      holder.stdin.end();
      await once(holder, "close");
    },
  };
}
