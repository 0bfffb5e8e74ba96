import { memory, type Receipt } from "stint";
import { expect, test } from "vitest";
import {
  codeOf,
  entriesOf,
  fired,
  granted,
  kindsOf,
  makeGate,
  openRoomy,
  refusalsOf,
  rejectionOf,
} from "./rig.ts";
import { FailingSandbox } from "./failing-sandbox.ts";
import { MadeStore } from "./made-store.ts";

/** A fleet whose processes register as soon as they are started, in the place of real ones. */
async function openWithDriver(): Promise<{
  readonly fleet: Awaited<ReturnType<typeof openRoomy>>;
  readonly driver: FailingSandbox;
  readonly store: MadeStore;
}> {
  const driver = new FailingSandbox();
  const store = new MadeStore(driver);
  const fleet = await openRoomy({ store });
  driver.onStart = (spec) => store.registerAsProcess(spec);
  return { fleet, driver, store };
}

test("[KL1] a kill ends everybody and answers a signed receipt, which is on record", async () => {
  const fleet = await openRoomy();
  const root = await fleet.start({ name: "root" });
  const task = root.performTask(({ signal }) => fired(signal));
  const receipt = await fleet.kill({ reason: "drill" });
  await task;
  expect(receipt).toMatchObject({
    fleet: fleet.id,
    reason: "drill",
    stoppedCount: 1,
    survivorCount: 0,
    proven: true,
    why: [],
    grades: { settled: 1 },
    workers: [
      {
        id: root.id,
        name: "root",
        grade: "settled",
        proven: true,
      },
    ],
  });
  const entries = await entriesOf(fleet);
  expect(entries.find(({ seq }) => seq === receipt.seq)?.kind).toBe("fleet.killed");
  expect(entries.at(-1)).toMatchObject({ kind: "receipt.recorded", data: { receipt } });
  expect(fleet.verifyReceipt(receipt)).toBe(true);
});

test("[KL13] whose end was on record before a kill is not in its receipt", async () => {
  const { fleet, driver } = await openWithDriver();
  const start = (name: string) => fleet.start({ name, run: ["sleep"] });
  const [over, left, lives] = [await start("over"), await start("left"), await start("lives")];
  // Under load: what is left of a sandbox is forgotten late, after its end is on record.
  const late = makeGate();
  driver.forget = async (id) => {
    await late.passed;
    driver.rows.delete(id);
  };
  for (const { id } of [over, left]) {
    driver.rows.set(id, "gone");
    driver.exit(id);
  }
  await Promise.all([over.ended(), left.ended()]);
  // And something of one was alive all the same: that this kill has ended.
  driver.rows.set(left.id, "alive");
  const receipt = fleet.kill({ reason: "drill" });
  await expect.poll(() => driver.log).toContain(`stop ${lives.id}`);
  late.open();
  const { workers, stoppedCount } = await receipt;
  expect(workers.map(({ id }) => id).toSorted()).toEqual([left.id, lives.id].toSorted());
  expect(stoppedCount).toBe(2);
});

test.each<[string, (receipt: Receipt) => object]>([
  ["a count", (receipt) => ({ stoppedCount: receipt.stoppedCount + 1 })],
  ["the proof", (receipt) => ({ proven: !receipt.proven })],
  ["the fleet", () => ({ fleet: "f-aaaaaaaaaaaaaaaa" })],
  ["a worker", ({ workers }) => ({ workers: workers.map((one) => ({ ...one, proven: false })) })],
  ["the list of workers", () => ({ workers: [] })],
  ["the key", () => ({ keyId: "0000000000000000" })],
  ["a field that is added", () => ({ extra: 1 })],
])("[KL1] a receipt with %s changed is not verified", async (_, change) => {
  const fleet = await openRoomy();
  await fleet.start();
  const receipt = await fleet.kill({ reason: "drill" });
  expect(fleet.verifyReceipt({ ...receipt, ...change(receipt) })).toBe(false);
});

test("[KL2] a task that does not settle is a survivor, and is named", async () => {
  const fleet = await openRoomy();
  const root = await fleet.start({ name: "deaf" });
  const release = makeGate();
  const task = root.performTask(() => release.passed);
  const receipt = await fleet.kill({ reason: "drill", settleMs: 50 });
  expect(receipt).toMatchObject({ proven: false, stoppedCount: 0, survivorCount: 1, grades: {} });
  expect(receipt.why).toEqual([`1 worker was not seen to end: ${root.id} (deaf)`]);
  expect(receipt.workers).toEqual([{ id: root.id, name: "deaf", grade: null, proven: false }]);
  expect(await fleet.worker(root.id)).toMatchObject({ status: "stopping" });
  release.open();
  await task;
  expect((await root.ended()).end).toMatchObject({ reason: "killed", grade: "settled" });
});

test("[KL3] after a kill nobody starts, and each try is on record (replication F4)", async () => {
  const store = memory();
  const fleet = await openRoomy({ store });
  const root = await fleet.start();
  const issued = granted(await fleet.issueManifest());
  await fleet.kill({ reason: "drill" });
  expect((await rejectionOf(fleet.start())).code).toBe("fleet_killed");
  const later = await openRoomy({ store });
  expect(later.status).toBe("killed");
  expect(codeOf(await later.tryStart())).toBe("fleet_killed");
  expect(codeOf(await root.maybeReplicate({ reason: "x" }))).toBe("fleet_killed");
  expect(codeOf(await later.register(issued.envelope))).toMatch(/^(manifest_used|fleet_killed)$/);
  expect(await refusalsOf(fleet)).toHaveLength(4);
  expect(await kindsOf(fleet)).not.toContain("fleet.resumed");
});

