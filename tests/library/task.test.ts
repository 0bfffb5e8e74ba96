import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { InputError, Interrupted, memory, Refused, type WorkerHandle } from "stint";
import { expect, test } from "vitest";
import { FROM_SOURCE } from "../support/from-source.ts";
import {
  entriesOf,
  fired,
  granted,
  kindsOf,
  makeGate,
  nextEntry,
  openRoomy,
  openUnder,
  refusalsOf,
  rejectionOf,
  ROOMY,
} from "./rig.ts";

test("[LB11] a task answers what it answers, also several at once", async () => {
  const fleet = await openRoomy();
  const root = await fleet.start({ name: "root" });
  const first = makeGate();
  const answers = await Promise.all([
    root.performTask(async () => {
      await first.passed;
      return "waited";
    }),
    root.performTask(({ worker }) => {
      first.open();
      return worker.name;
    }),
  ]);
  expect(answers).toEqual(["waited", "root"]);
  expect((await fleet.worker(root.id))?.status).toBe("running");
});

test("[LB12] a failing task stops its worker, error on record (replication B10)", async () => {
  const fleet = await openRoomy();
  const root = await fleet.start();
  const error = new RangeError("out of ink");
  expect(await rejectionOf(root.performTask(() => Promise.reject(error)))).toBe(error);
  const end = await root.ended();
  expect(end.end).toMatchObject({
    reason: "failed",
    grade: "settled",
    outcome: { error: "RangeError: out of ink" },
  });
  const stopping = (await entriesOf(fleet)).find(({ kind }) => kind === "worker.stopping");
  expect(stopping?.data).toMatchObject({ reason: "failed", detail: "RangeError: out of ink" });
});

test.each([
  ["undefined", undefined, "nothing"],
  ["null", null, "null"],
  ["a text", "text", '"text"'],
  ["an object with a hostile name", hostileError(), "an error that cannot be read"],
])("[LB12] a task that throws %s has failed as well (replication B10)", async (_, thrown, text) => {
  const fleet = await openRoomy();
  const root = await fleet.start();
  let caught: unknown = "nothing was thrown";
  try {
    await root.performTask(() => {
      // Whatever a task throws counts, an Error or not.
      throw thrown as Error;
    });
  } catch (error) {
    caught = error;
  }
  expect(caught).toBe(thrown);
  expect((await root.ended()).end?.outcome.error).toBe(text);
});

function hostileError(): Error {
  const error = new Error("x");
  Object.defineProperty(error, "name", {
    get: () => {
      throw new Error("hostile");
    },
  });
  return error;
}

test("[LB12] when one of several tasks fails the others are interrupted", async () => {
  const fleet = await openRoomy();
  const root = await fleet.start();
  const release = makeGate();
  const long = root.performTask(async ({ signal }) => {
    await fired(signal);
    await release.passed;
    return "settled";
  });
  await rejectionOf(root.performTask(() => Promise.reject(new Error("first"))));
  expect((await fleet.worker(root.id))?.status).toBe("stopping");
  release.open();
  expect(await long).toBe("settled");
  expect((await root.ended()).end?.outcome.error).toBe("Error: first");
});

test("[LB13] after its end a worker does no task (replication B1)", async () => {
  const fleet = await openRoomy();
  const root = await fleet.start();
  await root.shutdown("completed");
  let hasRun = false;
  const error = await rejectionOf(
    root.performTask(() => {
      hasRun = true;
    }),
  );
  expect(error).toBeInstanceOf(Refused);
  expect(error.code).toBe("worker_ended");
  expect(hasRun).toBe(false);
  expect(await refusalsOf(fleet)).toEqual(["worker_ended"]);
});

test("[LB13] whoever others stopped or killed does no task (replication B1)", async () => {
  const store = memory();
  const fleet = await openRoomy({ store });
  const other = await openRoomy({ store, steward: false });
  const [stopped, killed] = [await fleet.start(), await fleet.start()];
  await other.stop(stopped.id);
  expect((await rejectionOf(stopped.performTask(() => 1))).code).toBe("worker_ended");
  await other.kill({ reason: "drill" });
  expect((await rejectionOf(killed.performTask(() => 1))).code).toBe("worker_ended");
});

test("[LB13] a worker in quarantine does no task, on record (replication F4)", async () => {
  const fleet = await openRoomy();
  const root = await fleet.start();
  await fleet.quarantine(root.id, { reason: "odd" });
  expect((await rejectionOf(root.performTask(() => 1))).code).toBe("worker_quarantined");
  expect(await refusalsOf(fleet)).toEqual(["worker_quarantined"]);
  await fleet.unquarantine(root.id);
  expect(await root.performTask(() => 1)).toBe(1);
});

test("[LB14] the signal fires on a stop, with its reason", async () => {
  const fleet = await openRoomy();
  const root = await fleet.start({ name: "root" });
  const reason = root.performTask(({ signal }) => fired(signal));
  await fleet.stop("root");
  expect(await reason).toBeInstanceOf(Interrupted);
  expect(await reason).toMatchObject({ by: "stop" });
});

