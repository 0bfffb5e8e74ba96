import { spawn as spawnChild } from "node:child_process";
import { once } from "node:events";
import {
  closeSync,
  existsSync,
  openSync,
  rmSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, onTestFinished, test } from "vitest";
import { builtBin } from "../support/cli.ts";
import { needs } from "../support/require-all.ts";
import { makeGround, type Ground } from "./ground.ts";

beforeAll(async () => void (await builtBin()), 120_000);

async function spawn(ground: Ground, mark: string, ...more: string[]): Promise<string> {
  const id = await ground.spawn(mark, ...more, "--", "sh", "-c", `sleep 300 && : ${mark}`);
  if (ground.processesWith(mark).length === 0) throw new Error(`${mark} must run`);
  return id;
}

const permitOf = (ground: Ground): string => join(ground.stateDir, `permit-${ground.fleetId}`);

test("[CV70] a kill needs a reason and a yes, ends everybody, and closes the fleet", async () => {
  const ground = await makeGround();
  await spawn(ground, "mark-k1");
  expect((await ground.call(["kill", "--yes"])).exit).toBe(2);
  const unsaid = await ground.call(["kill", "--reason", "drill"]);
  expect(unsaid.exit).toBe(2);
  expect(unsaid.stderr).toContain("1 worker will end:");
  expect(ground.processesWith("mark-k1").length).toBeGreaterThan(0);
  const killed = await ground.call(["kill", "--reason", "drill", "--yes", "--json"]);
  const { receipt } = killed.json().data;
  expect(receipt).toMatchObject({ order: "kill", reason: "drill", survivor_count: 0 });
  expect(receipt.seq).toEqual(expect.any(Number));
  expect(killed.exit).toBe(receipt.proven ? 0 : 6);
  expect(ground.processesWith("mark-k1")).toEqual([]);
  const after = await ground.call(["run", "--json", "--", "true"]);
  expect(after.exit).toBe(3);
  expect(after.json().refusal.code).toBe("fleet_killed");
  expect(after.json().refusal.message).toContain("stint init --new-fleet");
  expect((await ground.call(["receipt", String(receipt.seq), "--json"])).json().data).toMatchObject(
    { is_signed: true },
  );
});

test.each([
  ["broken while it is open", []],
  ["lost", ["journal.db-wal", "journal.db-shm"]],
] as const)(
  "[CV71] a kill works when the journal is %s and the supervisor hangs (replication B8)",
  async (_, lost) => {
    const ground = await makeGround();
    const id = await spawn(ground, "mark-k2");
    ground.freezeSupervisor();
    for (const name of lost) rmSync(join(ground.stateDir, name), { force: true });
    writeFileSync(join(ground.stateDir, "journal.db"), "this is no database".repeat(1_000));
    const killed = await ground.call(["kill", "--reason", "drill", "--yes", "--json"]);
    expect(killed.exit).toBe(6);
    const { receipt } = killed.json().data;
    expect(receipt).toMatchObject({ fleet: ground.fleetId, seq: null, proven: false });
    expect(receipt.why.join()).toMatch(/the kill is not in the journal yet: /);
    expect(receipt.workers.map((one: { readonly id: string }) => one.id)).toContain(id);
    expect(receipt.signature).not.toBe("");
    expect(ground.processesWith("mark-k2")).toEqual([]);
    expect(existsSync(permitOf(ground))).toBe(false);
  },
);

test("[CV71] a kill works when the supervisor hangs, and is on record", async () => {
  const ground = await makeGround();
  await spawn(ground, "mark-k0");
  ground.freezeSupervisor();
  const killed = await ground.call(["kill", "--reason", "drill", "--yes", "--json"]);
  const { receipt } = killed.json().data;
  expect(receipt).toMatchObject({ stopped_count: 1, survivor_count: 0, seq: expect.any(Number) });
  expect(ground.processesWith("mark-k0")).toEqual([]);
  expect(await journalOf(ground)).toContain("fleet.killed");
});

