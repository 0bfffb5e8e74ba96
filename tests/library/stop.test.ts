import { expect, test } from "vitest";
import {
  entriesOf,
  fired,
  granted,
  kindsOf,
  makeGate,
  openRoomy,
  openUnder,
  rejectionOf,
} from "./rig.ts";
import { FailingSandbox } from "./failing-sandbox.ts";
import { MadeStore } from "./made-store.ts";

async function openWithDriver(): Promise<{
  readonly fleet: Awaited<ReturnType<typeof openRoomy>>;
  readonly driver: FailingSandbox;
}> {
  const driver = new FailingSandbox();
  const store = new MadeStore(driver);
  const fleet = await openRoomy({ store });
  driver.onStart = (spec) => store.registerAsProcess(spec);
  return { fleet, driver };
}

test("[CV1] a stop answers a signed receipt, which is on record", async () => {
  const fleet = await openRoomy();
  const root = await fleet.start({ name: "root" });
  const task = root.performTask(({ signal }) => fired(signal));
  const receipt = await fleet.stop("root", { reason: "no longer needed" });
  await task;
  expect(receipt).toMatchObject({
    type: "stint/receipt/v1",
    order: "stop",
    fleet: fleet.id,
    reason: "no longer needed",
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
  expect(fleet.verifyReceipt(receipt)).toBe(true);
  expect(fleet.verifyReceipt({ ...receipt, order: "kill" })).toBe(false);
  const entries = await entriesOf(fleet);
  expect(entries.find(({ seq }) => seq === receipt.seq)).toMatchObject({
    kind: "worker.stopping",
    data: { worker: root.id },
  });
  expect(entries.at(-1)).toMatchObject({ kind: "receipt.recorded", data: { receipt } });
  expect(fleet.status).toBe("open");
});

test("[CV2] a stop of several is one order with one receipt", async () => {
  const fleet = await openRoomy();
  const [a, b, c] = await Promise.all(["a", "b", "c"].map((name) => fleet.start({ name })));
  const receipt = await fleet.stop([a?.id ?? "", "b", "b"]);
  expect(receipt.workers.map(({ name }) => name)).toEqual(["a", "b"]);
  expect(receipt).toMatchObject({ stoppedCount: 2, proven: true });
  expect(fleet.workers().map(({ id }) => id)).toEqual([c?.id]);
  const kinds = await kindsOf(fleet);
  expect(kinds.filter((kind) => kind === "receipt.recorded")).toHaveLength(1);
  expect(b).toBeDefined();
});

test("[CV2] an id that is nobody's stops none of the others", async () => {
  const fleet = await openRoomy();
  const a = await fleet.start({ name: "a" });
  const error = await rejectionOf(fleet.stop([a.id, "w-aaaaaaaaaaaaaaaa"]));
  expect(error.code).toBe("worker_unknown");
  expect(await fleet.worker(a.id)).toMatchObject({ status: "running" });
  expect((await rejectionOf(fleet.stop([]))).message).toBe("worker must be at least one, got []");
  expect(await kindsOf(fleet)).not.toContain("receipt.recorded");
});

test("[CV3] one sandbox that cannot be ended holds up no other (replication C1)", async () => {
  const { fleet, driver } = await openWithDriver();
  const names = ["a", "b", "c"];
  const workers = await Promise.all(names.map((name) => fleet.start({ name, run: ["x"] })));
  driver.stubbornnessOf = (id) => (id === workers[0]?.id ? "throws" : "ends");
  const receipt = await fleet.stop(names, { graceMs: 0 });
  expect(receipt).toMatchObject({ stoppedCount: 2, survivorCount: 1, proven: false });
  expect(receipt.why).toContain(`1 worker was not seen to end: ${workers[0]?.id} (a)`);
  expect(await fleet.worker(workers[0]?.id ?? "")).toMatchObject({ status: "stopping" });
});

test("[CV3] who does not end in its grace is a survivor, by name", async () => {
  const fleet = await openRoomy();
  const deaf = await fleet.start({ name: "deaf" });
  const gate = makeGate();
  const task = deaf.performTask(() => gate.passed);
  const receipt = await fleet.stop("deaf", { graceMs: 0 });
  expect(receipt).toMatchObject({ survivorCount: 1, stoppedCount: 0, proven: false });
  gate.open();
  await task;
});

test("[CV4] the blast radius names who is stopped, who is below, and who is orphaned", async () => {
  const fleet = await openRoomy();
  const root = await fleet.start({ name: "root" });
  const { worker: child } = granted(await root.maybeReplicate({ reason: "x", name: "child" }));
  const { worker: below } = granted(await child.maybeReplicate({ reason: "x", name: "below" }));
  await fleet.start({ name: "other" });
  const shown = async (ids: string | string[], tree: boolean): Promise<unknown> =>
    (await fleet.blastRadius(ids, { tree })).map(({ name, because }) => `${name} ${because}`);
  expect(await shown("child", false)).toEqual(["child named", "below orphaned"]);
  expect(await shown("root", true)).toEqual(["root named", "child descendant", "below descendant"]);
  expect(await shown(["below", "root"], false)).toEqual([
    "root named",
    "child orphaned",
    "below named",
  ]);
  expect(await shown("w-aaaaaaaaaaaaaaaa", true)).toEqual([]);
  expect((await fleet.blastRadius(below.id))[0]).toEqual({
    id: below.id,
    name: "below",
    parent: child.id,
    depth: 2,
    status: "running",
    because: "named",
  });
  expect(fleet.workers()).toHaveLength(4);
});

test.each([
  ["stop", ["child", "below"]],
  ["grandparent", ["child"]],
  ["keep", ["child"]],
] as const)(
  "[CV4] what a stop foretells under on_orphan %s is what it does",
  async (onOrphan, ended) => {
    const fleet = await openUnder({ onOrphan });
    const root = await fleet.start({ name: "root" });
    const { worker: child } = granted(await root.maybeReplicate({ reason: "x", name: "child" }));
    granted(await child.maybeReplicate({ reason: "x", name: "below" }));
    const foretold = await fleet.blastRadius("child", { tree: false });
    expect(foretold.map(({ name }) => name)).toEqual(ended);
    const receipt = await fleet.stop("child", { tree: false });
    expect(receipt.workers.map(({ name }) => name)).toEqual(ended);
    expect(receipt.proven).toBe(true);
    const left = fleet.workers().map(({ name }) => name);
    expect(left.toSorted()).toEqual(["root", "child", "below"].filter(isLeft(ended)).toSorted());
  },
);

function isLeft(ended: readonly string[]): (name: string) => boolean {
  return (name) => !ended.includes(name);
}
