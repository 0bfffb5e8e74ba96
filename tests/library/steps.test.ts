import { InputError, memory, sqlite } from "stint";
import { expect, test } from "vitest";
import {
  codeOf,
  entriesOf,
  fired,
  granted,
  kindsOf,
  makeFolder,
  makeGate,
  openRoomy,
  openUnder,
  refusalsOf,
  rejectionOf,
  ROOMY,
} from "./rig.ts";

test("[LB33] canSpawn answers as an admission would, and reserves nothing", async () => {
  const fleet = await openUnder({ maxReplicas: 2, maxDepth: 0, cooldownMs: 3_600_000 });
  expect(await fleet.canSpawn()).toEqual({ ok: true });
  expect(await fleet.canSpawn()).toEqual({ ok: true });
  const root = await fleet.start({ name: "root" });
  const answers = await Promise.all([
    fleet.canSpawn({ parent: "root" }),
    fleet.canSpawn({ depth: 3 }),
    fleet.canSpawn({ parent: "w-aaaaaaaaaaaaaaaa" }),
  ]);
  expect(answers.map(codeOf)).toEqual(["max_depth", "depth_mismatch", "parent_unknown"]);
  await root.shutdown();
  expect(codeOf(await fleet.canSpawn({ parent: root.id }))).toBe("parent_not_running");
  await fleet.start();
  await fleet.start();
  expect(codeOf(await fleet.canSpawn())).toBe("max_replicas");
  await fleet.kill({ reason: "drill" });
  expect(codeOf(await fleet.canSpawn())).toBe("fleet_killed");
  expect(await refusalsOf(fleet)).toEqual([]);
});

test("[LB33] canSpawn is asked at journal time (replication G2)", async () => {
  const fleet = await openUnder({ cooldownMs: 150 });
  const root = await fleet.start();
  granted(await root.maybeReplicate({ reason: "x" }));
  const early = await fleet.canSpawn({ parent: root.id });
  expect(early).toMatchObject({ refusal: { code: "cooldown", facts: { cooldownMs: 150 } } });
  await expect
    .poll(async () => codeOf(await fleet.canSpawn({ parent: root.id })), { interval: 20 })
    .toBe("granted");
  granted(await root.maybeReplicate({ reason: "x" }));
});

test("[LB33] function conditions are asked as well, on what is so now", async () => {
  const fleet = await openUnder({
    stopConditions: [{ name: "mine", when: (c) => c.activeCount >= 1 }],
  });
  expect(codeOf(await fleet.canSpawn())).toBe("granted");
  await fleet.start();
  expect(await fleet.canSpawn()).toMatchObject({ refusal: { facts: { condition: "mine" } } });
});

test("[LB33] it is answered on a store in a folder too, and while others write", async () => {
  const dir = makeFolder();
  const fleet = await openRoomy({ store: sqlite({ dir }) });
  const other = await openRoomy({ store: sqlite({ dir }) });
  const done = makeGate();
  const writing = (async () => {
    for (let count = 0; count < 20; count += 1) await other.tryStart();
    done.open();
  })();
  const answers = await Promise.all(Array.from({ length: 5 }, () => fleet.canSpawn()));
  await done.passed;
  await writing;
  expect(answers.every(({ ok }) => ok)).toBe(true);
});

test("[LB34] issuing reserves a place until the manifest is taken (replication A1)", async () => {
  const fleet = await openUnder({ maxReplicas: 2 });
  const first = granted(await fleet.issueManifest({ name: "one" }));
  granted(await fleet.issueManifest({ name: "two" }));
  expect(codeOf(await fleet.issueManifest({ name: "three" }))).toBe("max_replicas");
  const { worker } = granted(await fleet.register(first.envelope));
  expect(worker.name).toBe("one");
  expect(await worker.performTask(() => "works")).toBe("works");
});

test("[LB34] a manifest is taken once, also after its worker's end (replication A9)", async () => {
  const fleet = await openRoomy();
  const issued = granted(await fleet.issueManifest());
  const { worker } = granted(await fleet.register(issued.envelope));
  expect(codeOf(await fleet.register(issued.envelope))).toBe("manifest_used");
  await worker.shutdown();
  expect(codeOf(await fleet.register(issued.envelope))).not.toBe("granted");
  expect(fleet.workers()).toEqual([]);
});

