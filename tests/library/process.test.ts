// Workers as real processes, started by the library and joining by `stint/worker`.

import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import {
  Fault,
  InputError,
  memory,
  sqlite,
  type Fleet,
  type WorkerHandle,
  type WorkerView,
} from "stint";
import { joinFleet } from "stint/worker";
import { expect, onTestFinished, test } from "vitest";
import { FROM_SOURCE } from "../support/from-source.ts";
import { commandOf, environmentOf, isAlive, listProcesses } from "../support/process-table.ts";
import {
  codeOf,
  entriesOf,
  granted,
  kindsOf,
  makeFolder,
  openRoomy,
  refusalsOf,
  rejectionOf,
  ROOMY,
  SECRET,
} from "./rig.ts";

function runOf(mode: string): [string, ...string[]] {
  const program = fileURLToPath(new URL("./worker.case.ts", import.meta.url));
  return [process.execPath, FROM_SOURCE, program, mode];
}

async function openInFolder(contract = {}): Promise<{ fleet: Fleet; dir: string }> {
  const dir = makeFolder();
  const store = sqlite({ dir });
  return { fleet: await openRoomy({ store, contract: { ...ROOMY, ...contract } }), dir };
}

/** The processes that run a mode of the fixture for a fleet, by the process table alone. */
function processesOf(fleet: Fleet, mode: string): readonly number[] {
  return listProcesses()
    .map(({ pid }) => pid)
    .filter((pid) => commandOf(pid).endsWith(`worker.case.ts ${mode}`))
    .filter((pid) => environmentOf(pid).includes(`STINT_FLEET=${fleet.id}`));
}

test("[LB22] a process joins by its manifest, works, and hands back its state", async () => {
  const { fleet } = await openInFolder();
  const worker = await fleet.start({ name: "quick", run: runOf("quick"), state: { part: "a" } });
  const end = await worker.ended();
  expect(end).toMatchObject({
    name: "quick",
    status: "stopped",
    state: {
      part: "a",
      done: true,
    },
    degraded: ["same_user", "network"],
    end: {
      reason: "completed",
      grade: "swept",
      proven: false,
      outcome: { exitCode: 0 },
    },
  });
  const registered = (await entriesOf(fleet)).find(({ kind }) => kind === "worker.registered");
  expect(registered?.actor).toMatchObject({ kind: "worker", id: worker.id });
  expect(registered?.data).toMatchObject({ process: { pid: expect.any(Number) as number } });
});

test("[LB22] secrets come in private files, never in environment or arguments", async () => {
  const { fleet, dir } = await openInFolder();
  const run = runOf("look");
  const env = { PART: "a" };
  const worker = await fleet.start({ name: "look", run, env, cwd: dir });
  const { state } = await worker.ended();
  const seen = JSON.stringify(state);
  expect(seen).not.toContain(SECRET);
  expect(seen).not.toContain(Buffer.from(SECRET).toString("base64"));
  const environment = state["env"] as Record<string, string>;
  expect(environment).toMatchObject({ PART: "a", STINT_INSTANCE: worker.id });
  expect(environment["STINT_SANDBOX"]).toBe(join(dir, "sandboxes", worker.id));
  expect(state["cwd"]).toBe(dir);
});

test("[LB23] a manifest is taken once by a process (replication A9)", async () => {
  const { fleet } = await openInFolder();
  const worker = await fleet.start({ run: runOf("twice") });
  expect((await worker.ended()).state).toEqual({ second: "manifest_used" });
  expect(await refusalsOf(fleet)).toEqual(["manifest_used"]);
});

test("[LB24] a stop reaches the process by its signal, and it leaves", async () => {
  const { fleet } = await openInFolder();
  const worker = await fleet.start({ run: runOf("wait") });
  expect(processesOf(fleet, "wait")).toHaveLength(1);
  const report = await fleet.stop(worker.id);
  expect(report).toMatchObject({ stoppedCount: 1, survivorCount: 0, proven: false });
  expect((await worker.ended()).end).toMatchObject({
    reason: "requested",
    grade: "swept",
    outcome: { exitCode: 0 },
  });
  expect((await worker.ended()).end?.outcome.killedBy).toBeUndefined();
  expect(processesOf(fleet, "wait")).toEqual([]);
});

test("[LB24] one that does not listen is killed when its grace is over", async () => {
  const { fleet } = await openInFolder();
  const worker = await fleet.start({ run: runOf("deaf") });
  await fleet.stop(worker.id, { graceMs: 100 });
  expect((await worker.ended()).end?.outcome).toMatchObject({ killedBy: "requested" });
  expect(processesOf(fleet, "deaf")).toEqual([]);
});

