// What a steward leaves to others, for how long, and what it leaves to nobody.

import { expect, test } from "vitest";
import { FailingSandbox } from "./failing-sandbox.ts";
import { MadeStore } from "./made-store.ts";
import { codeOf, granted, makeGate, nextEntry, openRoomy, rejectionOf, ROOMY } from "./rig.ts";

const IN_TIME = { timeout: 1_500 };

test("[ST5] what runs for a lapsed reservation is stopped at once", async () => {
  const driver = new FailingSandbox();
  const contract = { ...ROOMY, registerWithinMs: 1_000 };
  const fleet = await openRoomy({ store: new MadeStore(driver), contract });
  const lapsed = nextEntry(fleet, "worker.lapsed");
  const { manifest } = granted(await fleet.issueManifest());
  // Somebody started its process and died before that had registered.
  driver.rows.set(manifest.instance, "alive");
  expect((await lapsed).data.worker).toBe(manifest.instance);
  await expect.poll(() => driver.log, IN_TIME).toContain(`stop ${manifest.instance}`);
  await expect.poll(() => [...driver.rows], IN_TIME).toEqual([]);
});

test("[ST2] what another process has in hand is left to it for a while", async () => {
  const driver = new FailingSandbox();
  const store = new MadeStore(driver);
  driver.onStart = (spec) => store.registerAsProcess(spec);
  const starter = await openRoomy({ store, steward: false });
  const { id } = await starter.start({ run: ["x"] });
  const fleet = await openRoomy({ store });
  driver.rows.set(id, "gone");
  const goneSinceMs = performance.now();
  await expect.poll(() => driver.log, { timeout: 10_000 }).toContain(`stop ${id}`);
  // A grace that is measured from a later look is no shorter.
  expect(performance.now() - goneSinceMs).toBeGreaterThan(2_500);
  await expect.poll(async () => (await fleet.worker(id))?.status).toBe("stopped");
}, 20_000);

test("[KL7] a start that a kill overtakes is ended by its starter itself", async () => {
  const driver = new FailingSandbox();
  const fleet = await openRoomy({ store: new MadeStore(driver), steward: false });
  const [begun, release] = [makeGate(), makeGate()];
  driver.onStart = async () => {
    begun.open();
    await release.passed;
  };
  const starting = fleet.tryStart({ run: ["x"] });
  await begun.passed;
  driver.rows.clear();
  await fleet.kill({ reason: "drill", settleMs: 0 });
  const [id] = [...driver.specs.keys()];
  driver.rows.set(String(id), "alive");
  release.open();
  expect(codeOf(await starting)).toBe("fleet_killed");
  await expect.poll(() => driver.rows.get(String(id)) ?? "forgotten").toBe("forgotten");
});

test("[LB20] a worker that was admitted and then not registered gives its place back", async () => {
  const store = new MadeStore();
  const fleet = await openRoomy({ store });
  const other = await openRoomy({ store, steward: false });
  let isPaused = false;
  store.onAppend = async () => {
    if (isPaused || fleet.workers().length === 0) return;
    isPaused = true;
    await other.pause();
  };
  expect(codeOf(await fleet.tryStart())).toBe("fleet_paused");
  expect(fleet.workers()).toEqual([]);
});

test("[LB25] whoever starts a process asks by himself whether its time has passed", async () => {
  const contract = { ...ROOMY, registerWithinMs: 1_000 };
  const store = new MadeStore(new FailingSandbox());
  const fleet = await openRoomy({ store, contract, steward: false });
  const error = await rejectionOf(fleet.start({ run: ["x"] }));
  expect(error.code).toBe("sandbox_failed");
  expect(fleet.workers()).toEqual([]);
});
