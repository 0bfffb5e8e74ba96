import { InputError, memory, type Fleet } from "stint";
import { expect, test } from "vitest";
import { FailingSandbox } from "./failing-sandbox.ts";
import { MadeStore } from "./made-store.ts";
import { granted, makeGate, openRoomy, rejectionOf } from "./rig.ts";

test.each(Array.from({ length: 12 }, (_, turns) => turns))(
  "[LB90] a start that closing overtakes after %i turns leaves no reservation",
  async (turns) => {
    const store = memory();
    const fleet = await openRoomy({ store });
    const starting = fleet.start().then(
      () => "started",
      (error: unknown) => (error as { readonly code?: string }).code,
    );
    for (let turn = 0; turn < turns; turn += 1) await Promise.resolve();
    await fleet.close();
    expect(["started", "closed"]).toContain(await starting);
    const later = await openRoomy({ store, steward: false });
    expect(later.workers()).toEqual([]);
  },
);

test("[LB90] a worker that registers while its fleet is being closed is stopped", async () => {
  const store = new MadeStore();
  const fleet = await openRoomy({ store, steward: false });
  const [begun, release] = [makeGate(), makeGate()];
  store.onAppend = async () => {
    if (fleet.workers().length === 0) return;
    begun.open();
    await release.passed;
  };
  const starting = fleet.start();
  await begun.passed;
  const closing = fleet.close();
  release.open();
  const { signal } = await starting;
  await closing;
  expect(signal.aborted).toBe(true);
  const later = await openRoomy({ store, steward: false });
  expect(later.workers()).toEqual([]);
});

test("[LB90] a process is not begun once its fleet is being closed", async () => {
  const driver = new FailingSandbox();
  const store = new MadeStore(driver);
  const fleet = await openRoomy({ store, steward: false });
  const [begun, release] = [makeGate(), makeGate()];
  store.onAppend = () => {
    begun.open();
    return release.passed;
  };
  const starting = rejectionOf(fleet.start({ run: ["x"] }));
  await begun.passed;
  const closing = fleet.close();
  release.open();
  expect((await starting).code).toBe("closed");
  await closing;
  expect(driver.log).toEqual(["close"]);
  const later = await openRoomy({ store, steward: false });
  expect(later.workers()).toEqual([]);
});

