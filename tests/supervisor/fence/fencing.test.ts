// Leases as mounts, with a real supervisor and real workers.
import { existsSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { expect, test } from "vitest";
import { makeRig, ROOMY } from "../rig.ts";
import { makeScene } from "./scene.ts";

const polling = { timeout: 20_000 };

test("[GM20] a worker writes to what it holds once it is told so, and no further", async () => {
  const { scene } = await makeScene();
  const worker = await scene.worker();
  expect(await scene.tries(worker, "append", "src/api/x")).toBe(false);
  expect((await scene.acquire(worker, ["src/api/**", "docs/x.md"])).body.ok).toBe(true);
  expect(await scene.tries(worker, "append", "src/api/x")).toBe(true);
  for (const path of ["src/x", "docs/x.md", "docs/y", "x", ".git/x", ".stint/x"])
    expect([path, await scene.tries(worker, "append", path)]).toEqual([path, false]);
  expect(existsSync(scene.at("src/api/x"))).toBe(true);
});

test("[GM20] all of the ground is but what is git's own, and the fleet's", async () => {
  const { scene } = await makeScene();
  const worker = await scene.worker();
  await scene.acquire(worker, ["**"]);
  for (const path of ["x", "docs/y", "src/api/z"])
    expect([path, await scene.tries(worker, "append", path)]).toEqual([path, true]);
  // Its own socket lies in a folder that is hidden: it is still there.
  expect(await scene.tries(worker, "reach", "run")).toBe(true);
  for (const path of [".git/x", ".stint/x", ".stint/secret"])
    expect([path, await scene.tries(worker, "append", path)]).toEqual([path, false]);
});

test("[GM20] what cannot be mounted is on record, and the answer says so", async () => {
  const { scene } = await makeScene();
  const worker = await scene.worker();
  writeFileSync(scene.at("docs/page"), "");
  const { body } = await scene.acquire(worker, ["docs/page/**"]);
  expect(body).toMatchObject({
    ok: true,
    data: { sighting: { lease: { enforced: true, mounted: [] } } },
  });
  const [noted] = await scene.rig.entriesAbout(worker, "worker.noted");
  expect(JSON.stringify(noted?.data)).toContain(`l-${body.seq} gives nothing to write to: `);
  const whole = await scene.acquire(worker, ["docs/more/**"]);
  expect(whole.body.data).toMatchObject({ sighting: { lease: { mounted: ["docs/more/**"] } } });
});

test("[GM21] what is released is granted on when nothing can write there any more", async () => {
  const { scene } = await makeScene({ revokeGraceMs: 60_000 });
  const [one, other] = [await scene.worker(), await scene.worker()];
  const { body } = await scene.acquire(one, ["src/api/**"]);
  expect(await scene.tries(one, "hold", "src/api/held")).toBe(true);
  await scene.release(one, `l-${body.seq}`);
  const refused = await scene.acquire(other, ["src/**"]);
  expect(refused.body.refusal).toMatchObject({
    code: "conflict",
    facts: { lapsing: true, holder: one, witness: "src/api" },
  });
  await scene.tries(one, "let-go", "src/api/held");
  await scene.acquireAtLast(other, ["src/**"]);
  expect(await scene.tries(one, "append", "src/api/more")).toBe(false);
  expect(await scene.tries(other, "append", "src/api/more")).toBe(true);
  expect((await scene.kinds()).filter((kind) => kind === "lease.fenced")).toHaveLength(1);
});

test("[GM21] a lease that lapses is fenced by itself", async () => {
  const { scene } = await makeScene();
  const worker = await scene.worker();
  await scene.acquire(worker, ["docs/**"], 3_000);
  expect(await scene.tries(worker, "append", "docs/x")).toBe(true);
  await expect.poll(() => scene.kinds(), polling).toContain("lease.fenced");
  expect(await scene.tries(worker, "append", "docs/x")).toBe(false);
  expect((await scene.rig.fleet.worker(worker))?.status).toBe("running");
});

test("[GM22] who keeps files open there past its grace is ended, then others go on", async () => {
  const { scene } = await makeScene({ revokeGraceMs: 300 });
  const [one, other] = [await scene.worker(), await scene.worker()];
  const { body } = await scene.acquire(one, ["src/**"]);
  await scene.tries(one, "hold", "src/api/held");
  await scene.release(one, `l-${body.seq}`);
  await scene.acquireAtLast(other, ["src/**"]);
  expect((await scene.rig.end(one)).reason).toBe("requested");
  const kinds = await scene.kinds();
  expect(kinds.indexOf("worker.stopped")).toBeLessThan(kinds.lastIndexOf("lease.granted"));
  expect(kinds).not.toContain("lease.fenced");
  const [stopping] = await scene.rig.entriesAbout(one, "worker.stopping");
  expect(JSON.stringify(stopping?.data)).toContain("open for writing");
});

test("[GM23] who is revoked is kept from running until it is taken", async () => {
  const { scene } = await makeScene();
  const worker = await scene.worker();
  const { body } = await scene.acquire(worker, ["src/**"]);
  await scene.rig.command("lease.revoke", { lease: `l-${body.seq}`, reason: "a test" });
  await expect.poll(() => scene.kinds(), polling).toContain("lease.fenced");
  expect(await scene.tries(worker, "append", "src/x")).toBe(false);
  const fenced = (await scene.rig.entries()).find(({ kind }) => kind === "lease.fenced");
  expect(fenced).toMatchObject({ actor: { kind: "supervisor" }, data: { wasFrozen: true } });
});

test("[GM23] who is revoked with a file open writes no more, and is ended after it", async () => {
  const { scene } = await makeScene({ revokeGraceMs: 1_000 });
  const [one, other] = [await scene.worker(), await scene.worker()];
  const { body } = await scene.acquire(one, ["src/**"]);
  await scene.tries(one, "hold", "src/held");
  await scene.rig.command("lease.revoke", { lease: `l-${body.seq}`, reason: "a test" });
  await scene.acquireAtLast(other, ["src/**"]);
  expect((await scene.rig.end(one)).evidence?.grade).toBe("observed");
});

test("[GM24] what a dead supervisor had not fenced is free with its workers' ends", async () => {
  const { scene, supervised } = await makeScene({ revokeGraceMs: 60_000 });
  const one = await scene.worker();
  const { body } = await scene.acquire(one, ["src/**"]);
  await scene.tries(one, "hold", "src/held");
  await scene.release(one, `l-${body.seq}`);
  await supervised.kill();
  await scene.rig.supervise({ rung: "best" });
  await scene.rig.end(one);
  const other = await scene.worker();
  await scene.acquireAtLast(other, ["src/**"]);
  expect(await scene.tries(other, "append", "src/held")).toBe(true);
});

test("[GM25] a file is widened to its folder where the contract says so", async () => {
  const { scene } = await makeScene({ sandbox: { widen: "directory" } });
  const worker = await scene.worker();
  const { body } = await scene.acquire(worker, ["docs/x.md"]);
  const granted = { region: ["docs/**"], widened_from: ["docs/x.md"] };
  expect(body.data).toMatchObject({ entries: [{ data: granted }] });
  expect(await scene.tries(worker, "append", "docs/x.md")).toBe(true);
});

test("[GM26] where no ground can be mounted nobody is admitted to enforced leases", async () => {
  const { scene, supervised } = await makeScene();
  await supervised.kill();
  await scene.rig.supervise({ rung: "process-group" });
  await expect(scene.worker()).rejects.toThrow("containment_too_weak");
});

test("[GM26] nor by a program that runs workers itself, without a supervisor", async () => {
  const { scene, supervised } = await makeScene();
  await supervised.kill();
  const started = scene.rig.fleet.start({ run: ["sleep", "600"], cwd: "/" });
  await expect(started).rejects.toMatchObject({ code: "containment_too_weak" });
});

test("[GM48] above its ground no worker writes: it is not enacted, and not started", async () => {
  const { scene, supervised } = await makeScene();
  const { rig } = scene;
  const sandbox = { leases: "enforced", writable: [dirname(rig.folder)] } as const;
  await expect(rig.fleet.enact({ ...ROOMY, sandbox })).rejects.toMatchObject({
    problems: [
      {
        path: "options.contract.sandbox.writable[0]",
        expected: expect.stringContaining("beside the ground") as unknown,
        got: JSON.stringify(dirname(rig.folder)),
      },
    ],
  });
  await supervised.kill();

  // A contract from before, or of a fleet whose folder was moved since, is met at the start.
  const other = await makeRig({ sandbox: { leases: "enforced", writable: ["/"] } });
  await other.supervise({ rung: "best" });
  const order = other.order(["/bin/sleep", "600"]);
  const { body } = await other.operator("/v1/workers", order);
  expect(JSON.stringify(body)).toContain("beside the ground of leases that are enforced");
  expect(other.processes()).toEqual([]);
  const [back] = await other.entriesAbout(order.admission.instance, "worker.stopped");
  expect(back).toBeDefined();
});