test("[LB34] what is no manifest of this fleet is not taken (replication E3)", async () => {
  const fleet = await openRoomy();
  const other = await openRoomy();
  const issued = granted(await fleet.issueManifest());
  const foreign = granted(await other.issueManifest());
  const [signature] = issued.envelope.signatures;
  const forged = { ...issued.envelope, signatures: [{ keyid: signature?.keyid, sig: "AAAA" }] };
  for (const envelope of [null, 1, "x", {}, [], forged, { payload: 1n }, Symbol("x")]) {
    expect(fleet.verifyManifest(envelope)).toMatchObject({ manifest: null });
    expect(fleet.verifyManifest(envelope).verdict).not.toBe("valid");
    expect(codeOf(await fleet.register(envelope as never))).toBe("manifest_invalid");
  }
  expect(fleet.verifyManifest(foreign.envelope)).toEqual({ verdict: "foreign", manifest: null });
  expect(codeOf(await fleet.register(foreign.envelope))).toBe("manifest_foreign");
  expect(fleet.verifyManifest(issued.envelope)).toEqual({
    verdict: "valid",
    manifest: issued.manifest,
  });
});

test("[LB34] the lineage in a manifest is by the journal (replication A8)", async () => {
  const fleet = await openRoomy();
  const root = await fleet.start({ name: "root" });
  const { manifest } = granted(await fleet.issueManifest({ parent: "root", name: "leaf" }));
  expect(manifest).toMatchObject({ parent: root.id, root: root.id, depth: 1, name: "leaf" });
  const claimed = await fleet
    .issueManifest({ parent: "root", depth: -7 })
    .catch((error: unknown) => error);
  expect(claimed).toBeInstanceOf(InputError);
  expect(codeOf(await fleet.issueManifest({ parent: "root", depth: 2 }))).toBe("depth_mismatch");
});

test("[LB20] a reservation not taken up lapses (replication A15)", async () => {
  const fleet = await openUnder({ maxReplicas: 1, registerWithinMs: 100 });
  const issued = granted(await fleet.issueManifest({ name: "late" }));
  expect(codeOf(await fleet.tryStart())).toBe("max_replicas");
  await expect.poll(() => fleet.metrics().liveCount).toBe(0);
  expect(codeOf(await fleet.register(issued.envelope))).toBe("manifest_expired");
  expect(codeOf(await fleet.tryStart())).toBe("granted");
  const late = (await fleet.workers({ all: true })).find(({ name }) => name === "late");
  expect(late?.end).toMatchObject({ reason: "lapsed", grade: null, proven: true });
});

test("[LB35] a beat is counted; who is unknown or has ended is refused, on record", async () => {
  const fleet = await openRoomy();
  const root = await fleet.start();
  expect(await fleet.heartbeat(root.id, { progress: 7 })).toEqual({ ok: true });
  await root.shutdown();
  expect(codeOf(await fleet.heartbeat(root.id))).toBe("worker_ended");
  expect(codeOf(await fleet.heartbeat("w-aaaaaaaaaaaaaaaa"))).toBe("worker_unknown");
  expect(await refusalsOf(fleet)).toEqual(["worker_ended", "worker_unknown"]);
});

test.each([-1, 0.5, Number.NaN, "7"])("[LB9] progress %s is an InputError", async (progress) => {
  const fleet = await openRoomy();
  const root = await fleet.start();
  const error = await rejectionOf(fleet.heartbeat(root.id, { progress: progress as number }));
  expect(error.message).toMatch(/^progress must be an integer from 0 on, got/);
});