test("[LB14] the signal fires on a kill (replication C2)", async () => {
  const fleet = await openRoomy();
  const root = await fleet.start();
  const reason = root.performTask(({ signal }) => fired(signal));
  const receipt = await fleet.kill({ reason: "drill" });
  expect(await reason).toMatchObject({ by: "kill" });
  expect(receipt).toMatchObject({ proven: true, stoppedCount: 1, grades: { settled: 1 } });
});

test("[LB14] the signal fires on a kill that another handle gave", async () => {
  const store = memory();
  const fleet = await openRoomy({ store });
  const other = await openRoomy({ store });
  const root = await fleet.start();
  const reason = root.performTask(({ signal }) => fired(signal));
  const receipt = await other.kill({ reason: "drill" });
  expect(await reason).toMatchObject({ by: "kill" });
  expect(receipt).toMatchObject({ proven: true, stoppedCount: 1 });
});

test("[LB14] the signal fires on a quarantine, and is renewed (replication D2)", async () => {
  const fleet = await openRoomy();
  const root = await fleet.start();
  const reason = root.performTask(({ signal }) => fired(signal));
  await fleet.quarantine(root.id, { reason: "odd" });
  expect(await reason).toMatchObject({ by: "quarantine" });
  expect(root.signal.aborted).toBe(true);
  await fleet.unquarantine(root.id);
  expect(root.signal.aborted).toBe(false);
});

test("[LB14] an interrupted task in quarantine ends nobody (replication D2)", async () => {
  const fleet = await openRoomy();
  const root = await fleet.start();
  const task = root.performTask(async ({ signal }) => {
    await fired(signal);
    signal.throwIfAborted();
  });
  await fleet.quarantine(root.id, { reason: "odd" });
  expect(await rejectionOf(task)).toMatchObject({ by: "quarantine" });
  expect(await fleet.worker(root.id)).toMatchObject({ status: "running" });
  expect(fleet.isQuarantined(root.id)).toBe(true);
});

test("[LB17] a lifetime ends at its instant, idle or at work (replication B2)", async () => {
  const fleet = await openUnder({ lifetimeMs: 500, registerWithinMs: 500, maxReplicas: 2 });
  const [idle, busy] = [await fleet.start({ name: "idle" }), await fleet.start({ name: "busy" })];
  const reason = busy.performTask(({ signal }) => fired(signal));
  expect(await reason).toMatchObject({ by: "expiry" });
  expect((await idle.ended()).end).toMatchObject({ reason: "expired", grade: "settled" });
  expect((await busy.ended()).end).toMatchObject({ reason: "expired", grade: "settled" });
  expect((await rejectionOf(idle.performTask(() => 1))).code).toBe("worker_ended");
  await fleet.start();
});

test("[LB17] a lifetime ends at its instant where no steward ticks", async () => {
  const contract = { ...ROOMY, lifetimeMs: 500, registerWithinMs: 500 };
  const fleet = await openRoomy({ contract, steward: false });
  const root = await fleet.start();
  const reason = root.performTask(({ signal }) => fired(signal));
  expect(await reason).toMatchObject({ by: "expiry" });
  expect((await root.ended()).end).toMatchObject({ reason: "expired", grade: "settled" });
});

test("[LB17] a task is refused past the lifetime before anybody has ticked", async () => {
  const fleet = await openRoomy({
    contract: { ...ROOMY, lifetimeMs: 500, registerWithinMs: 500 },
    steward: false,
  });
  const root = await fleet.start();
  // Blocks this process's timers until after the deadline: the clock alone must tell.
  const until = performance.now() + 520;
  while (performance.now() < until);
  const { code } = await rejectionOf(root.performTask(() => 1));
  expect(["worker_expired", "worker_ended"]).toContain(code);
});

test("[LB15] a cooperative worker stays stopping until its task has settled", async () => {
  const fleet = await openRoomy();
  const root = await fleet.start();
  const release = makeGate();
  const task = root.performTask(() => release.passed);
  await root.shutdown("completed");
  expect((await fleet.worker(root.id))?.status).toBe("stopping");
  expect(fleet.metrics().liveCount).toBe(1);
  release.open();
  await task;
  expect((await root.ended()).end).toMatchObject({ reason: "completed", grade: "settled" });
  expect(fleet.metrics().liveCount).toBe(0);
});

test("[LB15] a worker may shut itself down from within its own task", async () => {
  const fleet = await openRoomy();
  const root = await fleet.start();
  await root.performTask(({ worker }) => worker.shutdown("completed"));
  expect((await root.ended()).end).toMatchObject({ reason: "completed", grade: "settled" });
});

test("[LB16] a worker at a long task is beaten for and not reaped (replication B5)", async () => {
  const fleet = await openUnder({ beatEveryMs: 100, reapAfterMs: 300, silentAlive: "stop" });
  const root = await fleet.start();
  const release = makeGate();
  const task = root.performTask(() => release.passed);
  // More than reap_after in beats.
  for (let beat = 0; beat < 6; beat += 1) await nextBeat(fleet, root);
  expect(await fleet.worker(root.id)).toMatchObject({ status: "running", stale: false });
  release.open();
  await task;
  expect(await kindsOf(fleet)).not.toContain("worker.staled");
});

