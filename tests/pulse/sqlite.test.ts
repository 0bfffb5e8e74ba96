import { execFile } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Pulse, ServicePulse } from "../../src/ports/pulse.ts";
import { openSqlitePulse } from "../../src/pulse/sqlite.ts";
import { loadSqlite } from "../../src/system/sqlite-library.ts";
import { FakeClock } from "../../src/testing/fake-clock.ts";
import { PULSE_CONTRACT, type PulseSubject } from "../../src/testing/pulse-contract.ts";
import { seededRandom } from "../../src/testing/seeded-random.ts";

const random = seededRandom("sqlite pulse");
const opened: Pulse[] = [];
let folder = "";
let file = "";

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "stint-pulse-"));
  file = join(folder, "pulse.db");
});

afterEach(async () => {
  for (const pulse of opened.splice(0)) await pulse.close();
  rmSync(folder, { recursive: true });
});

async function open(at: string = file): Promise<ServicePulse> {
  const pulse = await openSqlitePulse({ file: at, clock: new FakeClock(), random });
  opened.push(pulse);
  return pulse;
}

let storeCount = 0;
async function openNew(): Promise<PulseSubject> {
  storeCount += 1;
  const clock = new FakeClock();
  const at = join(folder, `pulse-${storeCount}.db`);
  const pulse = await openSqlitePulse({ file: at, clock, random });
  return {
    pulse,
    setWallMs(wallMs): void {
      clock.wallMs = wallMs;
    },
  };
}

async function countsOf(pulse: Pulse): Promise<Record<string, number>> {
  const { rows } = await pulse.read();
  return Object.fromEntries(rows.map((row) => [row.worker, row.count]));
}

for (const { name, run } of PULSE_CONTRACT) {
  test(`${name} (sqlite)`, async () => {
    await expect(run(openNew, expect)).resolves.toBeUndefined();
  });
}

test("[PU8] a store that is opened again keeps its rows and its generation", async () => {
  const first = await open();
  await first.beat("w-a", 3);
  const before = await first.read();
  await first.close();
  expect(await (await open()).read()).toEqual(before);
});

test("[PU9] every acknowledged beat of several processes is counted", async () => {
  const beater = join(import.meta.dirname, "beater.ts");
  const run = promisify(execFile);
  const workers = ["w-a", "w-b", "w-a", "w-b"];
  const answers = await Promise.all(
    workers.map((worker) => run(process.execPath, [beater, file, worker, "200"])),
  );
  const acknowledged = answers.map((answer) => Number(answer.stdout));
  const [a = 0, b = 0, c = 0, d = 0] = acknowledged;
  expect(Math.min(...acknowledged)).toBeGreaterThan(0);
  expect(await countsOf(await open())).toEqual({ "w-a": a + c, "w-b": b + d });
});

test("[PU10] a store whose file was deleted begins anew with another generation", async () => {
  const pulse = await open();
  await pulse.beat("w-a");
  const before = await pulse.read();
  for (const suffix of ["", "-wal", "-shm"]) rmSync(file + suffix, { force: true });
  await pulse.beat("w-b");
  const after = await pulse.read();
  expect(after.rows.map((row) => row.worker)).toEqual(["w-b"]);
  expect(after.generation).not.toBe(before.generation);
});

test("[PU10] a reader and a writer of a deleted store meet again in the new one", async () => {
  const [reader, writer] = [await open(), await open()];
  await writer.beat("w-a");
  rmSync(file);
  await writer.beat("w-b");
  expect(await countsOf(reader)).toEqual({ "w-b": 1 });
  await reader.beat("w-b");
  expect(await countsOf(writer)).toEqual({ "w-b": 2 });
});

test("[PU10] a store whose tables were emptied or dropped begins anew", async () => {
  const pulse = await open();
  await pulse.beat("w-a");
  const { generation } = await pulse.read();
  const other = new (loadSqlite())(file);
  for (const harm of ["DELETE FROM pulse_store", "DROP TABLE pulse_beat"]) {
    other.exec(harm);
    await expect(pulse.read()).rejects.toMatchObject({ code: "storage_failed" });
    await pulse.beat("w-a");
  }
  other.close();
  const after = await pulse.read();
  expect(after.generation).not.toBe(generation);
  expect(after.rows.map((row) => row.count)).toEqual([1]);
});

