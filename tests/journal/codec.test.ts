import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import canonicalize from "canonicalize";
import { expect, test } from "vitest";
import { hashOf } from "../../src/journal/chain.ts";
import { decode, type Edition } from "../../src/journal/codec.ts";
import { memoryJournal } from "../../src/journal/memory.ts";
import type { Entry } from "../../src/kernel/entry.ts";
import { EVENT_KINDS, type EventKind } from "../../src/kernel/event.ts";
import { GENESIS, type StoredEntry } from "../../src/ports/journal.ts";
import { FakeClock } from "../../src/testing/fake-clock.ts";
import { noteDraft } from "../../src/testing/journal/case.ts";

interface Fixture {
  readonly entry: Omit<Entry, "hash">;
  readonly hash: string;
}

const FOLDER = join(import.meta.dirname, "../fixtures");
/** Forms of kinds that got more fields, without new rules. */
const GROWN = "event-fields";

function fixtureOf(kind: EventKind): Fixture {
  return read(join("events", `${kind}.v1.json`));
}

function read(path: string): Fixture {
  return JSON.parse(readFileSync(join(FOLDER, path), "utf8")) as Fixture;
}

function storedOf({ entry, hash }: Fixture): StoredEntry {
  return { text: canonicalize(entry) ?? "", hash };
}

test.each(EVENT_KINDS)("[JN15] %s as it was first released is read for ever", (kind) => {
  const fixture = fixtureOf(kind);
  const stored = storedOf(fixture);
  expect(hashOf(stored.text)).toBe(fixture.hash);
  expect(decode(stored)).toEqual({ ...fixture.entry, hash: fixture.hash });
});

test.each(readdirSync(join(FOLDER, GROWN)))(
  "[JN15] %s, with what was added to its kind, is read as it is",
  (name) => {
    const { entry, hash } = read(join(GROWN, name));
    expect(hashOf(canonicalize(entry) ?? "")).toBe(hash);
    expect(decode(storedOf({ entry, hash }))).toEqual({ ...entry, hash });
  },
);

const NEXT: Edition = {
  rules: 3,
  upcasts: [
    {
      kind: "worker.noted",
      untilRules: 1,
      up: ({ text = null, ...data }) => ({ ...data, note: text }),
    },
    { kind: "worker.noted", untilRules: 2, up: (data) => ({ ...data, grade: "plain" }) },
    { kind: "fleet.paused", untilRules: 2, up: () => ({ reason: "never of this kind" }) },
  ],
};

test.each([
  [1, { worker: "w-1", note: "hello", grade: "plain" }],
  [2, { worker: "w-1", text: "hello", grade: "plain" }],
  [3, { worker: "w-1", text: "hello" }],
])("[JN15] data of rules %i is brought up step by step", (rules, data) => {
  const { entry, hash } = fixtureOf("worker.noted");
  const text = JSON.stringify({ ...entry, rules, data: { worker: "w-1", text: "hello" } });
  expect(decode({ text, hash }, NEXT).data).toEqual(data);
});

test.each([
  ["newer rules", { rules: 2 }],
  ["an unknown kind", { kind: "worker.praised" }],
])("[JN15] an entry of %s is journal_newer", (_, change) => {
  const text = JSON.stringify({ ...fixtureOf("worker.noted").entry, ...change });
  expect(() => decode({ text, hash: "" })).toThrow(
    expect.objectContaining({ code: "journal_newer" }),
  );
});

test.each([
  ["no JSON", "{"],
  ["no object", "null"],
  ["a list", "[]"],
  ["no seq", change({ seq: undefined })],
  ["a fraction as seq", change({ seq: 1.5 })],
  ["a text as time", change({ at_ms: "now" })],
  ["no data", change({ data: null })],
  ["no actor", change({ actor: null })],
  ["a hash of its own", change({ hash: "f".repeat(64) })],
  ["a number as id", change({ id: 7 })],
])("[JN5] a stored text that is %s is journal_corrupt", (_, text) => {
  expect(() => decode({ text, hash: "" })).toThrow(
    expect.objectContaining({ code: "journal_corrupt" }),
  );
});

function change(fields: Readonly<Record<string, unknown>>): string {
  return JSON.stringify({ ...fixtureOf("worker.noted").entry, ...fields });
}

test("[JN4] equal drafts give equal bytes, whatever the order of their keys", async () => {
  const texts = [];
  for (const turn of [0, 1]) {
    const journal = memoryJournal({ clock: new FakeClock() });
    const draft = noteDraft("c-1", "same");
    const fields = Object.entries(draft.event.data);
    const data = Object.fromEntries(turn === 0 ? fields : fields.toReversed());
    const event = { kind: "worker.noted", data } as typeof draft.event;
    await journal.append(GENESIS, () => [{ ...draft, event }]);
    texts.push(await journal.readStored(0, 1));
  }
  expect(texts[0]).toEqual(texts[1]);
});