test("[LB36] silence is judged by what was seen, nobody is early (replication B7)", async () => {
  const fleet = await openRoomy({
    contract: { ...ROOMY, beatEveryMs: 100, reapAfterMs: 300, silentAlive: "stop" },
    steward: false,
  });
  const [silent, beating] = await Promise.all(
    ["silent", "beating"].map(async (name) => {
      const issued = granted(await fleet.issueManifest({ name }));
      return granted(await fleet.register(issued.envelope)).worker;
    }),
  );
  await fleet.heartbeat("silent");
  expect(await fleet.reapStale()).toEqual([]);
  const reaped: string[] = [];
  await expect
    .poll(
      async () => {
        await fleet.heartbeat("beating");
        reaped.push(...(await fleet.reapStale()));
        return reaped.length;
      },
      { interval: 50, timeout: 5_000 },
    )
    .toBe(1);
  expect(reaped).toEqual([silent?.id]);
  expect((await silent?.ended())?.end).toMatchObject({ reason: "silent", grade: "settled" });
  expect(await fleet.worker(String(beating?.id))).toMatchObject({ status: "running" });
});

test("[LB37] deregistering stops the worker first (replication B9)", async () => {
  const fleet = await openRoomy();
  const root = await fleet.start({ name: "root" });
  const task = root.performTask(({ signal }) => fired(signal));
  const report = await fleet.deregister("root", { reason: "no longer needed" });
  expect(report).toMatchObject({ stoppedCount: 1, proven: true });
  expect(await task).toMatchObject({ by: "stop" });
  expect(fleet.workers()).toEqual([]);
  expect(await kindsOf(fleet)).toEqual([
    "fleet.created",
    "worker.admitted",
    "worker.registered",
    "worker.stopping",
    "worker.stopped",
  ]);
  expect((await rejectionOf(fleet.deregister("root"))).code).toBe("worker_unknown");
});

