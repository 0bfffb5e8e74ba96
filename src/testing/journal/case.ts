import type { TimeOptions } from "../../journal/timekeeper.ts";
import type { Entry } from "../../kernel/entry.ts";
import type { Draft, Head, Journal } from "../../ports/journal.ts";
import { codeOf } from "../../ports/error-code.ts";
import { FakeClock } from "../fake-clock.ts";

/** Opens a journal that holds nothing yet, another one at every call. */
export type OpenJournal = (options: TimeOptions) => Promise<Journal>;

/** One promise of a journal: `run` rejects with an AssertionError when an adapter breaks it. */
export interface JournalCase {
  /** The rules it proves, in brackets, and the fact in words. */
  readonly name: string;
  readonly run: (open: OpenJournal) => Promise<void>;
}

/** What a case works with. */
export interface Bench {
  readonly journal: Journal;
  readonly clock: FakeClock;
}

/** A case on one journal, which is closed after it. */
export function journalCase(name: string, act: (bench: Bench) => Promise<void>): JournalCase {
  const run = async (open: OpenJournal): Promise<void> => {
    const clock = new FakeClock();
    const journal = await open({ clock });
    try {
      await act({ journal, clock });
    } finally {
      await journal.close();
    }
  };
  return { name, run };
}

/** A draft that notes `text` about a worker, decided for the command `id`. */
export function noteDraft(id: string, text: string, worker = "w-aaaaaaaaaaaaaaaa"): Draft {
  const data = { worker, text };
  return {
    fleet: "f-testtesttesttest",
    rules: 1,
    id,
    actor: { kind: "operator", via: "library" },
    command: { kind: "worker.note", data },
    event: { kind: "worker.noted", data },
  };
}

/** Appends drafts at the journal's head and answers their entries; throws if that has moved. */
export async function appendAll(journal: Journal, drafts: readonly Draft[]): Promise<Entry[]> {
  const outcome = await journal.append(await journal.head(), () => drafts);
  if (outcome.kind === "moved") throw new Error(`the head moved on to ${outcome.head.seq}`);
  return [...outcome.entries];
}

/** Appends `count` notes, each in an append of its own, and answers their entries. */
export async function appendNotes(journal: Journal, count: number): Promise<Entry[]> {
  const entries: Entry[] = [];
  for (let index = 0; index < count; index += 1) {
    const text = `note ${entries.length + 1}`;
    entries.push(...(await appendAll(journal, [noteDraft(`c-${text}`, text)])));
  }
  return entries;
}

/** The head that an entry makes. */
export function headOf({ seq, hash }: Head): Head {
  return { seq, hash };
}

/** Checks an error by its fault code, for `assert.rejects`. */
export function isFault(code: string): (error: unknown) => boolean {
  return (error) => codeOf(error) === code;
}
