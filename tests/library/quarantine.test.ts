import { InputError, memory, Refused } from "stint";
import { expect, test } from "vitest";
import { FailingSandbox } from "./failing-sandbox.ts";
import { MadeStore } from "./made-store.ts";
import {
  codeOf,
  entriesOf,
  granted,
  kindsOf,
  makeGate,
  openRoomy,
  openUnder,
  refusalsOf,
  rejectionOf,
} from "./rig.ts";

test("[LB41] a worker in quarantine gets no children and no tasks until it is lifted", async () => {
  const fleet = await openRoomy();
  const root = await fleet.start({ name: "root" });
  await fleet.quarantine("root", { reason: "odd" });
  expect(fleet.isQuarantined("root")).toBe(true);
  expect(codeOf(await root.maybeReplicate({ reason: "x" }))).toBe("parent_quarantined");
  expect((await rejectionOf(root.checkpoint({}))).code).toBe("worker_quarantined");
  await fleet.unquarantine("root", { resolution: "false alarm" });
  expect(fleet.isQuarantined("root")).toBe(false);
  expect(codeOf(await root.maybeReplicate({ reason: "x" }))).toBe("granted");
});

test("[LB41] a manifest issued before a quarantine is not taken (replication A4)", async () => {
  const fleet = await openRoomy();
  const root = await fleet.start();
  const issued = granted(await fleet.issueManifest({ parent: root.id }));
  await fleet.quarantine(root.id, { reason: "odd" });
  expect(codeOf(await fleet.register(issued.envelope))).toBe("parent_quarantined");
});

test("[LB41] in quarantine beats are taken and nobody is reaped (replication D1)", async () => {
  const fleet = await openUnder({ beatEveryMs: 100, reapAfterMs: 300, silentAlive: "stop" });
  const issued = granted(await fleet.issueManifest());
  const { worker } = granted(await fleet.register(issued.envelope));
  expect(await fleet.heartbeat(worker.id)).toEqual({ ok: true });
  await fleet.quarantine(worker.id, { reason: "odd" });
  expect(await fleet.heartbeat(worker.id)).toEqual({ ok: true });
  // Silent for longer than it takes to be stopped for it, as another such worker shows.
  const control = granted(await fleet.issueManifest({ name: "control" }));
  const { worker: silent } = granted(await fleet.register(control.envelope));
  await fleet.heartbeat(silent.id);
  expect((await silent.ended()).end).toMatchObject({ reason: "silent" });
  expect(await fleet.worker(worker.id)).toMatchObject({ status: "running", stale: false });
  expect(fleet.isQuarantined(worker.id)).toBe(true);
});

test("[LB41] the dead cannot be lifted or put in quarantine (replication D1)", async () => {
  const fleet = await openRoomy();
  const root = await fleet.start();
  await fleet.quarantine(root.id, { reason: "odd" });
  await fleet.kill({ reason: "drill" });
  for (const doing of [
    fleet.unquarantine(root.id),
    fleet.quarantine(root.id, { reason: "again" }),
    fleet.stopQuarantined(root.id),
  ]) {
    const error = await rejectionOf(doing);
    expect(error).toBeInstanceOf(Refused);
    expect(error.code).toBe("worker_ended");
  }
  const report = await fleet.report();
  expect(report).toMatchObject({ currentCount: 0, stoppedCount: 1, liftedCount: 0 });
});

test("[LB42] a stop in quarantine leaves its evidence in the report (replication D1)", async () => {
  const fleet = await openRoomy();
  const root = await fleet.start({ state: { part: "a" } });
  await fleet.quarantine(root.id, { reason: "odd", evidence: { bytes_sent: 9 } });
  await fleet.stop(root.id, { reason: "enough" });
  const { records } = await fleet.report();
  expect(records).toMatchObject([
    { status: "stopped", resolution: "enough", evidence: { bytes_sent: 9 }, state: { part: "a" } },
  ]);
});

