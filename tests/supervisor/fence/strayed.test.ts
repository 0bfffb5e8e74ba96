// Ground that somebody outside of all sandboxes moves or removes, and workers that count on it.
import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { expect, test } from "vitest";
import { makeScene } from "./scene.ts";

const polling = { timeout: 20_000 };

test("[GM44] what is left out of a lease stays so though its folder is made anew", async () => {
  const { scene } = await makeScene();
  const [one, other] = [await scene.worker(), await scene.worker()];
  await scene.acquire(one, ["src/**", "!src/b/**"]);
  await scene.acquire(other, ["src/b/**"]);
  expect(await scene.tries(one, "append", "src/x")).toBe(true);
  // As a checkout does it that goes from one branch to another.
  rmSync(scene.at("src/b"), { recursive: true });
  mkdirSync(scene.at("src/b"));
  await expect.poll(() => scene.tries(other, "append", "src/b/x"), polling).toBe(true);
  await expect.poll(() => scene.tries(one, "append", "src/b/x"), polling).toBe(false);
  await expect.poll(() => scene.tries(one, "append", "src/x"), polling).toBe(true);
  expect(await scene.tries(one, "append", "src/b/y")).toBe(false);
  for (const worker of [one, other])
    expect((await scene.rig.fleet.worker(worker))?.status).toBe("running");
});

test("[GM44] a folder that was moved is given anew, and what was moved is taken", async () => {
  const { scene } = await makeScene();
  const [one, other] = [await scene.worker(), await scene.worker()];
  const { body } = await scene.acquire(one, ["src/api/**"]);
  renameSync(scene.at("src/api"), scene.at("docs/api"));
  await expect.poll(() => scene.tries(one, "append", "src/api/x"), polling).toBe(true);
  await scene.release(one, `l-${body.seq}`);
  await scene.acquireAtLast(other, ["src/**", "docs/**"]);
  for (const path of ["src/api/x", "docs/api/x"])
    expect([path, await scene.tries(one, "append", path)]).toEqual([path, false]);
});

test("[GM23] who is revoked stays frozen though a quarantine of it is lifted", async () => {
  const { scene } = await makeScene({ revokeGraceMs: 4_000 });
  const worker = await scene.worker();
  const { body } = await scene.acquire(worker, ["src/**"]);
  await scene.tries(worker, "hold", "src/held");
  await scene.rig.command("lease.revoke", { lease: `l-${body.seq}`, reason: "a test" });
  // By another process than its supervisor, as the command line does it.
  const { fleet } = scene.rig;
  await fleet.quarantine(worker, { reason: "a look" });
  await fleet.unquarantine(worker, { resolution: "nothing" });
  const said = scene.tell(worker, "append", "src/held");
  await pause(1_500);
  expect(existsSync(said)).toBe(false);
  await scene.rig.end(worker);
});

test("[GM40] of two leases, one in the other, the outer ends and the inner goes on", async () => {
  const { scene } = await makeScene();
  const [one, other] = [await scene.worker(), await scene.worker()];
  const inner = await scene.acquire(one, ["src/api/**"]);
  const outer = await scene.acquire(one, ["src/**", "!src/api/**"]);
  for (const path of ["src/x", "src/api/x"])
    expect([path, await scene.tries(one, "append", path)]).toEqual([path, true]);
  await scene.release(one, `l-${outer.body.seq}`);
  await scene.acquireAtLast(other, ["src/**", "!src/api/**"]);
  expect(await scene.tries(one, "append", "src/api/x")).toBe(true);
  expect(await scene.tries(one, "append", "src/x")).toBe(false);
  await scene.release(one, `l-${inner.body.seq}`);
  await scene.acquireAtLast(other, ["src/api/**"]);
  expect(await scene.tries(one, "append", "src/api/x")).toBe(false);
  expect(await scene.tries(other, "append", "src/api/x")).toBe(true);
});
