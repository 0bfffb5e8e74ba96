import * as fc from "fast-check";
import { expect, test } from "vitest";
import { RULES } from "../../src/kernel/entry.ts";
import type { Snapshot } from "../../src/ports/journal.ts";
import { sha256Of } from "../../src/runtime/canonical.ts";
import { replay } from "../../src/runtime/replay.ts";
import { isHeadSignedBy, signHead } from "../../src/runtime/signing/signed-head.ts";
import { encodeState } from "../../src/runtime/state-codec.ts";
import { openSigner } from "../../src/signing/signer.ts";
import { FaultyJournal } from "./faulty-journal.ts";
import { admit, begin, granted, KILL, note, OPERATOR, PAUSE, RESUME, Rig, SIGNER } from "./rig.ts";
import { play, scripts } from "./script.ts";

const OTHER = openSigner("another secret, of somebody else");

/** The places that signed heads of a journal name. */
async function signedSeqs(rig: Rig): Promise<readonly number[]> {
  const entries = await rig.entries();
  return entries.flatMap((entry) => (entry.kind === "journal.signed" ? [entry.data.at_seq] : []));
}

/** A journal with a few workers and a signed snapshot, and what its entries fold to. */
async function signed(rig: Rig): Promise<Snapshot> {
  const loop = await rig.found();
  for (const name of ["a", "b", "c"]) await begin(loop, name);
  await loop.close();
  const [newest] = await rig.journal.snapshots();
  if (newest === undefined) throw new Error("a closed loop must leave a snapshot");
  return newest;
}

test("[SN4] a head is signed after so many entries, with the hash of the state there", async () => {
  const rig = new Rig();
  const loop = await rig.found({}, { signEveryEntries: 10 });
  await begin(loop, "a");
  for (let count = 0; count < 30; count += 1) {
    await granted(loop.submit(note("a"), OPERATOR));
    await rig.timers.settle();
  }
  // The first is that of the fleet's making.
  expect(await signedSeqs(rig)).toEqual([1, 11, 21, 31]);
  const snapshots = await rig.journal.snapshots();
  expect(snapshots.map(({ seq }) => seq)).toEqual([31, 21, 11]);
  for (const entry of await rig.entries()) {
    if (entry.kind !== "journal.signed") continue;
    const { state, stateHash, head } = await replay(rig.journal, { untilSeq: entry.data.at_seq });
    expect(entry.data).toMatchObject({ head_hash: head.hash, state_hash: stateHash });
    expect(stateHash).toBe(sha256Of(encodeState(state)));
    expect(isHeadSignedBy(SIGNER, entry.data)).toBe(true);
    expect(isHeadSignedBy(OTHER, entry.data)).toBe(false);
    for (const change of [{ at_seq: 1_000 }, { head_hash: "0" }, { state_hash: "0" }])
      expect(isHeadSignedBy(SIGNER, { ...entry.data, ...change })).toBe(false);
    const renamed = { ...SIGNER, key: { ...SIGNER.key, key_id: "another" } };
    expect(isHeadSignedBy(SIGNER, signHead(renamed, head, stateHash))).toBe(false);
    expect(entry.actor).toEqual({ kind: "system", via: "runtime" });
  }
  await loop.close();
});

test("[SN5] a loop that closes signs what is not signed, once", async () => {
  const rig = new Rig();
  const loop = await rig.found();
  await granted(loop.submit(PAUSE, OPERATOR));
  await loop.close();
  const before = await rig.entries();
  expect(before.map(({ kind }) => kind)).toEqual([
    "fleet.created",
    "journal.signed",
    "fleet.paused",
    "journal.signed",
  ]);
  // Nothing happened since: there is nothing to sign, however often somebody comes by.
  for (let count = 0; count < 3; count += 1) await (await rig.open()).close();
  expect(await rig.entries()).toEqual(before);
});

test("[SN6] opening reads no further back than a snapshot that is vouched for", async () => {
  let journal: FaultyJournal | undefined;
  const rig = new Rig((inner) => (journal = new FaultyJournal(inner)));
  const { seq } = await signed(rig);
  expect(seq).toBeGreaterThan(6);
  journal?.readSeqs.splice(0);
  const loop = await rig.open();
  expect(Math.min(...(journal?.readSeqs ?? [0]))).toBe(seq);
  expect(encodeState(loop.state())).toBe(encodeState((await replay(rig.journal)).state));
  await loop.close();
});

const forgeries: readonly (readonly [string, (real: Snapshot) => Partial<Snapshot>])[] = [
  ["of other rules", () => ({ rules: RULES + 1 })],
  [
    "with another state",
    (real) => ({ state: real.state.replace('"live_count":3', '"live_count":0') }),
  ],
  [
    "with another state and its hash",
    (real) => rehashed(real.state.replace('"live_count":3', '"live_count":0')),
  ],
  ["that is no state", () => rehashed("{}")],
  ["of another entry", () => ({ hash: "f".repeat(64) })],
];

function rehashed(state: string): Partial<Snapshot> {
  return { state, stateHash: sha256Of(state) };
}

/** Has a store serve a snapshot first that it would not have kept itself. */
function serve(rig: Rig, snapshot: Snapshot): void {
  const kept = rig.journal.snapshots.bind(rig.journal);
  rig.journal.snapshots = async () => [snapshot, ...(await kept())];
}

test.each(forgeries)("[SN7] a snapshot %s is passed over (replication F5)", async (_, forge) => {
  const rig = new Rig();
  const real = await signed(rig);
  serve(rig, { ...real, ...forge(real) });
  const loop = await rig.open();
  expect(rig.warnings).toContain("a snapshot was passed over: no signed head vouches for it");
  expect(encodeState(loop.state())).toBe(encodeState((await replay(rig.journal)).state));
  expect(loop.state().live_count).toBe(3);
  await loop.close();
});