function nextBeat(fleet: Awaited<ReturnType<typeof openRoomy>>, root: WorkerHandle): Promise<void> {
  return new Promise((resolve) => {
    const stop = fleet.on("beat", ({ worker }) => {
      if (worker !== root.id) return;
      stop();
      resolve();
    });
  });
}

test("[LB18] shutting down again changes nothing and writes nothing", async () => {
  const fleet = await openRoomy();
  const root = await fleet.start();
  await root.shutdown("out of work");
  const before = await kindsOf(fleet);
  await root.shutdown("again");
  await root.shutdown();
  expect(await kindsOf(fleet)).toEqual(before);
  const stopping = (await entriesOf(fleet)).find(({ kind }) => kind === "worker.stopping");
  expect(stopping?.data).toMatchObject({ reason: "requested", detail: "out of work" });
});

test("[LB10] a refused replication is a value that harms nobody (replication A16)", async () => {
  const fleet = await openUnder({
    stopConditions: [{ name: "never", description: "no children", when: "parent != null" }],
  });
  const root = await fleet.start();
  const child = await root.performTask(({ worker }) =>
    worker.maybeReplicate({ reason: "subtask" }),
  );
  expect(child).toMatchObject({
    ok: false,
    refusal: { code: "stop_condition", facts: { condition: "never" } },
  });
  expect(await fleet.worker(root.id)).toMatchObject({ status: "running" });
  expect(await root.performTask(() => "still here")).toBe("still here");
});

test.each([
  ["a function", { f: () => 1 }],
  ["NaN", { f: Number.NaN }],
  ["a BigInt", { f: 1n }],
  ["undefined", { f: undefined }],
  ["a date", { f: new Date(0) }],
  ["itself", selfContaining()],
])(
  "[LB10] a state with %s is an InputError that harms nobody (replication A17)",
  async (_, state) => {
    const fleet = await openRoomy();
    const root = await fleet.start();
    const before = await kindsOf(fleet);
    const error = await rejectionOf(
      root.performTask(({ worker }) =>
        worker.maybeReplicate({ reason: "subtask", state: state as never }),
      ),
    );
    expect(error).toBeInstanceOf(InputError);
    expect(error.message).toMatch(/^options\.state/);
    expect(await fleet.worker(root.id)).toMatchObject({ status: "running" });
    expect(await kindsOf(fleet)).toEqual(before);
  },
);

function selfContaining(): object {
  const state: Record<string, unknown> = {};
  state["state"] = state;
  return state;
}

test("[LB10] a child is a worker like any other, below its parent", async () => {
  const fleet = await openRoomy();
  const root = await fleet.start({ name: "root" });
  const { worker: child } = granted(
    await root.maybeReplicate({ reason: "subtask", name: "leaf", state: { part: "a" } }),
  );
  expect(child).toMatchObject({ name: "leaf", parent: root.id, depth: 1 });
  expect(await child.performTask(({ worker }) => worker.manifest.state)).toEqual({ part: "a" });
  expect(await fleet.worker("leaf")).toMatchObject({ parent: root.id, root: root.id, depth: 1 });
});

test("[LB14] a stop with its tree stops descendants too (replication B3)", async () => {
  const fleet = await openRoomy();
  const root = await fleet.start({ name: "root" });
  const { worker: child } = granted(await root.maybeReplicate({ reason: "x", name: "child" }));
  const { worker: leaf } = granted(await child.maybeReplicate({ reason: "x", name: "leaf" }));
  const interrupted = leaf.performTask(({ signal }) => fired(signal));
  const report = await fleet.stop("root");
  expect(report).toMatchObject({ stoppedCount: 3, survivorCount: 0, proven: true });
  expect(report.workers.map(({ name, grade }) => `${name} ${grade}`).toSorted()).toEqual([
    "child settled",
    "leaf settled",
    "root settled",
  ]);
  expect(await interrupted).toMatchObject({ by: "stop" });
  expect(fleet.workers()).toEqual([]);
});

test("[LB15] children of the dead are stopped, as the contract says (replication B3)", async () => {
  const fleet = await openRoomy();
  const root = await fleet.start();
  const { worker: child } = granted(await root.maybeReplicate({ reason: "x" }));
  const stopped = nextEntry(fleet, "worker.stopped");
  await root.shutdown();
  await stopped;
  expect((await child.ended()).end).toMatchObject({ reason: "orphaned", grade: "settled" });
});

test("[LB97] a task that waits for its signal alone is there when it fires", async () => {
  const file = join(import.meta.dirname, "task-waiter.case.ts");
  const { stdout } = await promisify(execFile)(process.execPath, [FROM_SOURCE, file]);
  expect(stdout).toBe("expiry");
});
