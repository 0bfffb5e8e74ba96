import { randomUUID } from "node:crypto";
import { expect, test } from "vitest";
import type { Reply } from "../fixtures/ask.ts";
import { listen } from "../fixtures/listen.ts";
import { makeRig, type Rig } from "../rig.ts";

const SLEEP = ["/bin/sleep", "600"];

interface Order {
  readonly kind: string;
  readonly data: object;
}

/** Gives a command as a worker. */
function give(rig: Rig, id: string, command: Order): Promise<Reply> {
  return rig.worker(id, "/v1/commands", { id: `c-${randomUUID()}`, command });
}

/** Acquires a region as a worker; answers what the answer holds of it. */
async function acquire(rig: Rig, worker: string, region: string): Promise<Sighted> {
  const data = { holder: { worker }, region: [region], ttl_ms: 60_000 };
  const { body } = await give(rig, worker, { kind: "lease.acquire", data });
  return body.data as unknown as Sighted;
}

interface Sighted {
  readonly entries: readonly object[];
  readonly sighting: {
    readonly lease: { readonly id: string; readonly fence: number };
    readonly remaining_ms: number;
  };
}

test("[LB115] an answer says which lease is left, also where nothing was written", async () => {
  const rig = await makeRig();
  await rig.supervise();
  const id = await rig.start(SLEEP);
  const first = await acquire(rig, id, "src/**");
  expect(first.sighting).toMatchObject({
    lease: { holder: id, holder_kind: "worker", region: ["src/**"], is_live: true },
    remaining_ms: 60_000,
  });
  const again = await acquire(rig, id, "src/**");
  expect(again.entries).toEqual([]);
  expect(again.sighting.lease.id).toBe(first.sighting.lease.id);
  // What is left of it was looked at after the request had come.
  expect(again.sighting.remaining_ms).toBeLessThan(60_000);
  const named = { lease: first.sighting.lease.id, claim: { worker: id } };
  const renewed = await give(rig, id, { kind: "lease.renew", data: named });
  expect(renewed.body.data).toMatchObject({
    entries: [],
    sighting: { lease: { fence: again.sighting.lease.fence } },
  });
  const released = await give(rig, id, { kind: "lease.release", data: named });
  expect(released.body.data?.["sighting"]).toBeUndefined();
});

test("[LB115] a worker sees its own leases and those below it, no others", async () => {
  const rig = await makeRig();
  await rig.supervise();
  const [id, other] = [await rig.start(SLEEP), await rig.start(SLEEP)];
  const admission = { name: "child", reason: "more hands", network: "open" };
  const order = { id: "c", admission, run: SLEEP, cwd: "/", env: { SV_MARK: rig.mark } };
  const child = String((await rig.worker(id, "/v1/workers", order)).body.data?.["worker"]);
  const [own, below, foreign] = [
    await acquire(rig, id, "own/**"),
    await acquire(rig, child, "child/**"),
    await acquire(rig, other, "other/**"),
  ];
  const outside = await rig.fleet.acquire({ region: "docs/**", holder: "anna" });
  const listed = async (path: string): Promise<unknown> => {
    const { body } = await rig.worker(id, path);
    return (body.data as { leases: { id: string }[] }).leases.map((lease) => lease.id);
  };
  expect(await listed("/v1/leases")).toEqual([own.sighting.lease.id]);
  expect(await listed(`/v1/workers/${child}/leases`)).toEqual([below.sighting.lease.id]);
  const named = { lease: below.sighting.lease.id, claim: { worker: child } };
  await give(rig, child, { kind: "lease.release", data: named });
  expect(await listed(`/v1/workers/${child}/leases`)).toEqual([]);
  expect((await rig.worker(id, `/v1/leases/${named.lease}`)).body.data).toMatchObject({
    lease: { is_live: false, ended: { how: "released" } },
  });
  const hidden = [
    `/v1/leases/${foreign.sighting.lease.id}`,
    `/v1/leases/${outside.id}`,
    "/v1/leases/l-999",
    "/v1/leases/l-1",
    `/v1/workers/${other}/leases`,
    "/v1/workers/w-aaaaaaaaaaaaaaaa/leases",
  ];
  for (const path of hidden)
    expect(await rig.worker(id, path)).toMatchObject({
      status: 403,
      body: { refusal: { code: "not_authorised" } },
    });
  // Nor does a child see its parent's.
  expect((await rig.worker(child, "/v1/leases/" + own.sighting.lease.id)).status).toBe(403);
});