test("[ST3] frozen before its entry is durable, thawed only after (replication D3)", async () => {
  const driver = new FailingSandbox();
  const store = new MadeStore(driver);
  driver.onStart = (spec) => store.registerAsProcess(spec);
  const fleet = await openRoomy({ store });
  const worker = await fleet.start({ run: ["x"] });
  driver.log.length = 0;
  store.weather = "stuck";
  const quarantining = fleet.quarantine(worker.id, { reason: "odd" });
  await expect.poll(() => driver.log).toEqual([`freeze ${worker.id}`]);
  store.weather = "fair";
  await quarantining;
  expect(driver.log).not.toContain(`thaw ${worker.id}`);
  store.weather = "stuck";
  const lifting = fleet.unquarantine(worker.id);
  await fleet.look();
  expect(driver.log).not.toContain(`thaw ${worker.id}`);
  store.weather = "fair";
  await lifting;
  expect(driver.log).toContain(`thaw ${worker.id}`);
});

test("[ST3] a freeze whose quarantine is refused is taken back", async () => {
  const driver = new FailingSandbox();
  const store = new MadeStore(driver);
  driver.onStart = (spec) => store.registerAsProcess(spec);
  const fleet = await openRoomy({ store });
  const worker = await fleet.start({ run: ["x"] });
  await fleet.quarantine(worker.id, { reason: "odd" });
  await fleet.unquarantine(worker.id);
  driver.log.length = 0;
  store.weather = "full";
  const error = await rejectionOf(fleet.quarantine(worker.id, { reason: "odd" }));
  expect(error.code).toBe("storage_full");
  await expect.poll(() => driver.log).toEqual([`freeze ${worker.id}`, `thaw ${worker.id}`]);
  store.weather = "fair";
});

test("[LB42] one that cannot be ended stays stopping and on record (replication D4)", async () => {
  const driver = new FailingSandbox();
  const store = new MadeStore(driver);
  driver.onStart = (spec) => store.registerAsProcess(spec);
  const fleet = await openRoomy({ store });
  const broken = await fleet.start({ name: "broken", run: ["x"] });
  const other = await fleet.start({ name: "other" });
  for (const { id } of [broken, other]) await fleet.quarantine(id, { reason: "odd" });
  driver.stubbornnessOf = (id) => (id === broken.id ? "throws" : "ends");
  const report = await fleet.stopQuarantined(undefined, { reason: "confirmed" });
  expect(report).toMatchObject({ stoppedCount: 1, survivorCount: 1, proven: false });
  expect(await fleet.worker(broken.id)).toMatchObject({ status: "stopping", end: null });
  driver.stubbornnessOf = () => "ends";
  const again = await fleet.stop(broken.id, { tree: false });
  expect(again).toMatchObject({ stoppedCount: 1, survivorCount: 0 });
  expect((await broken.ended()).end).toMatchObject({ reason: "quarantine_stopped" });
}, 60_000);

test("[LB41] an id that no worker has leaves no mark (replication D5)", async () => {
  const fleet = await openRoomy();
  const unknown = "w-aaaaaaaaaaaaaaaa";
  const error = await rejectionOf(fleet.quarantine(unknown, { reason: "odd" }));
  expect(error.code).toBe("worker_unknown");
  expect((await rejectionOf(fleet.unquarantine(unknown))).code).toBe("worker_unknown");
  expect(fleet.isQuarantined(unknown)).toBe(false);
  expect(await kindsOf(fleet)).toEqual(["fleet.created", "command.refused", "command.refused"]);
  expect((await fleet.report()).totalCount).toBe(0);
});

test("[LB41] of several quarantines of a worker at once one holds (replication D6)", async () => {
  const store = memory();
  const [one, two] = [await openRoomy({ store }), await openRoomy({ store })];
  const root = await one.start();
  const orders = [one, two, one, two].map((fleet, index) =>
    fleet.quarantine(root.id, { reason: `alarm ${index}` }),
  );
  const outcomes = await Promise.allSettled(orders);
  expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  expect(await refusalsOf(one)).toEqual(Array.from({ length: 3 }, () => "worker_quarantined"));
  expect((await one.report()).records).toHaveLength(1);
});

test("[LB42] what a listener throws changes no quarantine (replication D7)", async () => {
  const warnings: string[] = [];
  const fleet = await openRoomy({ log: { warn: (text) => warnings.push(text), info: () => 0 } });
  const root = await fleet.start();
  fleet.on("entry", () => {
    throw new Error("mine");
  });
  await fleet.quarantine(root.id, { reason: "odd" });
  expect(fleet.isQuarantined(root.id)).toBe(true);
  expect(warnings).toContain("a listener threw");
});

