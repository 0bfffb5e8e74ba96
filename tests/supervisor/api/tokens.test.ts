import { randomUUID } from "node:crypto";
import { InputError, openFleet, Refused, sqlite, type LeaseHandle } from "stint";
import { expect, test } from "vitest";
import type { Reply } from "../fixtures/ask.ts";
import { makeRig, type Rig } from "../rig.ts";

const LONG = { ttlMs: 600_000 };

/** What the journal says, to everybody who reads it, of a lease's token. */
async function hashIn(rig: Rig, lease: LeaseHandle): Promise<string> {
  for (const { kind, seq, data } of await rig.entries())
    if (kind === "lease.granted" && `l-${seq}` === lease.id && "tokenHash" in data.holder)
      return data.holder.tokenHash;
  throw new Error(`${lease.id} must have been granted to an outside party`);
}

/** Every command that shows a token, by what it says of the lease. */
function asked(lease: string, claim: object): readonly (readonly [string, object])[] {
  return [
    ["lease.renew", { lease, claim, ttl_ms: 900_000 }],
    ["lease.narrow", { lease, claim, region: ["src/a/**"] }],
    ["lease.hand_over", { lease, claim, to: { worker: "w-aaaaaaaaaaaaaaaa" } }],
    ["lease.split", { lease, claim, region: ["src/b"], to: "w-aaaaaaaaaaaaaaaa", ttl_ms: 1_000 }],
    ["lease.release", { lease, claim }],
  ];
}

test("[SV33] whoever has read the hash of a token in the journal cannot show it", async () => {
  const rig = await makeRig();
  await rig.supervise();
  const lease = await rig.fleet.acquire({ region: "src/**", holder: "anna", ...LONG });
  const token_hash = await hashIn(rig, lease);
  const worker = await rig.start(["/bin/sleep", "600"]);
  const before = (await rig.entries()).length;
  for (const claim of [{ token_hash }, { name: "anna", token_hash }, { token_hash, token: "x" }])
    for (const [kind, data] of asked(lease.id, claim)) {
      const order = { id: `c-${randomUUID()}`, command: { kind, data } };
      const replies: readonly Reply[] = [
        await rig.command(kind, data),
        await rig.worker(worker, "/v1/commands", order),
      ];
      for (const { status, body } of replies) {
        expect([kind, status, body.error?.code]).toEqual([kind, 400, "usage"]);
        expect(body.error?.message).toContain(`${kind}.claim.token_hash must be absent`);
        expect(JSON.stringify(body)).not.toContain(token_hash);
      }
    }
  expect(await rig.entries()).toHaveLength(before);
  // Nor is the hash a token.
  const { body } = await rig.command("lease.release", {
    lease: lease.id,
    claim: { token: token_hash },
  });
  expect(body.refusal?.code).toBe("holder_mismatch");
});

test("[SV33] the socket takes the token itself, and journals its hash alone", async () => {
  const rig = await makeRig();
  await rig.supervise();
  const lease = await rig.fleet.acquire({ region: "src/**", holder: "anna", ...LONG });
  const token = lease.token ?? "";
  const wrong = await rig.command("lease.renew", {
    lease: lease.id,
    claim: { token: `${token}x` },
  });
  expect(wrong.body.refusal?.code).toBe("holder_mismatch");
  const renewed = await rig.command("lease.renew", {
    lease: lease.id,
    claim: { name: "anna", token },
    ttl_ms: 1_200_000,
  });
  expect(renewed.body).toMatchObject({ ok: true, data: { entries: [{ kind: "lease.renewed" }] } });
  const text = JSON.stringify(await rig.entries());
  expect(text).toContain(await hashIn(rig, lease));
  expect(text).not.toContain(token);
  // What is no text is not said in the answer: it may be a token for all that.
  const none = await rig.command("lease.renew", { lease: lease.id, claim: { token: [token] } });
  expect(none.body.error?.message).toBe(
    "lease.renew.claim.token must be a text, got something else",
  );
});

test("[SV33] a worker's socket takes no token: it is no outside party", async () => {
  const rig = await makeRig();
  await rig.supervise();
  const lease = await rig.fleet.acquire({ region: "src/**", holder: "anna", ...LONG });
  const worker = await rig.start(["/bin/sleep", "600"]);
  const command = {
    kind: "lease.release",
    data: { lease: lease.id, claim: { token: lease.token } },
  };
  const { body } = await rig.worker(worker, "/v1/commands", { id: "c-1", command });
  expect(body.refusal?.code).toBe("not_authorised");
  expect(lease.view().isLive).toBe(true);
});

test("[SV33] a plain command takes a token and no hash, supervised or not", async () => {
  const rig = await makeRig();
  const supervised = await openFleet({ store: sqlite({ dir: rig.stateDir }), steward: false });
  try {
    for (const fleet of [rig.fleet, supervised]) {
      if (fleet === supervised) await rig.supervise();
      const lease = await fleet.acquire({ region: "src/**", holder: "anna", ...LONG });
      const release = (claim: object) =>
        fleet.submit({ kind: "lease.release", data: { lease: lease.id, claim } });
      const hashed = release({ token_hash: await hashIn(rig, lease) });
      await expect(hashed).rejects.toThrow(InputError);
      await expect(release({ worker: "w-aaaa", token: "x" })).rejects.toThrow(InputError);
      expect(await release({ token: "x" })).toMatchObject({
        refusal: { code: "holder_mismatch" },
      });
      expect(await release({ token: lease.token })).toMatchObject({ ok: true });
      await expect(lease.renew()).rejects.toThrow(Refused);
    }
  } finally {
    await supervised.close();
  }
});

test("[SV33] what the library is shown goes through a supervisor as it is", async () => {
  const rig = await makeRig();
  await rig.supervise();
  const fleet = await openFleet({ store: sqlite({ dir: rig.stateDir }), steward: false });
  try {
    const lease = await fleet.acquire({ region: "src/**", holder: "anna", ...LONG });
    const token = lease.token ?? "";
    await fleet.lease(lease.id, { token }).renew({ ttlMs: 1_200_000 });
    for (const shown of ["", "\ud800", `${token} `]) {
      const asked = fleet.lease(lease.id, { token: shown }).renew();
      await expect(asked).rejects.toMatchObject({ code: "holder_mismatch" });
    }
    const adopted = await fleet.adopt({ lease: lease.id, token, holder: "bob" });
    await adopted.narrow("src/a/**");
    const given = await adopted.handOver({ to: "cleo" });
    await fleet.lease(lease.id, { token: given.token ?? "" }).release();
    // All of it was decided by the supervisor, whose word for who asked that is.
    const decided = (await rig.entries()).filter(({ kind }) => kind.startsWith("lease."));
    expect(decided.map(({ actor }) => actor.claimed)).toEqual(
      decided.map(() => ["host", "uid", "user"]),
    );
    expect(decided.map(({ kind }) => kind)).toEqual([
      "lease.granted",
      "lease.renewed",
      "lease.handed_over",
      "lease.narrowed",
      "lease.handed_over",
      "lease.released",
    ]);
  } finally {
    await fleet.close();
  }
});