test("[LB115] a worker's token is good for its own leases alone", async () => {
  const rig = await makeRig();
  await rig.supervise();
  const [id, other] = [await rig.start(SLEEP), await rig.start(SLEEP)];
  const { sighting } = await acquire(rig, other, "other/**");
  const lease = sighting.lease.id;
  const asked: readonly [string, object][] = [
    ["lease.acquire", { holder: { worker: other }, region: ["x"], ttl_ms: 60_000 }],
    ["lease.renew", { lease, claim: { worker: other } }],
    ["lease.release", { lease, claim: { name: "anna" } }],
    ["lease.revoke", { lease, reason: "x" }],
    ["lanes.enact", { lanes: [], worktrees: "one_ground", require: false }],
    ["lease.hand_over", { lease, orphan: true, to: { worker: other } }],
  ];
  for (const [kind, data] of asked)
    expect((await give(rig, id, { kind, data })).body).toMatchObject({
      refusal: { code: "not_authorised" },
    });
});

/** What the lines of a stream say is held, each time that they do. */
function heldIn(lines: readonly string[]): readonly (readonly string[])[] {
  return lines.flatMap((line) => {
    const said = JSON.parse(line) as { kind: string; held?: { lease: string }[] };
    return said.kind === "leases" ? [(said.held ?? []).map(({ lease }) => lease)] : [];
  });
}

test("[LB116] a stream of signals says what is held, and when some is lost", async () => {
  const rig = await makeRig();
  await rig.supervise();
  const id = await rig.start(SLEEP);
  const early = listen(rig, id);
  await expect.poll(() => heldIn(early.lines)).toEqual([[]]);
  const [first, second, third] = [
    (await acquire(rig, id, "a")).sighting.lease.id,
    (await acquire(rig, id, "b")).sighting.lease.id,
    (await acquire(rig, id, "c")).sighting.lease.id,
  ];
  await rig.fleet.revoke(second, { reason: "x" });
  await expect.poll(() => heldIn(early.lines)).toEqual([[], [first, third]]);
  // Another one's leases are nothing to it, and whoever connects now hears how it stands.
  await (await rig.fleet.acquire({ region: "z", holder: "anna" })).release();
  await rig.fleet.lease(third, { worker: id }).handOver({ to: "anna" });
  await expect.poll(() => heldIn(early.lines)).toEqual([[], [first, third], [first]]);
  const late = listen(rig, id);
  await expect.poll(() => heldIn(late.lines)).toEqual([[first]]);
});

test("[LB114] a plain command that renews a lease is beaten for all the same", async () => {
  const rig = await makeRig({ beatEveryMs: 100, reapAfterMs: 1_000, silentAlive: "stop" });
  await rig.supervise();
  const plain = await rig.start(["/bin/sleep", "4"]);
  const { sighting } = await acquire(rig, plain, "src/**");
  const named = { lease: sighting.lease.id, claim: { worker: plain } };
  expect((await give(rig, plain, { kind: "lease.renew", data: named })).status).toBe(200);
  // It has promised no beats of its own, so its silence is none.
  expect(await rig.end(plain)).toMatchObject({ reason: "completed", outcome: { exitCode: 0 } });
  expect(await rig.entriesAbout(plain, "worker.staled")).toEqual([]);
});

test("[LB114] a worker that beats by itself stays alive by renewals of its lease", async () => {
  const rig = await makeRig({ beatEveryMs: 200, reapAfterMs: 800, silentAlive: "stop" });
  await rig.supervise();
  const id = await rig.start(SLEEP);
  const { sighting } = await acquire(rig, id, "src/**");
  const named = { lease: sighting.lease.id, claim: { worker: id } };
  // From here on it is not beaten for.
  await rig.worker(id, "/v1/worker/beat", {});
  const untilMs = performance.now() + 2_000;
  while (performance.now() < untilMs) {
    expect((await give(rig, id, { kind: "lease.renew", data: named })).status).toBe(200);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  expect(await rig.entriesAbout(id, "worker.staled")).toEqual([]);
  expect(await rig.end(id)).toMatchObject({ reason: "silent" });
});
