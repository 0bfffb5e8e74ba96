import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ask } from "./fixtures/ask.ts";
import { instanceId, makeRig } from "./rig.ts";

test("[SV5] a program that is over at once has run, and its exit code is on record", async () => {
  const rig = await makeRig();
  await rig.supervise();
  const codes = await Promise.all(
    Array.from({ length: 8 }, (_, code) => rig.start(["/bin/sh", "-c", `exit ${code}`])),
  );
  for (const [code, id] of codes.entries()) {
    expect(await rig.end(id)).toMatchObject({ outcome: { exitCode: code } });
    expect(await rig.entriesAbout(id, "worker.registered")).toHaveLength(1);
  }
});

test("[SV5] what a worker writes is in its output, both streams of it", async () => {
  const rig = await makeRig();
  await rig.supervise();
  const id = await rig.start(["/bin/sh", "-c", "echo to-out; echo to-err >&2"]);
  await rig.end(id);
  const lines = readFileSync(join(rig.stateDir, "output", `${id}.jsonl`), "utf8")
    .trim()
    .split("\n");
  const frames = lines.map((line) => JSON.parse(line) as { stream: string; text: string });
  expect(frames).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ stream: "stdout", text: "to-out\n" }),
      expect.objectContaining({ stream: "stderr", text: "to-err\n" }),
    ]),
  );
});

test("[SV6] a start order given ten times, at once and again, starts one process", async () => {
  const rig = await makeRig();
  await rig.supervise();
  const order = rig.order(["/bin/sleep", "600"]);
  const replies = await Promise.all(
    Array.from({ length: 10 }, () => rig.operator("/v1/workers", order)),
  );
  replies.push(await rig.operator("/v1/workers", order));
  const [first] = replies;
  expect(first?.body).toMatchObject({ ok: true, data: { worker: order.admission.instance } });
  expect(new Set(replies.map(({ body }) => JSON.stringify(body))).size).toBe(1);
  expect(rig.processes()).toHaveLength(1);
});

test("[SV6] another order for an instance that exists is refused and starts nothing", async () => {
  const rig = await makeRig();
  await rig.supervise();
  const order = rig.order(["/bin/sleep", "600"]);
  await rig.operator("/v1/workers", order);
  const other = await rig.operator("/v1/workers", { ...order, id: "another" });
  expect(other).toMatchObject({ status: 409, body: { refusal: { code: "instance_taken" } } });
  expect(rig.processes()).toHaveLength(1);
});

test("[SV7] a program that cannot be started leaves nothing, not even its place", async () => {
  const rig = await makeRig({ maxReplicas: 1 });
  await rig.supervise();
  const order = rig.order(["/no/such/program"]);
  const reply = await rig.operator("/v1/workers", order);
  expect(reply).toMatchObject({ status: 503, body: { error: { code: "sandbox_failed" } } });
  expect(existsSync(rig.door(order.admission.instance).dir)).toBe(false);
  // What is forgotten is not listed from then on, and removed in a quiet moment.
  await expect.poll(() => readdirSync(join(rig.stateDir, "sandboxes"))).toEqual([]);
  // The one place of the fleet is free again.
  await rig.start(["/bin/true"]);
});

test("[SV7] a refused start answers the refusal and leaves nothing", async () => {
  const rig = await makeRig({ maxReplicas: 1 });
  await rig.supervise();
  await rig.start(["/bin/sleep", "600"]);
  const order = rig.order(["/bin/sleep", "600"]);
  const reply = await rig.operator("/v1/workers", order);
  expect(reply).toMatchObject({ status: 409, body: { refusal: { code: "max_replicas" } } });
  expect(existsSync(rig.door(order.admission.instance).dir)).toBe(false);
  expect(rig.processes()).toHaveLength(1);
});

