import { rm } from "node:fs/promises";
import { sqlite } from "stint";
import { expect, test } from "vitest";
import { tokenHash } from "../../../src/library/ground/shown-token.ts";
import { permitFile } from "../../../src/system/places.ts";
import { makeFolder, openRoomy } from "../rig.ts";

const WANTED = {
  holder: { name: "ann", nonce: "n".repeat(26), token_hash: "0".repeat(64) },
  region: ["src/**"],
  ttl_ms: 60_000,
};

test("[LB70] without its permit a fleet grants nothing, kill journaled or not (I3)", async () => {
  for (const isByHand of [false, true]) {
    const dir = makeFolder();
    await using fleet = await openRoomy({ store: sqlite({ dir }) });
    await rm(permitFile(dir, fleet.id));
    const answer = isByHand
      ? await fleet.submit({ kind: "lease.acquire", data: WANTED })
      : await fleet.tryAcquire({ region: "src/**", holder: "ann" });
    expect(answer).toMatchObject({ ok: false, refusal: { code: "fleet_killed" } });
    expect(fleet.leases()).toEqual([]);
    expect(fleet.status).toBe("killed");
  }
});

test("[LB70] nor does who waits get anything in its turn (I3)", async () => {
  const dir = makeFolder();
  await using fleet = await openRoomy({ store: sqlite({ dir }) });
  const held = await fleet.acquire({ region: "src/**", holder: "eve" });
  const queued = await fleet.submit({
    kind: "lease.acquire",
    data: { ...WANTED, holder: { ...WANTED.holder, token_hash: tokenHash("t") }, wait_ms: 600_000 },
  });
  expect(queued).toMatchObject({ ok: true });
  const keep = { place: `q-${queued.seq}`, claim: { name: "ann", token: "t" } };
  await held.release();
  await rm(permitFile(dir, fleet.id));
  const answer = await fleet.submit({ kind: "place.keep", data: keep });
  expect(answer).toMatchObject({ ok: false, refusal: { code: "fleet_killed" } });
  expect(fleet.leases()).toEqual([]);
});
