import { randomUUID } from "node:crypto";
import { expect, test } from "vitest";
import type { Reply } from "../fixtures/ask.ts";
import { makeRig, type Rig } from "../rig.ts";

const SLEEP = ["/bin/sleep", "600"];

/** Gives commands as a worker, held back for their turn where that is said. */
function giver(rig: Rig, id: string): (command: object, turn?: string) => Promise<Reply> {
  return (command, turn = "") =>
    rig.worker(id, `/v1/commands${turn}`, { id: `c-${randomUUID()}`, command });
}

test("[WK13] a worker waits through its socket, and is answered in its turn", async () => {
  const rig = await makeRig();
  await rig.supervise();
  const [id, other] = [await rig.start(SLEEP), await rig.start(SLEEP)];
  const [give, giveOther] = [giver(rig, id), giver(rig, other)];
  const held = await rig.fleet.acquire({ region: "src/**", holder: "anna" });
  const data = { holder: { worker: id }, region: ["src/a"], ttl_ms: 60_000, wait_ms: 600_000 };
  const queued = await give({ kind: "lease.acquire", data });
  expect(queued.body.data).toMatchObject({ entries: [{ kind: "place.queued" }] });
  const place = `q-${String(queued.body.seq)}`;
  const keep = { kind: "place.keep", data: { place, claim: { worker: id } } };
  expect((await give(keep, "?turn_ms=20")).body.data).toMatchObject({ entries: [] });
  expect((await giveOther(keep)).body).toMatchObject({
    refusal: { code: "not_authorised" },
  });
  const turn = give(keep, "?turn_ms=10000");
  await held.release();
  expect((await turn).body.data).toMatchObject({
    entries: [{ kind: "lease.granted", data: { place } }],
    sighting: { lease: { holder: id, region: ["src/a"] } },
  });
  // Asked again, as after an answer that was lost: the same lease, and nothing written.
  expect((await give(keep)).body.data).toMatchObject({
    entries: [],
    sighting: { lease: { holder: id } },
  });
});

test("[WK13] how long it may be held back is bounded", async () => {
  const rig = await makeRig();
  await rig.supervise();
  const id = await rig.start(SLEEP);
  const keep = { kind: "place.keep", data: { place: "q-9", claim: { worker: id } } };
  for (const turn of ["?turn_ms=10001", "?turn_ms=-1", "?turn_ms=x"])
    expect(await giver(rig, id)(keep, turn)).toMatchObject({
      status: 400,
      body: { error: { code: "usage" } },
    });
});