test("[PU11] a broken file is set aside at opening and the store begins anew", async () => {
  const before = await open();
  await before.beat("w-a");
  const { generation } = await before.read();
  await before.close();
  writeFileSync(file, "no database at all, but longer than the header of one".repeat(200));
  const after = await (await open()).read();
  expect(after.rows).toEqual([]);
  expect(after.generation).not.toBe(generation);
  expect(existsSync(`${file}.broken`)).toBe(true);
});

test("[PU11] a file that breaks under an open store costs one fault, no more", async () => {
  const pulse = await open();
  await pulse.beat("w-a");
  await pulse.close();
  const again = await open();
  const { generation } = await again.read();
  // Past the first page, whose header SQLite has in memory, nothing is left.
  truncateSync(file, 4096);
  await expect(again.beat("w-a")).rejects.toMatchObject({ code: "storage_failed" });
  await again.beat("w-a");
  const after = await again.read();
  expect(after.generation).not.toBe(generation);
  expect(after.rows.map((row) => row.count)).toEqual([1]);
});

test("[PU12] a store that others hold fails a beat as busy, soon, and loses no other", async () => {
  const pulse = await open();
  await pulse.beat("w-a");
  const other = new (loadSqlite())(file);
  other.exec("BEGIN IMMEDIATE");
  try {
    const startedAtMs = performance.now();
    const busy = { code: "storage_busy", retryable: true };
    await expect(pulse.beat("w-a")).rejects.toMatchObject(busy);
    expect(performance.now() - startedAtMs).toBeLessThan(5_000);
    expect(await countsOf(pulse)).toEqual({ "w-a": 1 });
  } finally {
    other.close();
  }
  await pulse.beat("w-a");
  expect(await countsOf(pulse)).toEqual({ "w-a": 2 });
});

test("[PU13] a store that cannot be opened yet costs faults, and no opening", async () => {
  const missing = join(folder, "missing");
  const pulse = await open(join(missing, "pulse.db"));
  await expect(pulse.beat("w-a")).rejects.toMatchObject({ code: "storage_failed" });
  await expect(pulse.read()).rejects.toMatchObject({ code: "storage_failed" });
  mkdirSync(missing);
  await pulse.beat("w-a");
  expect(await countsOf(pulse)).toEqual({ "w-a": 1 });
});

test("[PU13] a store that others hold while it is opened is opened without it", async () => {
  const holder = new (loadSqlite())(file);
  holder.exec("BEGIN EXCLUSIVE");
  try {
    const pulse = await open();
    await expect(pulse.read()).rejects.toMatchObject({ code: "storage_busy", retryable: true });
    holder.close();
    expect((await pulse.read()).rows).toEqual([]);
  } finally {
    holder.close();
  }
});

test("[PU16] a store from before there were services goes on, and takes their rows", async () => {
  const first = await open();
  await first.beat("w-a", 3);
  const before = await first.read();
  await first.close();
  const sqlite = loadSqlite();
  const db = new sqlite(file);
  db.exec("DROP TABLE pulse_instance");
  db.close();
  const second = await open();
  expect(await second.read()).toEqual(before);
  expect(await second.readInstances()).toEqual([]);
});

test("[PU16] a row of an instance that nobody can understand is left out", async () => {
  const pulse = await open();
  const row = { name: "api", count: 1, receivedAtMs: 1, everyMs: 1_000, said: "up" } as const;
  await pulse.keepInstances(["1", "2", "3"].map((instance) => ({ ...row, instance, about: {} })));
  const sqlite = loadSqlite();
  const db = new sqlite(file);
  db.exec("UPDATE pulse_instance SET about = '[' WHERE instance = '1'");
  db.exec("UPDATE pulse_instance SET said = 'dancing' WHERE instance = '2'");
  db.close();
  expect((await pulse.readInstances()).map(({ instance }) => instance)).toEqual(["3"]);
});