test("[LB24] a process that exits by itself has ended, with its exit code", async () => {
  const { fleet } = await openInFolder();
  const worker = await fleet.start({ run: runOf("exit") });
  expect((await worker.ended()).end).toMatchObject({ reason: "failed", outcome: { exitCode: 3 } });
});

test("[LB12] a task that fails in a joined process stops its worker", async () => {
  const { fleet } = await openInFolder();
  const worker = await fleet.start({ run: runOf("fail") });
  expect((await worker.ended()).end).toMatchObject({ reason: "failed" });
  const stopping = (await entriesOf(fleet)).find(({ kind }) => kind === "worker.stopping");
  expect(stopping?.data).toMatchObject({ reason: "failed", detail: "Error: no luck" });
});

test("[LB22] a joined process has children of both kinds, and hears how they ended", async () => {
  const { fleet } = await openInFolder();
  const worker = await fleet.start({ name: "parent", run: runOf("parent") });
  const end = await worker.ended();
  expect(end.state).toEqual({ answer: 1, apart: { done: true }, grade: "swept" });
  const all = await fleet.workers({ all: true });
  expect(all.map(({ name, depth, end: its }) => `${name} ${depth} ${its?.grade}`)).toEqual([
    "parent 0 swept",
    "apart 1 swept",
    "here 1 settled",
  ]);
});

test("[LB25] a process that ends unregistered fails its start (replication A15)", async () => {
  const { fleet } = await openInFolder({ maxReplicas: 1 });
  const error = await rejectionOf(fleet.start({ run: runOf("crash") }));
  expect(error).toBeInstanceOf(Fault);
  expect(error.code).toBe("sandbox_failed");
  expect(error.message).toContain("a worker that crashes before it joins");
  expect(fleet.metrics().liveCount).toBe(0);
  const worker = await fleet.start({ run: runOf("quick") });
  await worker.ended();
});

test("[LB19] a program that cannot start gives its place back (replication A15)", async () => {
  const { fleet } = await openInFolder({ maxReplicas: 1 });
  const error = await rejectionOf(fleet.start({ run: ["/nonexistent/program"] }));
  expect(error).toBeInstanceOf(Fault);
  expect(error.code).toBe("sandbox_failed");
  expect(fleet.metrics().liveCount).toBe(0);
  expect(codeOf(await fleet.tryStart())).toBe("granted");
});

test("[LB25] a process that never registers lapses and is swept (replication A15)", async () => {
  const { fleet } = await openInFolder({ maxReplicas: 1, registerWithinMs: 600 });
  const error = await rejectionOf(fleet.start({ run: runOf("mute") }));
  expect(error).toBeInstanceOf(Fault);
  expect(await kindsOf(fleet)).toContain("worker.lapsed");
  await expect.poll(() => processesOf(fleet, "mute"), { timeout: 20_000 }).toEqual([]);
  expect(codeOf(await fleet.tryStart())).toBe("granted");
});

test("[LB21] without a store for it, or leave in the contract, no process is started", async () => {
  const inMemory = await openRoomy({ store: memory() });
  const unusable = await rejectionOf(inMemory.tryStart({ run: runOf("quick") }));
  expect(unusable).toBeInstanceOf(InputError);
  const { fleet, dir } = await openInFolder({ allowDegraded: [] });
  const refused = await fleet.tryStart({ run: runOf("quick") });
  expect(refused).toMatchObject({ refusal: { code: "containment_too_weak" } });
  expect(readdirSync(join(dir, "sandboxes"))).toEqual([]);
  expect(codeOf(await fleet.tryStart())).toBe("granted");
});