test("[CV71] a kill finds what a dead supervisor left, and says what that proves", async () => {
  const ground = await makeGround();
  await superviseOnLowestRung(ground);
  const id = await spawn(ground, "mark-k5", "--network", "open");
  ground.killSupervisor();
  // The control: on this rung nothing ends with its supervisor.
  expect(ground.processesWith("mark-k5").length).toBeGreaterThan(0);
  const killed = await ground.call(["kill", "--reason", "drill", "--yes", "--json"]);
  expect(killed.exit).toBe(6);
  const { receipt } = killed.json().data;
  expect(receipt).toMatchObject({ stopped_count: 1, survivor_count: 0, grades: { swept: 1 } });
  expect(receipt.workers).toMatchObject([{ id, grade: "swept", proven: false }]);
  expect(ground.processesWith("mark-k5")).toEqual([]);
});

/** Runs a supervisor whose workers outlive it, under a contract that allows that. */
async function superviseOnLowestRung(ground: Ground): Promise<void> {
  const { contract } = (await ground.done(["contract", "show", "--json"])).json().data;
  const data = { contract: { ...contract, allow_degraded: ["same_user"] } };
  const stdin = JSON.stringify({ kind: "contract.enact", data });
  await ground.done(["submit", "-"], { stdin });
  const supervisor = await ground.begin(["supervise", "--dir", ground.stateDir, ...LOWEST]);
  onTestFinished(() => void supervisor.kill("SIGKILL"));
  await once(supervisor.stdout, "data");
}

const LOWEST = ["--rung", "process-group"];

test.each([
  ["a writer that hangs", "IMMEDIATE", "freezeSupervisor"],
  ["somebody who lets nobody read", "EXCLUSIVE", "killSupervisor"],
] as const)(
  "[CV71] a kill works while the journal is locked by %s, and its entry follows",
  async (_, mode, affect) => {
    const ground = await makeGround();
    await spawn(ground, "mark-k3");
    ground[affect]();
    const lock = await holdLock(join(ground.stateDir, "journal.db"), mode);
    const killed = await ground.call(["kill", "--reason", "drill", "--yes", "--json"]);
    expect(killed.exit).toBe(6);
    expect(killed.json().data.receipt).toMatchObject({ seq: null, proven: false });
    expect(ground.processesWith("mark-k3")).toEqual([]);
    expect(existsSync(permitOf(ground))).toBe(false);
    await lock.release();
    await expectKilledOnRecord(ground);
  },
);

test("[CV71] a kill works while the disk is full, and its entry follows", async () => {
  needs(process.getuid?.() === 0, "a small disk is mounted, which needs root");
  const ground = await makeGround({ diskBytes: 32 * 2 ** 20 });
  await spawn(ground, "mark-k4");
  ground.freezeSupervisor();
  const ballast = fillDisk(ground);
  const killed = await ground.call(["kill", "--reason", "drill", "--yes", "--json"]);
  expect(killed.exit).toBe(6);
  expect(ground.processesWith("mark-k4")).toEqual([]);
  expect(existsSync(permitOf(ground))).toBe(false);
  ballast.remove();
  await expectKilledOnRecord(ground);
});

/** Whoever opens the fleet next journals the kill, before anything else. */
async function expectKilledOnRecord(ground: Ground): Promise<void> {
  const after = await ground.call(["pause", "--reason", "x", "--json"]);
  expect(after.json().refusal.code).toBe("fleet_killed");
  expect(await journalOf(ground)).toContain("fleet.killed");
}

async function journalOf(ground: Ground): Promise<readonly string[]> {
  const exported = await ground.call(["journal", "export", "-"]);
  return exported.stdout
    .trimEnd()
    .split("\n")
    .flatMap((line) => {
      const { entry } = JSON.parse(line) as { readonly entry?: { readonly kind: string } };
      return entry === undefined ? [] : [entry.kind];
    });
}

/** A process that holds the database's lock, as a frozen writer would. */
async function holdLock(
  file: string,
  mode: "IMMEDIATE" | "EXCLUSIVE",
): Promise<{ release(): Promise<void> }> {
  const script = `
    const Database = require("better-sqlite3");
    const db = new Database(process.argv[1]);
    if (process.argv[2] === "EXCLUSIVE") db.pragma("locking_mode = EXCLUSIVE");
    db.exec("BEGIN " + process.argv[2]);
    console.log("held");
    process.stdin.resume();
    process.stdin.on("end", () => db.close());
  `;
  const holder = spawnChild(process.execPath, ["-e", script, file, mode], {
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

/** Writes until the disk takes nothing more. */
function fillDisk({ dir }: Ground): { remove(): void } {
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
