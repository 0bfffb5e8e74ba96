import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { Fleet, StartOptions, WorkerHandle, WorkerView } from "stint";
import { joinFleet } from "stint/worker";
import { expect, onTestFinished, test } from "vitest";
import {
  foundFleet,
  killOnTheSpot,
  LENIENT,
  supervised,
  tell,
  type Running,
  type Rung,
} from "../client/rig.ts";
import { FROM_SOURCE } from "../support/from-source.ts";
import { awaitGone, listProcesses, type ProcessRow } from "../support/process-table.ts";
import { entriesOf, makeFolder, rejectionOf } from "./rig.ts";

const PROGRAM = fileURLToPath(new URL("./supervised.case.ts", import.meta.url));
const runOf = (mode: string): readonly string[] => [process.execPath, FROM_SOURCE, PROGRAM, mode];

/** What a test begins with. */
interface Scene {
  readonly dir: string;
  readonly fleet: Fleet;
  readonly worker: WorkerHandle;
  readonly running: Running;
}

/** What a scene differs in from the plainest one. */
interface SceneOptions extends Partial<StartOptions> {
  readonly rung?: Rung;
  readonly contract?: object;
}

/** A fleet under a supervisor, and one worker of it, in a mode. */
async function withWorker(
  mode: string,
  { rung = "process-group", contract = {}, ...options }: SceneOptions = {},
): Promise<Scene> {
  const { dir, fleet } = await foundFleet({ contract: { ...LENIENT, ...contract } });
  const running = await supervised(dir, rung);
  const worker = await fleet.start({ name: mode, run: runOf(mode), ...options });
  return { dir, fleet, worker, running };
}

/** Waits until a worker has checkpointed something, or a certain field, and answers its state. */
async function checkpointOf(
  fleet: Fleet,
  { id }: WorkerHandle,
  field?: string,
): Promise<WorkerView["state"]> {
  for await (const entry of fleet.entries({ follow: true })) {
    if (entry.kind !== "worker.checkpointed" || entry.data.worker !== id) continue;
    if (field === undefined || field in entry.data.state) return entry.data.state;
  }
  throw new Error("a worker must have checkpointed something, the fleet was closed");
}

/** Waits until a process has laid a file down. */
async function untilThere(file: string): Promise<void> {
  await expect.poll(() => existsSync(file)).toBe(true);
}

/** The row of a worker's process, ended when the test is over. */
async function rowOf(worker: WorkerHandle): Promise<ProcessRow> {
  const pid = (await worker.view())?.process?.pid;
  const row = listProcesses().find((one) => one.pid === pid);
  if (row === undefined) throw new Error(`${worker.id} must be in the process table as ${pid}`);
  onTestFinished(() => tell(row, "SIGKILL"));
  return row;
}

/** The rung that every host has, and the best one of this host. */
const RUNGS: readonly Rung[] = ["process-group", "best"];

test.each(RUNGS)(
  "[WK1] a supervised process joins as itself, without secrets: %s",
  async (rung) => {
    const { fleet, worker } = await withWorker("self", {
      rung,
      state: { part: 1 },
      budget: { units: { tokens: 100 } },
    });
    expect(await checkpointOf(fleet, worker)).toMatchObject({
      id: worker.id,
      name: "self",
      parent: null,
      depth: 0,
      state: { part: 1 },
      lives: true,
      environment: expect.not.arrayContaining(["STINT_SANDBOX", "STINT_SECRET"]) as unknown,
      seen: { status: "running", spent: { units: { tokens: 7 } } },
    });
    const ended = await worker.ended();
    expect(ended.end).toMatchObject({ reason: "completed", outcome: { exitCode: 0 } });
    const by = (await entriesOf(fleet)).find(({ kind }) => kind === "worker.checkpointed")?.actor;
    // Its token shows who it is: nothing of that is its own word.
    expect(by).toMatchObject({ kind: "worker", id: worker.id, via: "socket" });
    expect(by?.claimed ?? []).toEqual([]);
  },
);

test("[WK2] a stop reaches the process by its signal, and it leaves", async () => {
  const file = join(makeFolder(), "told");
  const { fleet, worker } = await withWorker("wait", { state: { file } });
  await untilThere(`${file}.joined`);
  await fleet.stop(worker.id, { graceMs: 5_000 });
  expect(readFileSync(file, "utf8")).toBe("stop");
  expect((await worker.ended()).end?.outcome).toMatchObject({ exitCode: 0 });
});

test("[WK2] a quarantine fires the signal, and its end makes another one", async () => {
  const { fleet, worker } = await withWorker("interrupted");
  await checkpointOf(fleet, worker);
  const told = checkpointOf(fleet, worker, "first");
  const isTold = told.then(() => true);
  // One that is over before the worker's stream has begun is none to it: that begins with the
  // present.
  do {
    await fleet.quarantine(worker.id, { reason: "odd" });
    await fleet.unquarantine(worker.id);
  } while (!(await Promise.race([isTold, setTimeout(1_000, false)])));
  expect(await told).toEqual({ first: "quarantine" });
  await fleet.stop(worker.id, { graceMs: 5_000 });
});