test("[LB90] a process that is being started is not lost when its fleet is closed", async () => {
  const driver = new FailingSandbox();
  const store = new MadeStore(driver);
  const fleet = await openRoomy({ store, steward: false });
  const [begun, release] = [makeGate(), makeGate()];
  driver.onStart = async (spec) => {
    begun.open();
    await release.passed;
    await store.registerAsProcess(spec);
  };
  const starting = rejectionOf(fleet.start({ run: ["x"] }));
  await begun.passed;
  const closing = fleet.close();
  // Far more turns than all the rest of closing takes.
  for (let turn = 0; turn < 50; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  expect(driver.log).not.toContain("close");
  release.open();
  expect((await starting).code).toBe("closed");
  await closing;
  expect(driver.log.at(-1)).toBe("close");
  const later = await openRoomy({ store, steward: false });
  expect(later.workers()).toMatchObject([{ status: "running" }]);
});

const USES: readonly [string, (fleet: Fleet, id: string) => unknown][] = [
  ["start", (fleet) => fleet.start()],
  ["tryStart", (fleet) => fleet.tryStart()],
  ["workers", (fleet) => fleet.workers()],
  ["workers, all", (fleet) => fleet.workers({ all: true })],
  ["worker", (fleet, id) => fleet.worker(id)],
  ["lineage", (fleet, id) => fleet.lineage(id)],
  ["metrics", (fleet) => fleet.metrics()],
  ["entries", (fleet) => fleet.entries()[Symbol.asyncIterator]().next()],
  ["look", (fleet) => fleet.look()],
  ["stop", (fleet, id) => fleet.stop(id)],
  ["deregister", (fleet, id) => fleet.deregister(id)],
  ["writeOff", (fleet, id) => fleet.writeOff(id, { reason: "x" })],
  ["pause", (fleet) => fleet.pause()],
  ["resume", (fleet) => fleet.resume()],
  ["enact", (fleet) => fleet.enact({})],
  ["kill", (fleet) => fleet.kill({ reason: "x" })],
  ["audit", (fleet) => fleet.audit()],
  ["quarantine", (fleet, id) => fleet.quarantine(id, { reason: "x" })],
  ["unquarantine", (fleet, id) => fleet.unquarantine(id)],
  ["isQuarantined", (fleet, id) => fleet.isQuarantined(id)],
  ["stopQuarantined", (fleet, id) => fleet.stopQuarantined(id)],
  ["report", (fleet) => fleet.report()],
  ["note", (fleet, id) => fleet.note(id, "x")],
  ["charge", (fleet, id) => fleet.charge(id, { cpuMs: 1 })],
  ["canSpawn", (fleet) => fleet.canSpawn()],
  ["issueManifest", (fleet) => fleet.issueManifest()],
  ["heartbeat", (fleet, id) => fleet.heartbeat(id)],
  ["reapStale", (fleet) => fleet.reapStale()],
  ["on", (fleet) => fleet.on("entry", () => undefined)],
  ["recent", (fleet) => fleet.recent("entry")],
  ["acquire", (fleet) => fleet.acquire({ lane: "x", holder: "anna" })],
  ["tryAcquire", (fleet) => fleet.tryAcquire({ lane: "x", holder: "anna" })],
  ["withLease", (fleet) => fleet.withLease({ lane: "x", holder: "anna" }, () => 1)],
  ["lease", (fleet) => fleet.lease("l-1")],
  ["leases", (fleet) => fleet.leases()],
  ["leases, all", (fleet) => fleet.leases({ all: true })],
  ["findLease", (fleet) => fleet.findLease("l-1")],
  ["adopt", (fleet) => fleet.adopt({ lease: "l-1", holder: "anna", orphan: true })],
  ["revoke", (fleet) => fleet.revoke("l-1", { reason: "x" })],
  ["lanes", (fleet) => fleet.lanes()],
  ["enactGround", (fleet) => fleet.enactGround({ lanes: [] })],
  ["announce", (fleet) => fleet.announce({ lane: "x", holder: "anna" })],
  ["requestHalt", (fleet) => fleet.requestHalt({ handle: "x", reason: "x" })],
  ["emit", (fleet) => fleet.emit("x")],
  ["metric", (fleet) => fleet.metric("x", 1)],
];

test.each(USES)("[LB91] %s of a handle that is closed is the fault `closed`", async (_, use) => {
  const fleet = await openRoomy();
  const worker = await fleet.start();
  await fleet.close();
  const error = await rejectionOf((async () => use(fleet, worker.id))());
  expect(error).toMatchObject({ name: "Fault", code: "closed" });
});

test("[LB91] a closed handle registers nobody, and its workers do nothing more", async () => {
  const fleet = await openRoomy();
  const worker = await fleet.start();
  const issued = granted(await fleet.issueManifest());
  await fleet.close();
  const uses = [
    () => fleet.register(issued.envelope),
    () => worker.performTask(() => 1),
    () => worker.maybeReplicate({ reason: "x" }),
    () => worker.checkpoint({}),
    () => worker.charge({ cpuMs: 1 }),
    () => worker.shutdown(),
    () => worker.ended(),
    () => worker.view(),
    () => worker.acquire({ lane: "x" }),
    () => worker.withLease({ lane: "x" }, () => 1),
    () => worker.lease("l-1").release(),
    () => worker.leases(),
    () => worker.adopt({ lease: "l-1" }),
  ];
  for (const use of uses) expect((await rejectionOf(use())).code).toBe("closed");
});

test("[LB91] a kill by a handle that is closed takes no permit away", async () => {
  const store = new MadeStore();
  const fleet = await openRoomy({ store });
  await fleet.close();
  expect((await rejectionOf(fleet.kill({ reason: "too late" }))).code).toBe("closed");
  expect(store.revoked).toEqual([]);
  const later = await openRoomy({ store });
  expect(later.status).toBe("open");
});

test.each([undefined, null, 5, {}])(
  "[LB92] a task that is %s is an InputError and harms nobody",
  async (task) => {
    const fleet = await openRoomy();
    const worker = await fleet.start();
    const error = await rejectionOf(worker.performTask(task as () => number));
    expect(error).toBeInstanceOf(InputError);
    expect(error.message).toMatch(/^task must be a function, got /);
    expect(await worker.view()).toMatchObject({ status: "running" });
    expect(await worker.performTask(() => 1)).toBe(1);
  },
);

const CALLS: readonly [string, (fleet: Fleet, id: string, none: object) => Promise<unknown>][] = [
  ["stop", (fleet, id, none) => fleet.stop(id, none)],
  ["deregister", (fleet, id, none) => fleet.deregister(id, none)],
  ["pause", (fleet, _, none) => fleet.pause(none)],
  ["resume", (fleet, _, none) => fleet.resume(none)],
  ["unquarantine", (fleet, id, none) => fleet.unquarantine(id, none)],
  ["stopQuarantined", (fleet, id, none) => fleet.stopQuarantined(id, none)],
  ["heartbeat", (fleet, id, none) => fleet.heartbeat(id, none)],
];

test.each(CALLS)("[LB92] %s with null for options is an InputError", async (_, call) => {
  const fleet = await openRoomy();
  const worker = await fleet.start();
  const error = await rejectionOf(call(fleet, worker.id, null as unknown as object));
  expect(error).toBeInstanceOf(InputError);
  expect(error.message).toMatch(/^options must be an object/);
  expect(await worker.view()).toMatchObject({ status: "running" });
  expect(fleet.status).toBe("open");
});
