import { Fault } from "../../src/ports/fault.ts";
import { expect, test } from "vitest";
import { FailingSandbox } from "./failing-sandbox.ts";
import { MadeStore } from "./made-store.ts";
import { codeOf, fired, granted, kindsOf, openRoomy, refusalsOf } from "./rig.ts";

async function openAlone() {
  const driver = new FailingSandbox();
  const store = new MadeStore(driver);
  const fleet = await openRoomy({ store, steward: false });
  return { driver, store, fleet };
}

test("[KL8] what starts until the permit is gone is found by the last sweep", async () => {
  const { driver, store, fleet } = await openAlone();
  const late = "w-cccccccccccccccc";
  let listings = 0;
  driver.onList = async () => void (listings += 1);
  store.onRevoke = async () => {
    // The first sweep has found nothing, twice.
    await expect.poll(() => listings).toBe(2);
    driver.rows.set(late, "alive");
  };
  const receipt = await fleet.kill({ reason: "drill", settleMs: 0 });
  expect(driver.rows.get(late) ?? "forgotten").not.toBe("alive");
  expect(receipt.workers).toMatchObject([{ id: late, grade: "swept" }]);
  // Two more that found nothing, after the one that did.
  expect(listings).toBe(5);
  store.onRevoke = async () => undefined;
});

test("[KL14] without a supervisor the permit does not wait for the entry", async () => {
  const { store, fleet } = await openAlone();
  const seen: string[] = [];
  store.onRevoke = async () => void seen.push("revoke");
  store.onAppend = async () => void seen.push("append");
  await fleet.kill({ reason: "drill", settleMs: 0 });
  expect(seen.slice(0, 2)).toEqual(["revoke", "append"]);
});

test("[KL14] whoever hears of a kill takes the permit that its author has left", async () => {
  const { store, fleet: killer } = await openAlone();
  await openRoomy({ store });
  await killer.submit({ kind: "fleet.kill", data: { reason: "drill" } });
  await expect.poll(() => store.revoked.length).toBe(1);
});

test("[SV28] what survives a kill is tried again, also without a steward", async () => {
  const { driver, store, fleet } = await openAlone();
  driver.onStart = (spec) => store.registerAsProcess(spec);
  const { id } = await fleet.start({ run: ["x"] });
  driver.stubbornnessOf = () => "survives";
  expect(await fleet.kill({ reason: "drill", settleMs: 0 })).toMatchObject({ survivorCount: 1 });
  driver.stubbornnessOf = () => "ends";
  await expect.poll(() => driver.rows.get(id) ?? "forgotten").not.toBe("alive");
});

test("[KL8] a reservation has nothing to prove once the permit is gone", async () => {
  const { fleet } = await openAlone();
  const { manifest } = granted(await fleet.issueManifest());
  const receipt = await fleet.kill({ reason: "drill", settleMs: 0 });
  expect(receipt).toMatchObject({ survivorCount: 0, proven: true });
  expect(receipt.workers).toMatchObject([{ id: manifest.instance, grade: null, proven: true }]);
});

test("[KL8] while there is a permit a reservation may yet be taken up", async () => {
  const { store, fleet } = await openAlone();
  granted(await fleet.issueManifest());
  store.onRevoke = () => Promise.reject(new Error("the folder is read-only"));
  const receipt = await fleet.kill({ reason: "drill", settleMs: 0 });
  expect(receipt).toMatchObject({ survivorCount: 1, proven: false });
  expect(receipt.why.join("\n")).toContain("the permit could not be taken away");
  store.onRevoke = async () => undefined;
});

test("[KL8] what cannot be listed may have taken a reservation up", async () => {
  const { driver, fleet } = await openAlone();
  granted(await fleet.issueManifest());
  driver.onList = () => Promise.reject(new Error("the folder cannot be read"));
  const receipt = await fleet.kill({ reason: "drill", settleMs: 0 });
  expect(receipt).toMatchObject({ survivorCount: 1, proven: false });
  driver.onList = async () => undefined;
});