test("[LB42] the report tells all quarantines with their notes (replication D7)", async () => {
  const fleet = await openRoomy();
  const [a, b, c] = [await fleet.start(), await fleet.start(), await fleet.start()];
  await fleet.quarantine(a.id, { reason: "odd" });
  await fleet.quarantine(b.id, { reason: "hot", severity: "critical", source: "watchdog" });
  await fleet.quarantine(c.id, { reason: "odd", severity: "critical" });
  await fleet.note(b.id, "seen sending");
  await fleet.unquarantine(a.id, { resolution: "false alarm" });
  await fleet.stopQuarantined(b.id, { reason: "confirmed" });
  const report = await fleet.report();
  expect(report).toMatchObject({
    totalCount: 3,
    currentCount: 1,
    liftedCount: 1,
    stoppedCount: 1,
    bySeverity: {
      medium: 1,
      critical: 2,
    },
    bySource: {
      manual: 2,
      watchdog: 1,
    },
    records: [
      {
        worker: a.id,
        status: "lifted",
        resolution: "false alarm",
        notes: [],
      },
      {
        worker: b.id,
        status: "stopped",
        resolution: "confirmed",
        notes: ["seen sending"],
      },
      {
        worker: c.id,
        status: "quarantined",
        resolution: null,
        resolvedAtMs: null,
      },
    ],
  });
});

test("[LB42] an empty report is one of noughts", async () => {
  const fleet = await openRoomy();
  expect(await fleet.report()).toEqual({
    totalCount: 0,
    currentCount: 0,
    liftedCount: 0,
    stoppedCount: 0,
    bySeverity: {},
    bySource: {},
    averageDurationMs: 0,
    records: [],
  });
});

test("[LB41] a tree is put in quarantine whole (replication B3)", async () => {
  const fleet = await openRoomy();
  const root = await fleet.start();
  const { worker: child } = granted(await root.maybeReplicate({ reason: "x" }));
  const { worker: leaf } = granted(await child.maybeReplicate({ reason: "x" }));
  await fleet.quarantine(root.id, { reason: "odd", tree: true });
  expect([root, child, leaf].map(({ id }) => fleet.isQuarantined(id))).toEqual([true, true, true]);
  expect(codeOf(await leaf.maybeReplicate({ reason: "x" }))).toBe("parent_quarantined");
});

test("[LB42] stopping what is not in quarantine is an InputError and stops nothing", async () => {
  const fleet = await openRoomy();
  const root = await fleet.start();
  const error = await rejectionOf(fleet.stopQuarantined(root.id));
  expect(error).toBeInstanceOf(InputError);
  expect(await fleet.worker(root.id)).toMatchObject({ status: "running" });
});

test.each([
  [{ reason: "" }, /reason must be text of 1 to/],
  [{ reason: "odd", severity: "fatal" }, /severity must be one of "low", "medium"/],
  [{ reason: "odd", evidence: { f: () => 1 } }, /evidence\.f must be a JSON value/],
  [{ reason: "odd", urgency: 1 }, /urgency must be absent/],
  [{ reason: "odd", tree: "yes" }, /tree must be true or false/],
])("[LB9] the quarantine %j is an InputError", async (options, message) => {
  const fleet = await openRoomy();
  const root = await fleet.start();
  const error = await rejectionOf(fleet.quarantine(root.id, options as never));
  expect(error).toBeInstanceOf(InputError);
  expect(error.message).toMatch(message);
  expect(fleet.isQuarantined(root.id)).toBe(false);
});

test("[LB41] a quarantine not lifted in time stops its worker", async () => {
  const fleet = await openUnder({ quarantineMaxMs: 1_000 });
  const root = await fleet.start();
  await fleet.quarantine(root.id, { reason: "odd" });
  expect((await root.ended()).end).toMatchObject({
    reason: "quarantine_expired",
    grade: "settled",
  });
});

test("[LB42] a task that runs on in quarantine is waited for when it is stopped", async () => {
  const fleet = await openRoomy();
  const root = await fleet.start();
  const release = makeGate();
  const task = root.performTask(() => release.passed);
  await fleet.quarantine(root.id, { reason: "odd" });
  const report = await fleet.stopQuarantined(root.id);
  expect(report).toMatchObject({ survivorCount: 1, proven: false });
  release.open();
  await task;
  expect((await root.ended()).end).toMatchObject({ reason: "quarantine_stopped" });
  expect((await entriesOf(fleet)).at(-1)?.kind).toBe("worker.stopped");
});
