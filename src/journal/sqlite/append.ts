import { ok } from "../../kernel/assert.ts";
import {
  GENESIS,
  type AppendOptions,
  type AppendOutcome,
  type Draft,
  type Head,
  type StoredEntry,
} from "../../ports/journal.ts";
import { Fault } from "../../ports/fault.ts";
import { seal, type Sealed } from "../chain.ts";
import { decode } from "../codec.ts";
import { verifyFollowing, verifyLoaded, type Loaded } from "../loading.ts";
import type { Instant, Timekeeper } from "../timekeeper.ts";
import { asCommitFault, asJournalFault } from "./faults.ts";
import type { JournalStore, Made } from "./store.ts";

/** What an append puts into a journal. */
export interface Appending {
  readonly expected: Head;
  readonly make: (atMs: number) => readonly Draft[];
  readonly timekeeper: Timekeeper;
  readonly options: AppendOptions;
}

/**
 * One try to append, in one transaction. `aged` when the decision grew too old before the commit;
 * then nothing was written.
 *
 * The order is the promise: lock, look, read the clock, decide, write, read the clock again,
 * commit, remember.
 */
export function tryAppend(store: JournalStore, appending: Appending): AppendOutcome | "aged" {
  const { expected, make, timekeeper, options } = appending;
  const staged = inTransaction(store, () => {
    const head = store.look();
    store.mustContinue(expected, head, "the caller");
    if (head.seq !== expected.seq) return { kind: "moved", head } as const;
    const instant = timekeeper.read(store.timeAt(head), options);
    const sealed = seal(head, instant.atMs, make(instant.atMs));
    write(store, sealed, instant);
    return timekeeper.isAged(instant) ? "aged" : ({ kind: "staged", sealed, instant } as const);
  });
  if (staged === "aged" || staged.kind === "moved") {
    store.database.rollback();
    return staged;
  }

  const { sealed, instant } = staged;
  const last = sealed.at(-1);
  if (last === undefined) store.database.rollback();
  else commit(store, last, { atMs: instant.atMs, epoch: epochOf(sealed) });
  return { kind: "appended", atMs: instant.atMs, entries: sealed.map((one) => decode(one)) };
}

/** Takes over entries from elsewhere in one transaction; answers the head they end at. */
export function load(store: JournalStore, stored: Iterable<StoredEntry>): Head {
  const last = inTransaction(store, () => {
    let newest: (Loaded & Made) | undefined;
    for (const loaded of verifyLoaded(store.look(), stored)) {
      store.database.insert(loaded.sealed);
      newest = { ...loaded, epoch: loaded.sealed.recovers?.epoch ?? newest?.epoch };
    }
    // Those clocks were another host's: journal time is tied to none until the next append.
    store.setAnchor(null);
    return newest;
  });
  if (last === undefined) {
    store.database.rollback();
    return GENESIS;
  }
  return commit(store, last.sealed, last);
}

/**
 * Takes up entries that follow the last one, all or nothing: those that a copy of the store has
 * lost, and that stand elsewhere. Answers the head they end at.
 */
export function takeUp(store: JournalStore, stored: Iterable<StoredEntry>): Head {
  const last = inTransaction(store, () => {
    const head = store.look();
    const after = { ...head, at_ms: store.timeAt(head)?.atMs ?? 0 };
    let newest: (Loaded & Made) | undefined;
    for (const loaded of verifyFollowing(after, stored)) {
      mustBeNew(store, loaded.sealed);
      store.database.insert(loaded.sealed);
      newest = { ...loaded, epoch: loaded.sealed.recovers?.epoch ?? newest?.epoch };
    }
    // What it was tied to is older than these.
    store.setAnchor(null);
    return newest;
  });
  if (last !== undefined) return commit(store, last.sealed, last);
  store.database.rollback();
  return store.look();
}

function mustBeNew(store: JournalStore, { seq, commandId }: Sealed): void {
  const firstSeq = commandId === null ? undefined : store.database.firstSeq(commandId);
  if (firstSeq === undefined) return;
  const message = `entry ${seq} must decide a new command, entry ${firstSeq} decides it already`;
  throw new Fault("journal_corrupt", message);
}

/** The epoch of the last recovery among some entries; undefined where there is none. */
function epochOf(sealed: readonly Sealed[]): number | undefined {
  let epoch: number | undefined;
  for (const { recovers } of sealed) epoch = recovers?.epoch ?? epoch;
  return epoch;
}

function write(store: JournalStore, sealed: readonly Sealed[], instant: Instant): void {
  if (sealed.length === 0) return;
  for (const one of sealed) {
    const firstSeq = one.commandId === null ? undefined : store.database.firstSeq(one.commandId);
    ok(firstSeq === undefined, `command ${one.commandId} is already decided in entry ${firstSeq}`);
    if (one.recovers !== null) store.database.dropSnapshotsAfter(one.recovers.kept_seq);
    store.database.insert(one);
  }
  store.setAnchor(instant.anchor);
}

/** Runs `work` under the writers' lock and leaves the transaction open, unless it throws. */
function inTransaction<T>({ database }: JournalStore, work: () => T): T {
  try {
    database.begin();
    return work();
  } catch (error) {
    rollBack(database);
    throw asJournalFault(error, "appending entries");
  }
}

function commit(store: JournalStore, { seq, hash }: Sealed, made: Made): Head {
  try {
    store.database.commit();
  } catch (error) {
    rollBack(store.database);
    throw asCommitFault(error);
  }
  const head = { seq, hash };
  store.remember(head, made);
  return head;
}

function rollBack(database: JournalStore["database"]): void {
  try {
    database.rollback();
  } catch {
    // The error that led here says more; without COMMIT nothing becomes durable anyway.
  }
}
