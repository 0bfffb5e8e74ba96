import { connectSupervisor } from "../../src/client/supervisor.ts";
import type { CommandOrder, StartOrder, Supervision } from "../../src/ports/supervision.ts";
import { InputError, memory, openFleet, sqlite, type Fleet, type Store } from "stint";
import { expect, onTestFinished, test } from "vitest";
import {
  commandFor,
  endAfterwards,
  foundFleet,
  killOnTheSpot,
  LENIENT,
  openAt,
  supervised,
  tell,
} from "../client/rig.ts";
import { startSupervisor } from "../../src/client/start-supervisor.ts";
import { awaitGone, listDescendants, listProcesses } from "../support/process-table.ts";
import { killRounds } from "./relay-rounds.ts";
import { entriesOf, makeFolder, rejectionOf, SECRET } from "./rig.ts";

/** A store whose supervisor is reached as ever, and which writes down what it was asked. */
function watchedStore(dir: string): { readonly store: Store; readonly asked: string[] } {
  const inner = sqlite({ dir });
  const asked: string[] = [];
  const watch = (supervision: Supervision): Supervision => ({
    submit: (order: CommandOrder) => {
      asked.push(order.command.kind);
      return supervision.submit(order);
    },
    start: (order: StartOrder) => {
      asked.push("a start");
      return supervision.start(order);
    },
    status: () => supervision.status(),
    leave: (options) => supervision.leave(options),
    roll: () => supervision.roll(),
    beats: (list, as) => supervision.beats(list, as),
    publish: (message, as) => supervision.publish(message, as),
    follow: (...so) => supervision.follow(...so),
    close: () => supervision.close(),
  });
  const store: Store = {
    kind: "sqlite",
    open: async (options) => {
      const opened = await inner.open(options);
      const connect = async (): Promise<Supervision | undefined> => {
        const supervision = await connectSupervisor({ stateDir: dir });
        return supervision === undefined ? undefined : watch(supervision);
      };
      const start = async (): Promise<Supervision> =>
        watch(await startSupervisor({ stateDir: dir, command: commandFor() }));
      return { ...opened, supervisor: { connect, start } };
    },
  };
  return { store, asked };
}

async function watched(
  options: Partial<Parameters<typeof openFleet>[0]> = {},
): Promise<{ readonly dir: string; readonly fleet: Fleet; readonly asked: string[] }> {
  const dir = makeFolder();
  const { store, asked } = watchedStore(dir);
  const fleet = await openFleet({ store, contract: LENIENT, ...options });
  onTestFinished(() => fleet.close());
  return { dir, fleet, asked };
}

test("[RE6] commands go to a supervisor from when one runs, and the state has them", async () => {
  const { dir, fleet, asked } = await watched();
  await fleet.pause();
  expect(asked).toEqual([]);
  await supervised(dir);
  expect(await fleet.supervisor()).not.toBeNull();
  await fleet.resume();
  expect(asked).toEqual(["fleet.resume"]);
  expect(fleet.status).toBe("open");
  const kinds = (await entriesOf(fleet)).map(({ kind }) => kind);
  expect(kinds).toEqual(["fleet.created", "fleet.paused", "fleet.resumed"]);
});

test("[RE6] a handle that is to use no supervisor asks none", async () => {
  const { dir, fleet, asked } = await watched({ supervisor: "none" });
  await supervised(dir);
  expect(await fleet.supervisor()).toBeNull();
  await fleet.pause();
  expect(asked).toEqual([]);
  expect(fleet.status).toBe("paused");
});

test("[RE6] a refusal of the supervisor's is the handle's own", async () => {
  const { dir, fleet, asked } = await watched({ contract: { ...LENIENT, maxReplicas: 1 } });
  await supervised(dir);
  await fleet.supervisor();
  await fleet.start();
  const second = await fleet.tryStart();
  expect(second).toMatchObject({ ok: false, refusal: { code: "max_replicas" } });
  expect(asked.filter((kind) => kind === "worker.admit")).toHaveLength(2);
});

test("[RE7] what a function is asked about is decided where the function is", async () => {
  const when = (): boolean => true;
  const stopConditions = [{ name: "never", when }];
  const { dir, fleet, asked } = await watched({ contract: { ...LENIENT, stopConditions } });
  await supervised(dir);
  await fleet.supervisor();
  const refused = await fleet.tryStart({ run: ["/bin/sleep", "600"] });
  expect(refused).toMatchObject({ ok: false, refusal: { code: "stop_condition" } });
  await fleet.pause();
  expect(asked).toEqual(["fleet.pause"]);
});

test("[RE8] a command whose supervisor hangs is carried here, once", async () => {
  const { dir, fleet, asked } = await watched();
  const { row } = await supervised(dir);
  await fleet.supervisor();
  tell(row, "SIGSTOP");
  await fleet.requestHalt({ handle: "h", reason: "while it hangs" });
  await fleet.requestHalt({ handle: "h", reason: "while it is left alone" });
  tell(row, "SIGCONT");
  // What it had taken in before it hung it answers now: by the decision there is.
  const supervision = await connectSupervisor({ stateDir: dir });
  await supervision?.status();
  await supervision?.close();
  const kinds = (await entriesOf(fleet)).map(({ kind }) => kind);
  expect(kinds).toEqual(["fleet.created", "halt.requested", "halt.requested"]);
  expect(asked).toEqual(["halt.request"]);
});

