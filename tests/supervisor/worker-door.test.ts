import { randomUUID } from "node:crypto";
import { expect, test } from "vitest";
import { listen } from "./fixtures/listen.ts";
import { makeRig, type Rig } from "./rig.ts";

const SLEEP = ["/bin/sleep", "600"];

/** A worker's order for a child, as it writes one. */
function childOrder(rig: Rig, id: string, run: readonly string[] = SLEEP) {
  const admission = { name: "child", reason: "more hands", network: "open" };
  return { id, admission, run, cwd: "/", env: { SV_MARK: rig.mark } };
}

test("[SV15] a worker reads what it is: manifest, state, and how it stands", async () => {
  const rig = await makeRig();
  await rig.supervise();
  const id = await rig.start(SLEEP, { admission: { state: { my_part: 3 } } });
  const { body } = await rig.worker(id, "/v1/worker");
  expect(body.data).toMatchObject({
    fleet: rig.fleet.id,
    manifest: { instance: id, version: 1, depth: 0 },
    state: { my_part: 3 },
    view: { id, status: "running", children_count: 0, state: { my_part: 3 } },
  });
});

test("[SV15] a worker starts children, each order once, and sees them end", async () => {
  const rig = await makeRig();
  await rig.supervise();
  const id = await rig.start(SLEEP);
  const order = childOrder(rig, "first", ["/bin/sh", "-c", "exit 7"]);
  const replies = [
    await rig.worker(id, "/v1/workers", order),
    await rig.worker(id, "/v1/workers", order),
  ];
  const child = String(replies[0]?.body.data?.["worker"]);
  expect(replies[1]?.body).toEqual(replies[0]?.body);

  const { body } = await rig.worker(id, `/v1/workers/${child}/end`);
  expect(body.data).toMatchObject({
    view: { id: child, parent: id, end: { reason: "failed", outcome: { exit_code: 7 } } },
  });
  expect(await rig.entriesAbout(child, "worker.registered")).toHaveLength(1);
});

test("[SV15] a worker's child is below it, whatever parent it names", async () => {
  const rig = await makeRig();
  await rig.supervise();
  const [id, other] = [await rig.start(SLEEP), await rig.start(SLEEP)];
  const order = childOrder(rig, "c-1");
  for (const parent of [other, null]) {
    const stolen = { ...order, admission: { ...order.admission, parent } };
    const reply = await rig.worker(id, "/v1/workers", { ...stolen, id: randomUUID() });
    expect(reply).toMatchObject({ status: 403, body: { refusal: { code: "not_authorised" } } });
  }
  expect(rig.processes()).toHaveLength(2);
});

test("[SV16] a worker sees itself and those below it, and nobody else", async () => {
  const rig = await makeRig();
  await rig.supervise();
  const [id, other] = [await rig.start(SLEEP), await rig.start(SLEEP)];
  const child = String(
    (await rig.worker(id, "/v1/workers", childOrder(rig, "c"))).body.data?.["worker"],
  );
  for (const seen of [id, child])
    expect((await rig.worker(id, `/v1/workers/${seen}`)).body).toMatchObject({ ok: true });
  const hidden = [other, "w-aaaaaaaaaaaaaaaa", "..%2f..", "x".repeat(500)];
  for (const unseen of hidden)
    for (const path of [`/v1/workers/${unseen}`, `/v1/workers/${unseen}/end`])
      expect(await rig.worker(id, path)).toMatchObject({
        status: 403,
        body: { refusal: { code: "not_authorised" } },
      });
  // A child does not see its parent either.
  expect((await rig.worker(child, `/v1/workers/${id}`)).status).toBe(403);
});

test("[SV17] a worker is told of quarantine, release and stop as they are journaled", async () => {
  const rig = await makeRig();
  await rig.supervise();
  const id = await rig.start(["/bin/sh", "-c", "trap '' TERM; sleep 600 & wait; wait"]);
  const { lines, over } = listen(rig, id);
  const heard = (): unknown[] =>
    lines.map((line): unknown => JSON.parse(line)).filter((one) => !isOfStanding(one));
  await expect.poll(() => lines.length).toBeGreaterThan(0);
  expect(heard()).toEqual([]);

  const why = { reason: "x", source: "y", severity: "low" };
  await rig.command("worker.quarantine", { worker: id, ...why });
  await expect.poll(heard).toEqual([{ kind: "interrupted", by: "quarantine" }]);
  // Whoever connects now hears how it stands.
  const late = listen(rig, id);
  await expect.poll(() => late.lines.join()).toContain('"quarantine"');
  await rig.command("worker.unquarantine", { worker: id, resolution: "fine" });
  await expect.poll(() => heard().at(-1)).toEqual({ kind: "released" });
  const stop = { worker: id, reason: "requested", tree: false, grace_ms: 300 };
  await rig.command("worker.stop", stop);
  await expect.poll(() => heard().at(-1)).toEqual({ kind: "interrupted", by: "stop" });
  await over;
  await rig.end(id);
});

/** Whether a line says that the stream lives, or that nothing is held. */
function isOfStanding(signal: unknown): boolean {
  return /^{"kind":("alive"|"leases","at_seq":\d+,"held":\[\])}$/.test(JSON.stringify(signal));
}

test("[SV18] a plain command is beaten for as long as it lives, and is never stale", async () => {
  // Longer than a busy machine takes to see it end: until then nobody beats for it.
  const rig = await makeRig({ beatEveryMs: 1_000, reapAfterMs: 3_000 });
  await rig.supervise();
  const id = await rig.start(["/bin/sleep", "5"]);
  expect(await rig.end(id)).toMatchObject({ reason: "completed", outcome: { exitCode: 0 } });
  expect(await rig.entriesAbout(id, "worker.staled")).toEqual([]);
});

test("[SV18] a worker that has beaten is not beaten for: its silence is seen", async () => {
  const rig = await makeRig({ beatEveryMs: 100, reapAfterMs: 400, silentAlive: "stop" });
  await rig.supervise();
  const id = await rig.start(SLEEP);
  const plain = await rig.start(SLEEP);
  expect((await rig.worker(id, "/v1/worker/beat", { progress: 1 })).status).toBe(200);
  expect(await rig.end(id)).toMatchObject({ reason: "silent" });
  expect(await rig.entriesAbout(id, "worker.staled")).toHaveLength(1);
  expect((await rig.fleet.worker(plain))?.status).toBe("running");
});
