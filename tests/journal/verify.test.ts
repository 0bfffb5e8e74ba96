import { createHash, generateKeyPairSync, sign, verify, type KeyObject } from "node:crypto";
import canonicalize from "canonicalize";
import { expect, test } from "vitest";
import { memoryJournal } from "../../src/journal/memory.ts";
import { verifyJournal } from "../../src/journal/verify.ts";
import type { KeyRecord } from "../../src/kernel/command.ts";
import type { Event } from "../../src/kernel/event.ts";
import { DEFAULT_CONTRACT } from "../../src/kernel/fleet/contract.ts";
import type { Draft, Head, Journal } from "../../src/ports/journal.ts";
import { FakeClock } from "../../src/testing/fake-clock.ts";
import { appendAll, appendNotes, noteDraft } from "../../src/testing/journal/case.ts";

interface Key {
  readonly record: KeyRecord;
  readonly secret: KeyObject;
}

function makeKey(keyId: string): Key {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const { x = "" } = publicKey.export({ format: "jwk" });
  return { record: { key_id: keyId, public_key: x }, secret: privateKey };
}

function verifySignature(bytes: Uint8Array, signature: string, publicKey: string): boolean {
  const key = { key: { kty: "OKP", crv: "Ed25519", x: publicKey }, format: "jwk" } as const;
  return verify(null, bytes, key, Buffer.from(signature, "base64url"));
}

const first = makeKey("k-first");
const second = makeKey("k-second");

function draft(id: string, event: Event): Draft {
  return { ...noteDraft(id, ""), command: null, event };
}

function created({ record }: Key): Draft {
  const data = {
    fleet: "f",
    name: "f",
    contract: DEFAULT_CONTRACT,
    contract_hash: "",
    key: record,
  };
  return draft("c-create", { kind: "fleet.created", data });
}

function rotated({ record }: Key): Draft {
  return draft("c-rotate", { kind: "key.rotated", data: { key: record } });
}

function signed(id: string, key: Key, { seq, hash }: Head): Draft {
  const statement = {
    at_seq: seq,
    head_hash: hash,
    state_hash: createHash("sha256").update("state").digest("hex"),
    key_id: key.record.key_id,
  };
  const bytes = Buffer.from(canonicalize(statement) ?? "");
  const signature = sign(null, bytes, key.secret).toString("base64url");
  return draft(id, { kind: "journal.signed", data: { ...statement, signature } });
}

async function begin(): Promise<Journal> {
  const journal = memoryJournal({ clock: new FakeClock() });
  await appendAll(journal, [created(first)]);
  return journal;
}

test("[JN32] an empty journal and one without signed heads have no anchor", async () => {
  const journal = memoryJournal({ clock: new FakeClock() });
  const head = { seq: 0, hash: "0".repeat(64) };
  const nothing = { signedCount: 0, anchor: null };
  expect(await verifyJournal(journal, { verifySignature })).toEqual({
    ...nothing,
    head,
    entryCount: 0,
    unanchoredCount: 0,
  });
  await appendAll(journal, [created(first)]);
  expect(await verifyJournal(journal, { verifySignature })).toEqual({
    ...nothing,
    head: await journal.head(),
    entryCount: 1,
    unanchoredCount: 1,
  });
});

test("[JN32] the newest signed head is the anchor, also after a rotation", async () => {
  const journal = await begin();
  await appendNotes(journal, 3);
  await appendAll(journal, [signed("c-s1", first, await journal.head())]);
  await appendAll(journal, [rotated(second)]);
  const head = await journal.head();
  await appendAll(journal, [noteDraft("c-n", "meanwhile")]);
  await appendAll(journal, [signed("c-s2", second, head)]);
  await appendAll(journal, [noteDraft("c-m", "after")]);

  const visited: number[] = [];
  const progress: number[][] = [];
  const found = await verifyJournal(journal, {
    verifySignature,
    key: second.record,
    visit: (entry) => visited.push(entry.seq),
    onProgress: (...seqs) => progress.push(seqs),
  });
  expect(found).toEqual({
    head: await journal.head(),
    signedCount: 2,
    anchor: { seq: 8, atSeq: 6, keyId: "k-second" },
    entryCount: 9,
    unanchoredCount: 3,
  });
  expect(visited).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
  expect(progress).toEqual([[9, 9]]);
});

test("[JN32] a journal that ends under another key is a key_mismatch", async () => {
  const journal = await begin();
  const other = { ...second.record, key_id: first.record.key_id };
  for (const key of [second.record, other]) {
    await expect(verifyJournal(journal, { verifySignature, key })).rejects.toMatchObject({
      code: "key_mismatch",
    });
  }
  await verifyJournal(journal, { verifySignature, key: first.record });
});

test.each<[string, (journal: Journal) => Promise<Draft>]>([
  [
    "signed by another key under its name",
    async (journal) => signed("c-s", { ...first, secret: second.secret }, await journal.head()),
  ],
  ["signed by a key not in force", async (journal) => signed("c-s", second, await journal.head())],
  [
    "over another entry's hash",
    async (journal) => signed("c-s", first, { ...(await journal.head()), seq: 2 }),
  ],
  [
    "over an entry that comes after it",
    async () => signed("c-s", first, { seq: 9, hash: "f".repeat(64) }),
  ],
  ["over no entry", async () => signed("c-s", first, { seq: 0, hash: "0".repeat(64) })],
  [
    "with a signature that is none",
    async (journal) => {
      const one = signed("c-s", first, await journal.head());
      if (one.event.kind !== "journal.signed") throw new Error("it is a signed head");
      const data = { ...one.event.data, signature: "AAAA" };
      return { ...one, event: { kind: "journal.signed", data } };
    },
  ],
])("[JN32] a head %s is journal_corrupt (replication F5)", async (_, make) => {
  const journal = await begin();
  await appendNotes(journal, 3);
  await appendAll(journal, [await make(journal)]);
  await expect(verifyJournal(journal, { verifySignature })).rejects.toMatchObject({
    code: "journal_corrupt",
    message: expect.stringContaining("entry 5") as string,
  });
});

test("[JN32] a key rotated away signs nothing any more", async () => {
  const journal = await begin();
  await appendAll(journal, [rotated(second)]);
  await appendAll(journal, [signed("c-s", first, await journal.head())]);
  await expect(verifyJournal(journal, { verifySignature })).rejects.toMatchObject({
    code: "journal_corrupt",
  });
});