test("[KL10] a sandbox that another ends and forgets meanwhile is no survivor", async () => {
  const { driver, fleet } = await openAlone();
  driver.rows.set("w-cccccccccccccccc", "alive");
  driver.stubbornnessOf = (id) => {
    // Its supervisor is quicker: what is asked here finds nothing any more.
    driver.rows.delete(id);
    return "survives";
  };
  const receipt = await fleet.kill({ reason: "drill", settleMs: 0 });
  expect(receipt).toMatchObject({ survivorCount: 0, proven: true, why: [] });
});

test("[KL11] a receipt tells the grade that is on record of an end", async () => {
  const { driver, fleet } = await openAlone();
  const { instance: worker } = granted(await fleet.issueManifest()).manifest;
  driver.rows.set(worker, "alive");
  let lists = 0;
  driver.onList = async () => {
    lists += 1;
    if (lists !== 2) return;
    // The sweep has ended it and not journaled that; its supervisor, which saw more, has.
    const evidence = { grade: "observed", facts: {} } as const;
    await fleet.submit({ kind: "worker.exited", data: { worker, evidence, outcome: {} } });
  };
  const receipt = await fleet.kill({ reason: "drill", settleMs: 0 });
  expect(receipt).toMatchObject({ grades: { observed: 1 }, proven: true });
});

test("[KL9] a kill that is not in the journal binds handles that are open", async () => {
  const { store, fleet: killer } = await openAlone();
  const fleet = await openRoomy({ store, steward: false });
  const worker = await fleet.start();
  const issued = granted(await fleet.issueManifest());
  store.weather = "full";
  expect((await killer.kill({ reason: "drill", settleMs: 0 })).seq).toBeNull();
  expect(codeOf(await fleet.tryStart())).toBe("fleet_killed");
  expect(codeOf(await fleet.tryStart({ run: ["x"] }))).toBe("fleet_killed");
  expect(codeOf(await fleet.issueManifest())).toBe("fleet_killed");
  expect(codeOf(await fleet.register(issued.envelope))).toBe("fleet_killed");
  expect(codeOf(await worker.maybeReplicate({ reason: "x" }))).toBe("fleet_killed");
  store.weather = "fair";
  expect(await kindsOf(fleet)).not.toContain("fleet.killed");
  // The next who begins something journals the kill first, and is refused on record.
  expect(codeOf(await fleet.tryStart())).toBe("fleet_killed");
  expect(await kindsOf(fleet)).toContain("fleet.killed");
  expect(await refusalsOf(fleet)).toEqual(["fleet_killed"]);
});

test("[KL9] an open handle takes over a kill that is not in the journal", async () => {
  const { store, fleet: killer } = await openAlone();
  const fleet = await openRoomy({ store });
  const worker = await fleet.start();
  const task = worker.performTask(({ signal }) => fired(signal));
  store.weather = "full";
  await killer.kill({ reason: "drill", settleMs: 0 });
  // Its tasks are interrupted while nothing can be written.
  expect(await task).toMatchObject({ by: "kill" });
  expect(fleet.status).toBe("open");
  store.weather = "fair";
  await expect.poll(() => fleet.status, { timeout: 5_000 }).toBe("killed");
});

test("[KL9] a process whose permit is gone when it starts is refused", async () => {
  const { driver, fleet, store } = await openAlone();
  const killer = await openRoomy({ store, steward: false });
  driver.onStart = async () => {
    await killer.kill({ reason: "drill", settleMs: 0 });
    throw new Fault("sandbox_failed", "it must have its permit to start, it was stopped before");
  };
  expect(codeOf(await fleet.tryStart({ run: ["x"] }))).toBe("fleet_killed");
});

test("[LB19] a start that fails in a fleet that lives is a fault as before", async () => {
  const { driver, fleet } = await openAlone();
  driver.onStart = () => Promise.reject(new Fault("sandbox_failed", "there is no such program"));
  await expect(fleet.tryStart({ run: ["x"] })).rejects.toMatchObject({ code: "sandbox_failed" });
});
