import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { LIMITS } from "../../kernel/limits.ts";
import { GENESIS, GENESIS_HASH, type Journal } from "../../ports/journal.ts";
import { appendAll, appendNotes, headOf, isFault, journalCase, noteDraft } from "./case.ts";

/** What a journal owes whoever appends to it. */
export const APPEND_CASES = [
  journalCase("[JN1] an empty journal has the genesis head and no entries", async ({ journal }) => {
    assert.deepEqual(await journal.head(), GENESIS);
    assert.deepEqual(await journal.read(GENESIS, 10), []);
    assert.deepEqual(await journal.readStored(0, 10), []);
    await journal.inspect();
  }),

  journalCase(
    "[JN1] appends follow each other without a gap and move the head",
    async ({ journal, clock }) => {
      const [first] = await appendAll(journal, [noteDraft("c-1", "one")]);
      const rest = await appendAll(journal, [noteDraft("c-2", "two"), noteDraft("c-3", "three")]);
      const entries = [first, ...rest];
      assert.deepEqual(
        entries.map((entry) => entry?.seq),
        [1, 2, 3],
      );
      assert.deepEqual(
        entries.map((entry) => entry?.prev),
        [GENESIS_HASH, first?.hash, rest[0]?.hash],
      );
      assert.equal(first?.at_ms, clock.wallMs);
      assert.deepEqual(await journal.head(), { seq: 3, hash: rest[1]?.hash });
      assert.deepEqual(await journal.read(GENESIS, 10), entries);
    },
  ),

  journalCase("[JN1] an append that makes nothing writes nothing", async ({ journal, clock }) => {
    const outcome = await journal.append(GENESIS, () => []);
    assert.deepEqual(outcome, { kind: "appended", atMs: clock.wallMs, entries: [] });
    assert.deepEqual(await journal.head(), GENESIS);
  }),

  journalCase("[JN2] an append at a head that has moved writes nothing", async ({ journal }) => {
    const [entry] = await appendNotes(journal, 1);
    let isMade = false;
    const outcome = await journal.append(GENESIS, () => {
      isMade = true;
      return [noteDraft("c-late", "late")];
    });
    assert.deepEqual(outcome, { kind: "moved", head: { seq: 1, hash: entry?.hash } });
    assert.equal(isMade, false);
    assert.equal((await journal.head()).seq, 1);
    assert.equal(await journal.recall("c-late"), undefined);
  }),

  journalCase("[JN2] of callers that expect the same head one wins", async ({ journal }) => {
    const callers = Array.from({ length: 16 }, (_, index) => noteDraft(`c-${index}`, "mine"));
    const outcomes = await Promise.all(
      callers.map((draft) => journal.append(GENESIS, () => [draft])),
    );
    assert.equal(outcomes.filter((outcome) => outcome.kind === "appended").length, 1);
    assert.equal((await journal.head()).seq, 1);
  }),

  journalCase("[JN3] an append whose make throws writes nothing", async ({ journal }) => {
    const error = new Error("the rules broke");
    const append = journal.append(GENESIS, () => {
      throw error;
    });
    await assert.rejects(append, error);
    assert.deepEqual(await journal.head(), GENESIS);
    await appendNotes(journal, 1);
  }),

  journalCase("[JN3] a draft that is no JSON spoils its whole batch", async ({ journal }) => {
    const bad = { ...noteDraft("c-2", "two"), rules: Number.NaN };
    await assert.rejects(appendAll(journal, [noteDraft("c-1", "one"), bad]), /NaN/);
    assert.deepEqual(await journal.head(), GENESIS);
    assert.equal(await journal.recall("c-1"), undefined);
  }),

  journalCase("[JN4] the stored text is canonical and hashed as it is", async ({ journal }) => {
    const draft = noteDraft("c-1", 'ü 😀 "\\\n');
    const [entry] = await appendAll(journal, [draft]);
    const [stored] = await journal.readStored(0, 1);
    assert.ok(stored !== undefined && entry !== undefined);
    const { hash, ...fields } = entry;
    assert.equal(stored.text, canonical(fields));
    assert.equal(stored.hash, createHash("sha256").update(stored.text, "utf8").digest("hex"));
    assert.equal(hash, stored.hash);
    assert.deepEqual(fields.data, draft.event.data);
  }),

  journalCase("[JN8] a command id is decided once", async ({ journal }) => {
    await appendNotes(journal, 1);
    const again = [noteDraft("c-new", "new"), noteDraft("c-note 1", "again")];
    await assert.rejects(appendAll(journal, again), /already decided in entry 1/);
    assert.equal((await journal.head()).seq, 1);
    const apart = [noteDraft("a", "1"), noteDraft("b", "2"), noteDraft("a", "3")];
    await assert.rejects(appendAll(journal, apart), /must stand together/);
    assert.equal((await journal.head()).seq, 1);
  }),

  journalCase("[JN14] nobody's later changes reach the record", async ({ journal }) => {
    const data = { worker: "w-aaaaaaaaaaaaaaaa", text: "as it was" };
    const draft = { ...noteDraft("c-1", ""), event: { kind: "worker.noted", data } as const };
    const [entry] = await appendAll(journal, [draft]);
    data.text = "changed by the caller";
    Object.assign(entry?.data ?? {}, { text: "changed by the reader" });
    const [read] = await journal.read(GENESIS, 1);
    assert.deepEqual(read?.data, { worker: data.worker, text: "as it was" });
    Object.assign(read?.data ?? {}, { text: "changed again" });
    const recalled = await journal.recall("c-1");
    assert.deepEqual(recalled?.entries[0]?.data, { worker: data.worker, text: "as it was" });
  }),

  journalCase("[JN36] an entry larger than the limit is refused whole", async ({ journal }) => {
    const text = "x".repeat(LIMITS.entryBytesMax);
    await assert.rejects(appendAll(journal, [noteDraft("c-1", text)]), /at most 524288 bytes/);
    assert.deepEqual(await journal.head(), GENESIS);
  }),

  journalCase("[JN12] watchers are told of an append until they stop", async ({ journal }) => {
    const told = Promise.withResolvers<void>();
    let strayCount = 0;
    journal.watch(() => (strayCount += 1))();
    const stop = journal.watch(told.resolve);
    await appendNotes(journal, 1);
    await told.promise;
    stop();
    assert.equal(strayCount, 0);
  }),

  journalCase("[JN13] a closed journal refuses every call", async ({ journal }) => {
    await appendNotes(journal, 1);
    await journal.close();
    await journal.close();
    const calls: readonly ((journal: Journal) => Promise<unknown>)[] = [
      (closed) => closed.head(),
      (closed) => closed.append(GENESIS, () => []),
      (closed) => closed.read(GENESIS, 1),
      (closed) => closed.readStored(0, 1),
      (closed) => closed.recall("c-note 1"),
      (closed) => closed.about("w-aaaaaaaaaaaaaaaa", 1),
      (closed) => closed.saveSnapshot({ ...GENESIS, rules: 1, state: "{}", stateHash: "" }),
      (closed) => closed.snapshots(),
      (closed) => closed.load([]),
      (closed) => closed.inspect(),
    ];
    for (const call of calls) await assert.rejects(call(journal), isFault("closed"));
    assert.throws(() => journal.watch(() => undefined), isFault("closed"));
  }),

  journalCase("[JN6] an append after a head of another journal is a fork", async ({ journal }) => {
    const [entry] = await appendNotes(journal, 2);
    assert.ok(entry !== undefined);
    const foreign = { seq: 1, hash: "f".repeat(64) };
    await assert.rejects(
      journal.append(foreign, () => []),
      isFault("journal_forked"),
    );
    const beyond = { ...headOf(entry), seq: 3 };
    await assert.rejects(
      journal.append(beyond, () => []),
      isFault("journal_truncated"),
    );
  }),
];

/** RFC 8785 for what entries hold here: plain text, integers, null; keys in ASCII. */
function canonical(value: unknown): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  const fields = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return `{${fields.map(([key, one]) => `${JSON.stringify(key)}:${canonical(one)}`).join(",")}}`;
}