test("[RE9] a hanging supervisor holds up no kill of its workers (replication C1)", async () => {
  const { dir, fleet } = await foundFleet();
  const { row } = await supervised(dir);
  await fleet.start({ run: ["/bin/sleep", "600"] });
  const children = listDescendants(row.pid);
  expect(children.length).toBeGreaterThan(0);
  tell(row, "SIGSTOP");
  const startedMs = performance.now();
  const receipt = await fleet.kill({ reason: "it hangs", settleMs: 0 });
  expect(performance.now() - startedMs).toBeLessThan(10_000);
  expect(receipt.seq).not.toBeNull();
  expect(receipt).toMatchObject({ stoppedCount: 1, survivorCount: 0 });
  expect(await awaitGone(children, 5_000)).toEqual([]);
});

test("[RE10] a process is the supervisor's, and its handle follows it by the journal", async () => {
  const { dir, fleet, asked } = await watched();
  const { row } = await supervised(dir);
  const worker = await fleet.start({ run: ["/bin/sleep", "600"], name: "sleeper" });
  expect(asked).toContain("a start");
  const pid = (await worker.view())?.process?.pid;
  expect(listDescendants(row.pid).map((child) => child.pid)).toContain(pid);
  expect(worker.manifest).toMatchObject({ instance: worker.id, name: "sleeper", depth: 0 });
  expect(worker.signal.aborted).toBe(false);
  await worker.shutdown("enough");
  const ended = await worker.ended();
  expect(ended).toMatchObject({ status: "stopped", end: { reason: "requested" } });
  await expect.poll(() => worker.signal.aborted).toBe(true);
});

test("[RE10] a process outlives the handle that had it started", async () => {
  const { dir, fleet } = await foundFleet();
  await supervised(dir);
  const worker = await fleet.start({ run: ["/bin/sleep", "600"] });
  await fleet.close();
  const later = await openAt(dir);
  expect(await later.worker(worker.id)).toMatchObject({ status: "running" });
  await later.stop(worker.id, { graceMs: 0 });
});

test("[RE10] a program that cannot be run leaves nothing of a worker behind", async () => {
  const { dir, fleet } = await foundFleet();
  await supervised(dir);
  const error = await rejectionOf(fleet.start({ run: [`${dir}/no-such-program`] }));
  expect(error).toMatchObject({ code: "sandbox_failed" });
  await fleet.look();
  expect(fleet.workers()).toEqual([]);
});

test("[RE11] a process starts a supervisor when one is to be started", async () => {
  const { dir, fleet, asked } = await watched({ supervisor: "start" });
  const worker = await fleet.start({ run: ["/bin/sleep", "600"] });
  const supervision = await connectSupervisor({ stateDir: dir });
  if (supervision === undefined) throw new Error("a supervisor must run, none does");
  await endAfterwards(supervision);
  expect(asked).toEqual(["a start"]);
  expect(await fleet.supervisor()).toMatchObject({ fleet: fleet.id, workerCount: 1 });
  await fleet.stop(worker.id, { graceMs: 0 });
});

test("[RE11] where none runs and none is to be started this process is the parent", async () => {
  const { fleet } = await foundFleet();
  const error = await rejectionOf(fleet.start({ run: ["/bin/true"] }));
  // It is to join by itself here, and /bin/true does not.
  expect(error.message).toContain("must register with its manifest");
  expect(await fleet.supervisor()).toBeNull();
});

test("[RE12] a start whose supervisor dies is carried on by the next, once", async () => {
  const { dir, fleet } = await watched({ supervisor: "start" });
  const { row } = await supervised(dir);
  await fleet.supervisor();
  tell(row, "SIGSTOP");
  const starting = fleet.start({ run: ["/bin/sleep", "611"], name: "once" });
  await killOnTheSpot(row);
  const worker = await starting;
  const supervision = await connectSupervisor({ stateDir: dir });
  if (supervision === undefined) throw new Error("a supervisor must run, none does");
  await endAfterwards(supervision);
  expect(await worker.view()).toMatchObject({ status: "running" });
  const admitted = (await entriesOf(fleet)).filter(({ kind }) => kind === "worker.admitted");
  expect(admitted).toHaveLength(1);
  await fleet.stop(worker.id, { graceMs: 0 });
  expect(listProcesses().filter((one) => one.parentPid === row.pid)).toEqual([]);
});

test("[RE13] a store in memory has no supervisor, and none to start", async () => {
  const so = { store: memory(), secret: SECRET, contract: LENIENT } as const;
  const error = await rejectionOf(openFleet({ ...so, supervisor: "start" }));
  expect(error).toBeInstanceOf(InputError);
  const odd = "perhaps" as unknown as "use";
  const other = await rejectionOf(openFleet({ ...so, supervisor: odd }));
  expect(other.message).toMatch(/^options\.supervisor must be one of "use", "start", "none"/);
  const fleet = await openFleet(so);
  expect(await fleet.supervisor()).toBeNull();
  await fleet.close();
});

test("[RE14] a supervisor killed with commands under way loses none, none is twice", async () => {
  const { underWay } = await killRounds(3);
  expect(underWay).toBeGreaterThan(3);
}, 120_000);