test("[WK3] once it beats by itself its silence is noticed, though its process lives", async () => {
  const so = { beatEveryMs: 1_000, reapAfterMs: 3_000, silentAlive: "stop" };
  const { fleet, worker } = await withWorker("silent", { contract: so });
  await checkpointOf(fleet, worker);
  tell(await rowOf(worker), "SIGSTOP");
  const { end } = await worker.ended();
  expect(end?.reason).toBe("silent");
});

test.each(RUNGS)(
  "[WK4] a process has children by its socket, and hears of them: %s",
  async (rung) => {
    const { fleet, worker } = await withWorker("parent", { rung });
    expect(await checkpointOf(fleet, worker)).toEqual({
      name: "parent-child",
      parent: worker.id,
      depth: 1,
      state: { from: worker.id, done: true },
      status: "stopped",
      signalled: "stop",
      crowd: "depth_mismatch",
    });
    await worker.ended();
  },
);

test("[WK4] a process acts for nobody but itself, not even its child", async () => {
  const { fleet, worker } = await withWorker("others");
  const { codes } = (await checkpointOf(fleet, worker)) as { readonly codes: readonly string[] };
  expect(codes).toEqual(["not_authorised", "not_authorised", "not_authorised"]);
  await fleet.stop(worker.id, { graceMs: 0 });
});

test("[WK5] tasks run in the process, and one that fails stops its worker", async () => {
  const { fleet, worker } = await withWorker("tasks");
  expect(await checkpointOf(fleet, worker)).toEqual({ sum: 2 });
  expect((await worker.ended()).end?.reason).toBe("requested");
  const failing = await fleet.start({ run: runOf("fail") });
  const { end } = await failing.ended();
  expect(end?.reason).toBe("failed");
  const stopping = (await entriesOf(fleet)).findLast(({ kind }) => kind === "worker.stopping");
  expect(stopping?.data).toMatchObject({ worker: failing.id, detail: "Error: no luck" });
});

test("[WK6] what cannot be understood is named as it was passed", async () => {
  const { fleet, worker } = await withWorker("wrong");
  const { said } = (await checkpointOf(fleet, worker)) as { readonly said: readonly string[] };
  expect(said).toEqual([
    expect.stringMatching(/^options\.run must be a program and its arguments .*, got nothing$/),
    expect.stringMatching(/^options\.budget\.memory must be absent .*memoryBytes/),
    expect.stringMatching(/^options\.budget\.memoryBytes must be an integer from/),
    expect.stringMatching(/^options\.reason must be text/),
    expect.stringMatching(/^state\.at must be a finite number, got NaN/),
    expect.stringMatching(/^state must be an object/),
    expect.stringMatching(/^amounts\.cpuMs must be an integer from/),
    expect.stringMatching(/^amounts\.cpu_ms must be absent .*cpuMs/),
    expect.stringMatching(/^task must be a function/),
    expect.stringMatching(/^reason must be a text/),
  ]);
  await worker.ended();
});

test("[WK7] a process whose supervisor dies is told so by its signal", async () => {
  const file = join(makeFolder(), "told");
  const so = { state: { file } };
  const { fleet, dir, worker, running } = await withWorker("wait", so);
  await untilThere(`${file}.joined`);
  const row = await rowOf(worker);
  await killOnTheSpot(running.row);
  // It leaves by itself, and what it would say at last has nobody to take it.
  expect(await awaitGone([row], 15_000)).toEqual([]);
  expect(readFileSync(file, "utf8")).toBe("close");
  await supervised(dir);
  await fleet.look();
  expect((await worker.ended()).end?.outcome).toMatchObject({
    killedBy: expect.any(String) as unknown,
  });
});

test("[WK8] a token file that leads nowhere is a fault, and never another way", async () => {
  const folder = makeFolder();
  const kept = process.env["STINT_WORKER_TOKEN_FILE"];
  onTestFinished(() => {
    if (kept === undefined) delete process.env["STINT_WORKER_TOKEN_FILE"];
    else process.env["STINT_WORKER_TOKEN_FILE"] = kept;
  });
  process.env["STINT_WORKER_TOKEN_FILE"] = join(folder, "token");
  expect(await rejectionOf(joinFleet())).toMatchObject({
    code: "supervisor_unreachable",
    message: expect.stringContaining("a worker whose network is none is shown no way") as string,
  });
  writeFileSync(join(folder, "token"), "x");
  expect(await rejectionOf(joinFleet())).toMatchObject({ code: "supervisor_unreachable" });
});

test("[WK9] joining by a socket loads neither SQLite nor the rules' parsers", () => {
  const hooks = `
    import { registerHooks } from "node:module";
    const seen = [];
    registerHooks({ load(url, context, next) { seen.push(url); return next(url, context); } });
    await import("stint/worker");
    console.log(JSON.stringify(seen));`;
  const args = [FROM_SOURCE, "--input-type=module", "--eval", hooks];
  const cwd = fileURLToPath(new URL("../..", import.meta.url));
  const { stdout } = spawnSync(process.execPath, args, { cwd, encoding: "utf8" });
  const loaded = JSON.parse(stdout) as readonly string[];
  expect(loaded.some((url) => url.endsWith("src/client/worker-connection.ts"))).toBe(true);
  expect(loaded.filter((url) => /zod|sqlite|cel-js|src\/kernel\/decide/.test(url))).toEqual([]);
});