test("[KL5] one sandbox that cannot be ended holds up no other (replication C1)", async () => {
  const { fleet, driver } = await openWithDriver();
  const names = ["a", "b", "c", "d"];
  const workers = await Promise.all(names.map((name) => fleet.start({ name, run: ["x"] })));
  const [broken, surviving] = workers;
  driver.stubbornnessOf = (id) =>
    id === broken?.id ? "throws" : id === surviving?.id ? "survives" : "ends";
  const receipt = await fleet.kill({ reason: "drill", settleMs: 0 });
  expect(receipt).toMatchObject({ stoppedCount: 2, survivorCount: 2, proven: false });
  expect(receipt.seq).not.toBeNull();
  expect(receipt.grades).toEqual({ swept: 2 });
  expect(receipt.why.join("\n")).toContain("2 workers were not seen to end");
  expect(receipt.why.join("\n")).toContain(
    `${broken?.id} could not be ended: Error: the driver is`,
  );
  expect(await kindsOf(fleet)).toContain("fleet.killed");
  driver.stubbornnessOf = () => "ends";
  const again = await fleet.kill({ reason: "again" });
  expect(again).toMatchObject({ stoppedCount: 2, survivorCount: 0, grades: { swept: 2 } });
});

test("[KL6] a second kill sweeps again and answers a receipt of its own", async () => {
  const fleet = await openRoomy();
  await fleet.start();
  const first = await fleet.kill({ reason: "drill" });
  const second = await fleet.kill({ reason: "to be sure" });
  expect(second).toMatchObject({ reason: "to be sure", stoppedCount: 0, proven: true });
  expect(fleet.verifyReceipt(second)).toBe(true);
  expect(second.signature).not.toBe(first.signature);
  const kinds = await kindsOf(fleet);
  expect(kinds.filter((kind) => kind === "fleet.killed")).toHaveLength(1);
  expect(kinds.filter((kind) => kind === "receipt.recorded")).toHaveLength(2);
});

test.each(["full", "stuck"] as const)(
  "[KL4] a kill sweeps and takes the permit away though the journal is %s; its receipt says so",
  async (weather) => {
    const { fleet, driver, store } = await openWithDriver();
    const worker = await fleet.start({ name: "a", run: ["x"] });
    const here = await fleet.start({ name: "b" });
    const task = here.performTask(({ signal }) => fired(signal));
    store.weather = weather;
    const receipt = await fleet.kill({ reason: "drill", settleMs: 0 });
    expect(driver.rows.get(worker.id)).toBe("gone");
    expect(await task).toMatchObject({ by: "kill" });
    expect(store.revoked).toEqual([fleet.id]);
    expect(receipt).toMatchObject({ seq: null, proven: false });
    expect(receipt.why.join("\n")).toContain("the kill is not in the journal yet");
    expect(receipt.durationMs).toBeLessThan(5_000);
    store.weather = "fair";
  },
);

test("[KL7] a start that a kill overtakes leaves nothing running (replication C4)", async () => {
  const driver = new FailingSandbox();
  const store = new MadeStore(driver);
  const fleet = await openRoomy({ store });
  const [begun, release] = [makeGate(), makeGate()];
  driver.onStart = async () => {
    begun.open();
    await release.passed;
  };
  const starting = fleet.tryStart({ run: ["x"] });
  await begun.passed;
  // Before the driver has anything to show for it: the sweep of the kill finds nothing.
  driver.rows.clear();
  const killing = fleet.kill({ reason: "drill", settleMs: 0 });
  const receipt = await killing;
  const [id] = [...driver.specs.keys()];
  driver.rows.set(String(id), "alive");
  release.open();
  expect(codeOf(await starting)).toBe("fleet_killed");
  await expect.poll(() => driver.rows.get(String(id)) ?? "forgotten").toBe("forgotten");
  expect(receipt.seq).not.toBeNull();
});

test("[KL1] a sandbox that no worker has is swept by a kill as well (replication C3)", async () => {
  const { fleet, driver } = await openWithDriver();
  driver.rows.set("w-bbbbbbbbbbbbbbbb", "alive");
  const receipt = await fleet.kill({ reason: "drill" });
  expect(driver.rows.get("w-bbbbbbbbbbbbbbbb") ?? "forgotten").not.toBe("alive");
  expect(receipt.workers).toEqual([
    { id: "w-bbbbbbbbbbbbbbbb", name: "w-bbbbbbbbbbbbbbbb", grade: "swept", proven: false },
  ]);
});

test("[KL1] a fleet that was killed stays so, whatever is tried (replication C5)", async () => {
  const fleet = await openRoomy({ operator: "night shift" });
  await fleet.kill({ reason: "drill" });
  expect((await rejectionOf(fleet.resume())).code).toBe("fleet_killed");
  expect((await rejectionOf(fleet.enact({}))).code).toBe("fleet_killed");
  expect(fleet.status).toBe("killed");
  const killed = (await entriesOf(fleet)).find(({ kind }) => kind === "fleet.killed");
  expect(killed?.actor).toMatchObject({ kind: "operator", id: "night shift" });
  expect(killed?.data).toMatchObject({ reason: "drill" });
});

test("[KL1] the list of workers is left out of the record when it is too long for it", async () => {
  const { recordable } = await import("../../src/library/kill/receipt.ts");
  const row = { id: "w-aaaaaaaaaaaaaaaa", name: "n".repeat(60), grade: "swept", proven: false };
  const long = { reason: "drill", workers: Array.from({ length: 5_000 }, () => row) };
  expect(recordable(long)).toEqual({ receipt: { reason: "drill" } });
  const short = { reason: "drill", workers: [row] };
  expect(recordable(short)).toEqual({ receipt: short });
});
