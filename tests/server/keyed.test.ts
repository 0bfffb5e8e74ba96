// What is asked twice under one key, of servers that do not remember it.
import { afterEach, beforeEach, expect, test } from "vitest";
import { hashSecret } from "../../src/library/access/fresh-token.ts";
import { serveFleet, type Asking, type ServedFleet } from "./rig.ts";

let first: ServedFleet;
let second: ServedFleet;
let operator: string;

beforeEach(async () => {
  first = await serveFleet();
  const { store } = first.opened.member.seat;
  // As after a restart: the same fleet, and a server that has met no request yet.
  second = await serveFleet({ store: { kind: "memory", open: async () => store } });
  operator = await first.token("operator");
});

afterEach(async () => {
  await second.close();
  await first.close();
});

function keyed(body: object): Asking {
  const headers = { "Idempotency-Key": "once" };
  return { method: "POST", token: operator, body, headers };
}

test("[HA7] a stop by name stops nobody else who has taken the name since", async () => {
  const { fleet } = first.opened;
  const ada = await fleet.start({ name: "ada" });
  const stop = keyed({ workers: ["ada"], reason: "once", grace_ms: 0 });
  const receipt = await (await first.ask("/v1/stop", stop)).json();
  expect(receipt).toMatchObject({ workers: [{ id: ada.id }] });
  const next = await fleet.start({ name: "ada" });
  // The very receipt that the first answer had, from the journal.
  expect(await (await second.ask("/v1/stop", stop)).json()).toEqual(receipt);
  const other = keyed({ workers: ["ada"], reason: "another", grace_ms: 0 });
  expect((await second.ask("/v1/stop", other)).status).toBe(409);
  expect((await fleet.worker(next.id))?.status).toBe("running");
});

test("[HA7] of several that were to stop, who was not yet told is told by a repeat", async () => {
  const { fleet } = first.opened;
  const [ada, bob] = [await fleet.start({ name: "ada" }), await fleet.start({ name: "bob" })];
  const some = await first.ask("/v1/stop", keyed({ workers: ["ada"], grace_ms: 0 }));
  expect(some.status).toBe(200);
  const both = await second.ask("/v1/stop", keyed({ workers: ["ada", "bob"], grace_ms: 0 }));
  expect(await both.json()).toMatchObject({ workers: [{ id: bob.id }] });
  expect((await fleet.worker(ada.id))?.status).toBe("stopped");
});

test("[HA7] a quarantine that was lifted meanwhile is not put on again", async () => {
  const { fleet } = first.opened;
  const ada = await fleet.start({ name: "ada" });
  const order = keyed({ reason: "once", tree: true });
  expect((await first.ask("/v1/workers/ada/quarantine", order)).status).toBe(200);
  const lift = keyed({});
  expect((await first.ask("/v1/workers/ada/unquarantine", lift)).status).toBe(200);
  expect((await second.ask("/v1/workers/ada/quarantine", order)).status).toBe(200);
  expect((await fleet.worker(ada.id))?.quarantine).toBeNull();
});

test("[HA7] a token is issued once, and its secret told to who lost the answer", async () => {
  const order = keyed({ role: "viewer", lifetime_ms: 60_000 });
  const issued = await (await first.ask("/v1/tokens", order)).json();
  expect(await (await second.ask("/v1/tokens", order)).json()).toEqual(issued);
  const { secret, token } = issued as { readonly secret: string; readonly token: string };
  expect((await second.ask("/v1/fleet", { token: secret })).status).toBe(200);
  const { access } = await first.opened.member.seat.loop.look();
  expect(access.get(token)?.hash).toBe(hashSecret(secret));
  const other = await second.ask("/v1/tokens", keyed({ role: "viewer", lifetime_ms: 70_000 }));
  expect(other.status).toBe(409);
  // Another's key is another key, and gives another secret.
  const stranger = await first.token("operator");
  const theirs = await second.ask("/v1/tokens", { ...order, token: stranger });
  expect(((await theirs.json()) as { readonly secret: string }).secret).not.toBe(secret);
});
