// A supervisor on another rung than the one before it.
import { expect, test } from "vitest";
import { DEGRADATIONS } from "../../src/kernel/fleet/contract.ts";
import { makeRig } from "./rig.ts";

test("[SV29] an order has its answer from a successor on another rung", async () => {
  const rig = await makeRig();
  const first = await rig.supervise({ rung: "process-group" });
  const order = rig.order(["/bin/sleep", "600"]);
  const granted = await rig.operator("/v1/workers", order);
  expect(granted.body).toMatchObject({ ok: true });
  await first.kill();
  await rig.supervise({ rung: "best" });
  expect((await rig.operator("/v1/workers", order)).body).toEqual(granted.body);
  expect(rig.processes()).toEqual([]);
  const other = { ...order, admission: { ...order.admission, reason: "another" } };
  expect((await rig.operator("/v1/workers", other)).body).toMatchObject({
    refusal: { code: "command_mismatch" },
  });
});

test("[SV29] an order admitted on a weaker rung is carried out on a better one", async () => {
  const rig = await makeRig();
  await rig.supervise({ rung: "best" });
  const order = rig.order(["/bin/sleep", "600"]);
  const data = { ...order.admission, degraded: DEGRADATIONS };
  expect((await rig.command("worker.admit", data, order.id)).body).toMatchObject({ ok: true });
  expect((await rig.operator("/v1/workers", order)).body).toMatchObject({ ok: true });
  expect(rig.processes().length).toBeGreaterThan(0);
});

test("[SV29] a worker admitted for a better sandbox is not started in a weaker one", async () => {
  const rig = await makeRig({ maxReplicas: 1 });
  await rig.supervise({ rung: "process-group" });
  const order = rig.order(["/bin/sleep", "600"]);
  const data = { ...order.admission, degraded: [] };
  expect((await rig.command("worker.admit", data, order.id)).body).toMatchObject({ ok: true });
  const refused = await rig.operator("/v1/workers", order);
  expect(refused.body).toMatchObject({ error: { code: "sandbox_failed" } });
  expect(refused.body.error?.message).toContain("same_user");
  expect(rig.processes()).toEqual([]);
  // Its place is free again.
  await rig.start(["/bin/true"]);
});
