import { existsSync, unlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { awaitGone } from "../support/process-table.ts";
import { makeRig } from "./rig.ts";

const SLEEP = ["/bin/sleep", "600"];
const STUBBORN = ["/bin/sh", "-c", "trap '' TERM; while :; do sleep 600 & wait; done"];

test("[SV19] an idle supervisor leaves, one with a worker stays, and nothing is left", async () => {
  const rig = await makeRig();
  const supervised = await rig.supervise({ idleMs: 300 });
  const id = await rig.start(["/bin/sleep", "1"]);
  const { socket } = rig.about;
  await rig.end(id);
  // Had it gone by its idleness alone, the worker would not have ended by itself.
  expect(await rig.entriesAbout(id, "worker.stopping")).toEqual([]);
  expect(await supervised.exited).toBe(0);
  expect(existsSync(socket)).toBe(false);
  expect(existsSync(dirname(socket))).toBe(false);
  expect(existsSync(join(rig.stateDir, "supervisor.json"))).toBe(false);
});

test("[SV20] asked to leave it names its workers, with a grace it stops them", async () => {
  const rig = await makeRig();
  const supervised = await rig.supervise();
  const [polite, stubborn] = [await rig.start(SLEEP), await rig.start(STUBBORN)];
  const asked = await rig.operator("/v1/leave", {});
  expect(asked.body.data?.["workers"]).toEqual(expect.arrayContaining([polite, stubborn]));
  expect(rig.processes().length).toBeGreaterThanOrEqual(2);

  const told = await rig.operator("/v1/leave", { stop_grace_ms: 200 });
  expect(told.body).toMatchObject({ ok: true, data: { workers: [] } });
  expect(await supervised.exited).toBe(0);
  expect(rig.processes()).toEqual([]);
  expect(await rig.end(polite)).toMatchObject({
    reason: "requested",
    outcome: { signal: "SIGTERM" },
  });
  expect(await rig.end(stubborn)).toMatchObject({ outcome: { signal: "SIGKILL" } });
  const last: string[] = [];
  for await (const entry of rig.fleet.entries()) last.push(entry.kind);
  expect(last.at(-1)).toBe("journal.signed");
});

test("[SV20] SIGTERM drains: no starts, workers stopped and recorded, exit 0", async () => {
  const rig = await makeRig();
  const supervised = await rig.supervise();
  const ids = [await rig.start(STUBBORN), await rig.start(SLEEP)];
  supervised.child.kill("SIGTERM");
  await expect
    .poll(async () => (await rig.operator("/v1/status")).body.data?.["is_draining"], {
      interval: 5,
    })
    .toBe(true);
  const late = await rig.operator("/v1/workers", rig.order(SLEEP));
  expect(late).toMatchObject({
    status: 503,
    body: { error: { code: "supervisor_unreachable", retryable: true } },
  });
  expect(await supervised.exited).toBe(0);
  for (const id of ids) expect(await rig.end(id)).toMatchObject({ reason: "requested" });
  expect(rig.processes()).toEqual([]);
});

test("[SV21] a stop gives its own grace, and a kill waits for nobody's", async () => {
  const rig = await makeRig();
  const supervised = await rig.supervise();
  const slow = ["/bin/sh", "-c", "trap 'sleep 0.5; exit 3' TERM; while :; do sleep 0.1; done"];
  const [patient, short, long] = [
    await rig.start(slow),
    await rig.start(STUBBORN),
    await rig.start(STUBBORN),
  ];
  const stop = (worker: string, graceMs: number): Promise<unknown> =>
    rig.command("worker.stop", { worker, reason: "requested", tree: false, grace_ms: graceMs });
  await stop(patient, 20_000);
  expect(await rig.end(patient)).toMatchObject({ outcome: { exitCode: 3 } });
  await stop(short, 0);
  expect(await rig.end(short)).toMatchObject({ outcome: { signal: "SIGKILL" } });

  await stop(long, 600_000);
  const startedMs = performance.now();
  await rig.command("fleet.kill", { reason: "now" });
  expect(await rig.end(long)).toMatchObject({ outcome: { signal: "SIGKILL" } });
  expect(performance.now() - startedMs).toBeLessThan(15_000);
  expect(await supervised.exited).toBe(0);
});

test("[SV22] without its permit a fleet is ended, on record (replication C3)", async () => {
  const rig = await makeRig();
  const supervised = await rig.supervise();
  for (let n = 0; n < 3; n += 1) await rig.start(SLEEP);
  const rows = rig.processes();
  unlinkSync(join(rig.stateDir, `permit-${rig.fleet.id}`));
  expect(await awaitGone(rows, 15_000)).toEqual([]);
  expect(await supervised.exited).toBe(0);
  const kinds = (await rig.entries()).map(({ kind }) => kind);
  expect(kinds.filter((kind) => kind === "fleet.killed")).toHaveLength(1);
  expect(kinds.filter((kind) => kind === "worker.stopped")).toHaveLength(3);
});

test("[SV8] a killed fleet's supervisor ends what is left (replication C3)", async () => {
  const rig = await makeRig();
  const first = await rig.supervise();
  await rig.start(SLEEP);
  await first.kill();
  const rows = rig.processes();
  expect(rows).toHaveLength(1);
  await rig.fleet.kill({ reason: "a test", settleMs: 0 });
  const second = await rig.supervise();
  const reply = await rig.operator("/v1/workers", rig.order(SLEEP));
  expect(reply).toMatchObject({ status: 410, body: { refusal: { code: "fleet_killed" } } });
  expect(await second.exited).toBe(0);
  expect(rig.processes()).toEqual([]);
});
