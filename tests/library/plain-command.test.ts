import { memory, type Fleet } from "stint";
import { expect, test } from "vitest";
import { KEY } from "../support/scenario.ts";
import { closeAfterwards, entriesOf, kindsOf, openRoomy, rejectionOf } from "./rig.ts";

const instance = "w-aaaaaaaaaaaaaaaa";

const admit = {
  kind: "worker.admit",
  data: { instance, name: "a", parent: null, reason: "drill", state: {}, budget: {} },
};

async function codeOf(fleet: Fleet, command: unknown): Promise<string> {
  const answer = await fleet.submit(command);
  return answer.ok ? "granted" : answer.refusal.code;
}

test("[CV30] a command in the journal's own words answers its entries", async () => {
  const fleet = await openRoomy({ operator: "ada" });
  const answer = await fleet.submit({ kind: "fleet.pause", data: { reason: "drill" } });
  expect(answer).toMatchObject({
    ok: true,
    entries: [{ kind: "fleet.paused", data: { reason: "drill" }, actor: { id: "ada" } }],
  });
  const refused = await fleet.submit(admit);
  expect(refused).toMatchObject({ ok: false, refusal: { code: "fleet_paused" } });
  expect((await entriesOf(fleet)).at(-1)).toMatchObject({ kind: "command.refused" });
});

test("[CV31] an admission answers the sealed manifest, which is taken once", async () => {
  const fleet = await openRoomy();
  const admitted = await fleet.submit(admit);
  const envelope = admitted.ok ? admitted.envelope : undefined;
  expect(fleet.verifyManifest(envelope)).toMatchObject({ verdict: "valid" });
  const register = { kind: "worker.register", data: { envelope } };
  expect(await codeOf(fleet, register)).toBe("granted");
  expect(await codeOf(fleet, register)).toBe("manifest_used");
  expect(await codeOf(fleet, { kind: "worker.register", data: { envelope: "valid" } })).toBe(
    "manifest_invalid",
  );
  const claimed = { manifest: { instance }, envelope: "valid" };
  expect(
    (await rejectionOf(fleet.submit({ kind: "worker.register", data: claimed }))).message,
  ).toBe(
    "worker.register.manifest must be absent (it is in the envelope), got an object with instance",
  );
});

test("[CV32] the same command under the same id is decided once, another is refused", async () => {
  const fleet = await openRoomy();
  const note = { kind: "fleet.pause", data: { reason: "drill" } };
  const first = await fleet.submit(note, { id: "drill-1" });
  const again = await fleet.submit(note, { id: "drill-1" });
  expect(again).toEqual(first);
  const other = await fleet.submit({ ...note, data: { reason: "x" } }, { id: "drill-1" });
  expect(other).toMatchObject({ ok: false, refusal: { code: "command_mismatch" } });
  expect((await kindsOf(fleet)).filter((kind) => kind === "fleet.paused")).toHaveLength(1);
});

test.each([
  [7, /^command must be an object with kind and data, got 7/],
  [{ kind: "fleet.stop", data: {} }, /^command\.kind must be a kind of command/],
  [{ kind: "fleet.pause", data: {} }, /^fleet\.pause\.reason must be/],
  [
    {
      kind: "journal.sign",
      data: {
        at_seq: 1,
        head_hash: "a".repeat(64),
        state_hash: "a".repeat(64),
        key_id: "k",
        signature: "A".repeat(86),
      },
    },
    /^command\.kind must be one that may be given by hand \(heads are signed/,
  ],
  [{ kind: "key.rotate", data: { key: KEY } }, /^command\.kind must be one that may be given by/],
  [{ kind: "receipt.record", data: { receipt: {} } }, /^command\.kind must be one that may be/],
])("[CV33] the command %j is an InputError and writes nothing", async (command, message) => {
  const fleet = await openRoomy();
  const error = await rejectionOf(fleet.submit(command));
  expect(error.name).toBe("InputError");
  expect(error.message).toMatch(message);
  expect(await kindsOf(fleet)).toEqual(["fleet.created"]);
});

test("[CV33] an id that is none is an InputError", async () => {
  const fleet = await openRoomy();
  const command = { kind: "fleet.pause", data: { reason: "x" } };
  for (const id of ["", "x".repeat(129)])
    expect((await rejectionOf(fleet.submit(command, { id }))).message).toMatch(
      /^id must be a text/,
    );
});

test("[CV34] a start is named only where a supervisor is to start it", async () => {
  const fleet = await openRoomy({ store: memory() });
  const error = await rejectionOf(fleet.tryStart({ runId: "nightly" }));
  expect(error.message).toMatch(/^options\.runId must be absent \(only a supervisor starts/);
  expect((await rejectionOf(fleet.tryStart({ runId: "a b" }))).message).toMatch(
    /^options\.runId must be 1 to 64 letters/,
  );
  closeAfterwards(fleet);
});

test("[CV35] an operator starts a worker below a parent", async () => {
  const fleet = await openRoomy();
  const root = await fleet.start({ name: "root" });
  const child = await fleet.start({ name: "child", parent: "root" });
  expect(child).toMatchObject({ parent: root.id, depth: 1 });
  const refused = await fleet.tryStart({ parent: "w-aaaaaaaaaaaaaaaa" });
  expect(refused).toMatchObject({ ok: false, refusal: { code: "parent_unknown" } });
});
