import { ok } from "../../kernel/assert.ts";
import type { Entry } from "../../kernel/entry.ts";
import { LIMITS } from "../../kernel/limits.ts";
import { Fault } from "../../ports/fault.ts";
import type { Head, Recollection } from "../../ports/journal.ts";
import { decodeChain, decodeOne } from "../chain.ts";
import { mustBeWhole } from "../snapshots.ts";
import { brokenJournal } from "./faults.ts";
import type { JournalStore } from "./store.ts";

/** How many entries of a decision are read at a time. */
const PAGE = 64;

/** The entries after `after`, decoded and verified; see the port. */
export function read(store: JournalStore, after: Head, limit: number): Entry[] {
  store.mustContinue(after, store.look(), "the caller");
  return decodeChain(after, store.range(after.seq, Math.min(limit, LIMITS.readEntriesMax)));
}

/** The decision first recorded under a command id. */
export function recall(store: JournalStore, commandId: string): Recollection | undefined {
  const firstSeq = store.database.firstSeq(commandId);
  if (firstSeq === undefined) return undefined;
  const entries = decisionAt(store, firstSeq, commandId);
  const atMs = entries[0]?.at_ms;
  if (atMs !== undefined) return { firstSeq, atMs, entries };
  const message = `entry ${firstSeq} must decide command ${commandId}, it decides another`;
  throw new Fault("journal_corrupt", message);
}

function decisionAt(store: JournalStore, firstSeq: number, commandId: string): Entry[] {
  const entries: Entry[] = [];
  for (;;) {
    const afterSeq = firstSeq - 1 + entries.length;
    const page = store.range(afterSeq, PAGE);
    for (const stored of page) {
      const entry = decodeOne(stored, stored.seq);
      if (entry.id !== commandId) return entries;
      const seq = firstSeq + entries.length;
      if (entry.seq !== seq) throw missing(seq, entry.seq);
      entries.push(entry);
    }
    if (page.length < PAGE) return entries;
  }
}

function missing(seq: number, found: number): Fault {
  const message = `entry ${seq} must be there, the decision that it is part of goes on at ${found}`;
  return new Fault("journal_corrupt", message);
}

/** The newest entries about a subject, newest first. */
export function about(store: JournalStore, subject: string, limit: number): Entry[] {
  ok(limit > 0, "a limit is at least 1");
  return store
    .about(subject, Math.min(limit, LIMITS.readEntriesMax))
    .map((stored) => decodeOne(stored, stored.seq));
}

/** Throws `Fault` `journal_corrupt` unless pages, indices and snapshots are sound. */
export function inspect(store: JournalStore): void {
  store.look();
  for (const snapshot of store.database.snapshots()) mustBeWhole(snapshot);
  const damage = listDamage(store);
  if (damage.length === 0) return;
  throw new Fault(
    "journal_corrupt",
    `the journal's store must be sound, got: ${damage.join("; ")}`,
  );
}

function listDamage({ database }: JournalStore): string[] {
  try {
    return database.listDamage();
  } catch (error) {
    // Whatever stops SQLite from checking its own pages is what it was asked for.
    throw brokenJournal(error, "inspecting the store");
  }
}