test("[SV8] a stop while a worker starts wins (replication C4)", async () => {
  const rig = await makeRig();
  await rig.supervise();
  for (let round = 0; round < 5; round += 1) {
    const order = rig.order(["/bin/sleep", "600"]);
    const { instance } = order.admission;
    const starting = rig.operator("/v1/workers", order);
    await expect
      .poll(async () => (await rig.entries()).map((entry) => JSON.stringify(entry)).join(), {
        interval: 1,
      })
      .toContain(instance);
    await rig.command("worker.stop", { worker: instance, reason: "requested", tree: false });
    await starting;
    await expect.poll(() => rig.processes(), { interval: 20 }).toEqual([]);
    await expect.poll(() => existsSync(rig.door(instance).dir)).toBe(false);
  }
});

test("[SV8] a kill while workers start leaves none and starts none (replication C4)", async () => {
  const rig = await makeRig();
  const supervised = await rig.supervise();
  const orders = Array.from({ length: 12 }, () => rig.order(["/bin/sleep", "600"]));
  const starts = orders.map((order) => rig.operator("/v1/workers", order).catch(() => undefined));
  await Promise.race(starts);
  await rig.command("fleet.kill", { reason: "a test" });
  await Promise.all(starts);
  expect(await supervised.exited).toBe(0);
  expect(rig.processes()).toEqual([]);
  const late = (await rig.entries()).map(({ kind }) => kind);
  const killed = late.indexOf("fleet.killed");
  expect(killed).toBeGreaterThan(0);
  expect(late.slice(killed)).not.toContain("worker.registered");
});

test("[SV9] a supervised process finds its token, and nothing of the fleet's own", async () => {
  const rig = await makeRig();
  await rig.supervise();
  const id = await rig.start(["/bin/sh", "-c", 'env; cat "$STINT_WORKER_TOKEN_FILE"; sleep 600']);
  const output = join(rig.stateDir, "output", `${id}.jsonl`);
  const door = rig.door(id);
  await expect
    .poll(() => existsSync(output) && readFileSync(output, "utf8"))
    .toContain(door.token());
  const text = readFileSync(output, "utf8");
  expect(text).toContain(`STINT_INSTANCE=${id}`);
  expect(text).toContain(`STINT_WORKER_TOKEN_FILE=${rig.door(id).dir}/token`);
  expect(text).not.toContain(rig.stateDir);
  expect(readdirSync(join(rig.stateDir, "sandboxes", id))).not.toContain("secret.json");
});

test("[SV5] orders that make no sense are named and reach nothing", async () => {
  const rig = await makeRig();
  await rig.supervise();
  const good = rig.order(["/bin/true"]);
  const bad: readonly (readonly [object, string])[] = [
    [{ ...good, run: [] }, "order.run"],
    [{ ...good, cwd: "here" }, "order.cwd must be an absolute path"],
    [{ ...good, env: { "A B": "1" } }, "order.env"],
    [{ ...good, env: JSON.parse('{"__proto__":"1"}') as object }, "order.env"],
    [{ ...good, extra: 1 }, "order.extra"],
    [{ ...good, id: "" }, "order.id"],
    [{ ...good, by: { kind: "god", via: "cli" } }, "by.kind"],
    [{ ...good, admission: { ...good.admission, instance: "../../etc" } }, "admission.instance"],
    [{ ...good, admission: { ...good.admission, degraded: [] } }, "admission.degraded"],
    [{ ...good, admission: { ...good.admission, verdicts: {} } }, "admission.verdicts"],
    [{ ...good, admission: { ...good.admission, parent_use: {} } }, "admission.parent_use"],
  ];
  for (const [order, place] of bad) {
    const reply = await rig.operator("/v1/workers", order);
    expect({ place, ...reply }).toMatchObject({ status: 400, body: { error: { code: "usage" } } });
    expect(reply.body.error?.message).toContain(place);
  }
  const { about, operatorToken: token } = rig;
  const noJson = await ask({ socket: about.socket, token, path: "/v1/workers", text: "{" });
  expect(noJson).toMatchObject({ status: 400, body: { error: { code: "usage" } } });
  expect((await rig.entries()).map(({ kind }) => kind)).toEqual(["fleet.created"]);
  expect(instanceId()).toMatch(/^w-[a-z2-7]{16}$/);
});