test("[LB22] a program that no fleet has started cannot join", async () => {
  const error = await rejectionOf(joinFleet());
  expect(error).toBeInstanceOf(InputError);
  expect(error.message).toMatch(/^folder must be the folder of a sandbox \(STINT_SANDBOX/);
  const elsewhere = await rejectionOf(joinFleet({ folder: makeFolder() }));
  expect(elsewhere.message).toContain("join.json must be a readable JSON document");
});

test("[LB22] a handle of a process runs no tasks for it", async () => {
  const { fleet } = await openInFolder();
  const worker = await fleet.start({ run: runOf("wait") });
  const error = await rejectionOf(worker.performTask(() => 1));
  expect(error).toBeInstanceOf(InputError);
  expect(await fleet.worker(worker.id)).toMatchObject({ status: "running" });
});

test("[KL1] a kill ends every process, by the process table too (replication C1, C3)", async () => {
  const { fleet } = await openInFolder();
  const starts = ["deaf", "deaf", "wait"].map((mode) =>
    fleet.start({ name: mode, run: runOf(mode) }),
  );
  const [first] = await Promise.all(starts);
  expect(first).toBeDefined();
  granted(await (first as WorkerHandle).maybeReplicate({ reason: "x", run: runOf("deaf") }));
  const pids = fleet.workers().map(({ process: its }) => Number(its?.pid));
  const before = listProcesses().filter(({ pid }) => pids.includes(pid));
  expect(before).toHaveLength(4);
  const receipt = await fleet.kill({ reason: "drill" });
  expect(before.filter(isAlive)).toEqual([]);
  expect(receipt).toMatchObject({ stoppedCount: 4, survivorCount: 0, proven: false });
  expect(receipt.grades).toEqual({ swept: 4 });
  expect(receipt.why).toEqual(["4 workers were only swept, which is no proof"]);
  expect(fleet.verifyReceipt(receipt)).toBe(true);
});

test("[KL3] after a kill a new process is refused as well (replication B8)", async () => {
  const { fleet, dir } = await openInFolder();
  await fleet.kill({ reason: "drill" });
  const { exitCode, said } = await startStarter(dir, runOf("quick"));
  expect(await exitCode).not.toBe(0);
  expect(await said).toContain("fleet_killed");
});

test("[ST3] a process in quarantine stands still until it is lifted (replication D3)", async () => {
  const { fleet } = await openInFolder();
  const worker = await fleet.start({ run: runOf("deaf") });
  const pid = Number((await worker.view())?.process?.pid);
  await fleet.quarantine(worker.id, { reason: "odd" });
  expect(stateOf(pid)).toBe("T");
  await fleet.unquarantine(worker.id);
  await expect.poll(() => stateOf(pid), { timeout: 20_000 }).not.toBe("T");
  await fleet.quarantine(worker.id, { reason: "odd again" });
  const report = await fleet.stopQuarantined(worker.id);
  expect(report).toMatchObject({ stoppedCount: 1, survivorCount: 0 });
  expect(stateOf(pid)).toBeUndefined();
});

function stateOf(pid: number): string | undefined {
  return listProcesses().find((row) => row.pid === pid)?.state;
}

test("[ST2] what a dead starter left is swept by another handle (replication B8, B9)", async () => {
  const { fleet, dir } = await openInFolder({ beatEveryMs: 100, reapAfterMs: 1_000 });
  const starter = await startStarter(dir, runOf("deaf"));
  const { apart, here } = await starter.ids;
  starter.child.kill("SIGKILL");
  await starter.exitCode;
  // Its own worker dies with it and is reaped; the process it started lives on, until it is told.
  await expect
    .poll(() => endOf(fleet, here), { timeout: 20_000 })
    .toMatchObject({
      reason: "reaped",
      grade: "swept",
    });
  expect(processesOf(fleet, "deaf")).toHaveLength(1);
  await fleet.stop(apart, { graceMs: 0 });
  expect(await endOf(fleet, apart)).toMatchObject({ grade: "swept" });
  expect(processesOf(fleet, "deaf")).toEqual([]);
});

test("[ST2] a process that a dead starter started ends unseen, and is found ended", async () => {
  const { fleet, dir } = await openInFolder();
  const starter = await startStarter(dir, runOf("deaf"));
  const { apart, here } = await starter.ids;
  starter.child.kill("SIGKILL");
  await starter.exitCode;
  const [pid] = processesOf(fleet, "deaf");
  process.kill(Number(pid), "SIGKILL");
  await expect
    .poll(() => endOf(fleet, apart), { timeout: 20_000 })
    .toMatchObject({
      reason: "failed",
      grade: "swept",
    });
  await fleet.stop(here, { graceMs: 0 });
  await expect
    .poll(() => endOf(fleet, here), { timeout: 20_000 })
    .toMatchObject({
      reason: "requested",
      grade: "swept",
    });
});

async function endOf(fleet: Fleet, id: string): Promise<WorkerView["end"] | undefined> {
  return (await fleet.worker(id))?.end;
}

interface Starter {
  readonly child: ChildProcess;
  readonly ids: Promise<{ readonly apart: string; readonly here: string }>;
  readonly exitCode: Promise<number | null>;
  /** What it said on stderr, when it has ended. */
  readonly said: Promise<string>;
}

async function startStarter(dir: string, run: readonly string[] = []): Promise<Starter> {
  const program = fileURLToPath(new URL("./starter.case.ts", import.meta.url));
  const child = spawn(process.execPath, [FROM_SOURCE, program, dir, SECRET, JSON.stringify(run)], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  const exitCode = once(child, "exit").then(([code]) => code as number | null);
  const said = child.stderr
    .setEncoding("utf8")
    .toArray()
    .then((parts) => parts.join(""));
  const ids = (async () => {
    for await (const line of createInterface({ input: child.stdout }))
      return JSON.parse(line) as { apart: string; here: string };
    throw new Error(`the starter said nothing: ${await said}`);
  })();
  ids.catch(() => undefined);
  return { child, ids, exitCode, said };
}