test("[LB40] a worker is named by its id, its beginning, or its own name", async () => {
  const fleet = await openRoomy();
  const a = await fleet.start({ name: "a" });
  await fleet.start({ name: "twin" });
  await fleet.start({ name: "twin" });
  for (const reference of [a.id, a.id.slice(0, 10), "a"])
    expect((await fleet.worker(reference))?.id).toBe(a.id);
  const error = await rejectionOf(fleet.stop("twin"));
  expect(error).toBeInstanceOf(InputError);
  expect(error.message).toMatch(/^worker must be one worker, got "twin", which means w-.*, w-/);
  expect((await rejectionOf(fleet.stop("w-"))).code).toBe("worker_unknown");
  expect((await rejectionOf(fleet.stop(""))).message).toMatch(/^worker must be a worker's id/);
  expect(fleet.workers()).toHaveLength(3);
});

test("[LB40] a name that is free again means its next bearer", async () => {
  const fleet = await openRoomy();
  const first = await fleet.start({ name: "a" });
  await first.shutdown();
  const second = await fleet.start({ name: "a" });
  expect((await fleet.worker("a"))?.id).toBe(second.id);
});

test("[LB44] a write-off ends a worker on an operator's word, which proves nothing", async () => {
  const store = memory();
  const fleet = await openRoomy({ store });
  const issued = granted(await fleet.issueManifest());
  const { worker } = granted(await fleet.register(issued.envelope));
  await fleet.writeOff(worker.id, { reason: "its host burnt down" });
  expect((await worker.ended()).end).toMatchObject({ grade: "declared", proven: false });
  expect(worker.signal.aborted).toBe(true);
});

test("[LB44] charges count against a budget, and overdrawing it stops the worker", async () => {
  const fleet = await openRoomy();
  const root = await fleet.start({ budget: { units: { tokens: 100 } } });
  await root.charge({ units: { tokens: 60 } });
  expect(await fleet.worker(root.id)).toMatchObject({ status: "running" });
  await fleet.charge(root.id, { units: { tokens: 60 } });
  expect((await root.ended()).end).toMatchObject({ reason: "budget_spent" });
  const charged = (await entriesOf(fleet)).filter(({ kind }) => kind === "budget.charged");
  expect(charged.map(({ data }) => data)).toMatchObject([{ claimed: true }, { claimed: false }]);
});

test.each([
  [{}, /amounts must be an object with cpuMs or units|cpu_ms or units/],
  [{ units: { tokens: -1 } }, /amounts\.units\.tokens must be an integer/],
  [{ units: { tokens: Number.NaN } }, /amounts\.units\.tokens must be an integer/],
  [{ cpuSeconds: 1 }, /amounts\.cpuSeconds must be absent/],
])("[LB9] the charge %j is an InputError", async (amounts, message) => {
  const fleet = await openRoomy();
  const root = await fleet.start();
  expect((await rejectionOf(root.charge(amounts as never))).message).toMatch(message);
});

test.each([
  [{ graceMs: -1 }, /^graceMs must be an integer from 0 to/],
  [{ graceMs: Infinity }, /^graceMs must be an integer from 0 to/],
  [{ tree: 1 }, /^tree must be true or false/],
])("[LB9] the stop %j is an InputError and stops nobody", async (options, message) => {
  const fleet = await openRoomy();
  const root = await fleet.start();
  expect((await rejectionOf(fleet.stop(root.id, options as never))).message).toMatch(message);
  expect(await fleet.worker(root.id)).toMatchObject({ status: "running" });
});

test.each([
  [{ name: "" }, /^options\.name must be 1 to 64 letters/],
  [{ name: "a b" }, /^options\.name must be 1 to 64 letters/],
  [{ budget: { cpuMilli: 0 } }, /^options\.budget\.cpuMilli must be an integer from 1/],
  [{ budget: { cpu: 1 } }, /^options\.budget\.cpu must be absent/],
  [{ nmae: "x" }, /^options\.nmae must be absent \(no such field; did you mean name\?\)/],
  [{ network: "wide" }, /^options\.network must be one of/],
  [{ state: [] }, /^options\.state must be a JSON object/],
  [{ state: { big: "x".repeat(70_000) } }, /^options\.state must be at most 65536 bytes/],
  [{ run: [] }, /^options\.run must be a program/],
  [{ run: ["x"] }, /^options\.run must be absent \(a process needs a store that it can open/],
  [{ depth: 1.5 }, /^options\.depth must be an integer/],
  [7, /^options must be an object, got 7/],
])("[LB9] starting with %j is an InputError and writes nothing", async (options, message) => {
  const fleet = await openRoomy();
  const error = await rejectionOf(fleet.tryStart(options as object));
  expect(error).toBeInstanceOf(InputError);
  expect(error.message).toMatch(message);
  expect(await kindsOf(fleet)).toEqual(["fleet.created"]);
});

test("[LB7] start throws what tryStart answers", async () => {
  const fleet = await openUnder({ maxReplicas: 1 });
  await fleet.start();
  const answered = await fleet.tryStart();
  const thrown = await rejectionOf(fleet.start());
  expect(thrown).toMatchObject({
    name: "Refused",
    code: "max_replicas",
    refusal: { code: "max_replicas", facts: { max: 1, live: 1 } },
  });
  expect(answered).toMatchObject({ ok: false, refusal: { code: "max_replicas" } });
  expect(thrown.message).toMatch(
    /^max_replicas: live workers and reservations must stay at most 1/,
  );
});

test("[LB43] a refused start names the entry that records it, thrown and answered", async () => {
  const fleet = await openUnder({ maxReplicas: 1 });
  const root = await fleet.start();
  const thrown = await rejectionOf(fleet.start());
  const answered = await fleet.tryStart();
  const child = await root.maybeReplicate({ reason: "more" });
  const refused = [];
  for await (const { kind, seq } of fleet.entries())
    if (kind === "command.refused") refused.push(seq);
  expect(refused).toHaveLength(3);
  expect([thrown, answered, child]).toMatchObject(refused.map((seq) => ({ seq })));
});

test("[LB43] what was refused without an entry names none", async () => {
  const fleet = await openUnder({ maxReplicas: 1, refusalsPerMinute: 1 });
  await fleet.start();
  expect(await fleet.tryStart()).toMatchObject({ refusal: { code: "max_replicas" } });
  const limited = await fleet.tryStart();
  expect(limited).toMatchObject({ ok: false, refusal: { code: "rate_limited" } });
  expect(limited).not.toHaveProperty("seq");
});