test("[SN7] a snapshot that another key vouches for is passed over (replication F5)", async () => {
  const rig = new Rig();
  const real = await signed(rig);
  const loop = await rig.open();
  const head = { seq: real.seq, hash: real.hash };
  const forged = real.state.replace('"status":"open"', '"status":"none"');
  const stateHash = sha256Of(forged);
  serve(rig, { ...real, state: forged, stateHash });
  // Under its own name the other key does not even get into the journal.
  const open = signHead(OTHER, head, stateHash);
  const refused = await loop.submit({ kind: "journal.sign", data: open }, OPERATOR);
  expect(refused).toMatchObject({ ok: false, refusal: { code: "not_authorised" } });
  for (const statement of [
    { ...signHead(OTHER, head, stateHash), key_id: SIGNER.key.key_id },
    { ...signHead(SIGNER, head, real.stateHash), state_hash: stateHash },
  ])
    await granted(loop.submit({ kind: "journal.sign", data: statement }, OPERATOR));
  await loop.close();
  const opened = await rig.open();
  expect(opened.state().status).toBe("open");
  expect(opened.state().live_count).toBe(3);
  await opened.close();
});

test("[SN8] an older snapshot that is vouched for is taken when the newest is not", async () => {
  let journal: FaultyJournal | undefined;
  const rig = new Rig((inner) => (journal = new FaultyJournal(inner)));
  const { seq } = await signed(rig);
  const loop = await rig.open();
  await granted(loop.submit(PAUSE, OPERATOR));
  const { seq: newSeq, hash } = loop.head();
  // As after a crash between saving and signing.
  const state = encodeState(loop.state());
  await rig.journal.saveSnapshot({
    seq: newSeq,
    hash,
    rules: RULES,
    state,
    stateHash: sha256Of(state),
  });
  journal?.readSeqs.splice(0);
  const opened = await rig.open();
  expect(opened.state().status).toBe("paused");
  expect(Math.min(...(journal?.readSeqs ?? [0]))).toBe(seq);
  await Promise.all([loop.close(), opened.close()]);
});

test("[SN9] a journal that ends before one of its snapshots has lost entries", async () => {
  const rig = new Rig();
  const real = await signed(rig);
  serve(rig, { ...real, seq: 1_000 });
  await expect(rig.open()).rejects.toMatchObject({
    name: "Fault",
    code: "journal_truncated",
    message: expect.stringContaining("of which it holds a snapshot") as string,
  });
});

test("[SN10] another secret than the fleet's does not open its journal", async () => {
  const rig = new Rig();
  await signed(rig);
  await expect(rig.open({ signer: OTHER })).rejects.toMatchObject({
    name: "Fault",
    code: "key_mismatch",
  });
  // An empty journal has no key yet.
  const empty = new Rig();
  await (await empty.open({ signer: OTHER })).close();
});

test("[SN11] after a rotation the new key signs, and only it opens the journal", async () => {
  const rig = new Rig();
  const loop = await rig.found();
  await granted(loop.submit({ kind: "key.rotate", data: { key: OTHER.key } }, OPERATOR));
  await rig.timers.settle();
  // The old key no longer vouches for anything.
  expect(await signedSeqs(rig)).toEqual([1]);
  const rotatedSeq = loop.head().seq;
  loop.useSigner(OTHER);
  await rig.timers.settle();
  expect(await signedSeqs(rig)).toEqual([1, rotatedSeq]);
  await granted(loop.submit(admit("a"), OPERATOR));
  await loop.close();
  await expect(rig.open()).rejects.toMatchObject({ code: "key_mismatch" });
  const opened = await rig.open({ signer: OTHER });
  expect(opened.state().live_count).toBe(1);
  await opened.close();
});

test("[SN12] a head that cannot be signed fails no command, and no close", async () => {
  const rig = new Rig();
  const loop = await rig.found();
  rig.journal.saveSnapshot = () => Promise.reject(new Error("no room"));
  await granted(loop.submit(KILL, OPERATOR));
  await loop.close();
  expect(rig.warnings).toContain("the journal's head could not be signed");
  const opened = await rig.open();
  expect(opened.state().status).toBe("killed");
  await opened.close();
});

test("[SN13] snapshot and tail give the fold of all entries", async () => {
  await fc.assert(
    fc.asyncProperty(scripts(30), scripts(10), async (before, after) => {
      const rig = new Rig();
      const first = await rig.found({ max_replicas: 5 }, { signEveryEntries: 7 });
      await play(rig, first, before);
      await first.close();
      const second = await rig.open();
      await play(rig, second, after);
      const { state, stateHash } = await replay(rig.journal);
      expect(encodeState(second.state())).toBe(encodeState(state));
      const third = await rig.open();
      expect(sha256Of(encodeState(third.state()))).toBe(stateHash);
      await Promise.all([second.close(), third.close()]);
    }),
    { numRuns: 40 },
  );
});

test("[SN14] loops that sign at the same time do each other no harm", async () => {
  const rig = new Rig();
  const loops = [await rig.found({}, { signEveryEntries: 5 })];
  loops.push(await rig.open({ signEveryEntries: 5 }), await rig.open({ signEveryEntries: 5 }));
  for (let count = 0; count < 10; count += 1) {
    const command = count % 2 === 0 ? PAUSE : RESUME;
    await Promise.all(loops.map((loop) => loop.submit(command, OPERATOR)));
  }
  await Promise.all(loops.map((loop) => loop.close()));
  const opened = await rig.open();
  expect(encodeState(opened.state())).toBe(encodeState((await replay(rig.journal)).state));
  await opened.close();
});
