import type { Entry } from "../../kernel/entry.ts";
import { LIMITS } from "../../kernel/limits.ts";
import { Fault } from "../../ports/fault.ts";
import type {
  AppendOptions,
  AppendOutcome,
  Compaction,
  CompactOptions,
  Draft,
  Head,
  Journal,
  PlacedEntry,
  Recollection,
  Segment,
  Snapshot,
  StoredEntry,
} from "../../ports/journal.ts";
import { Timekeeper, whileAged, type TimeOptions } from "../timekeeper.ts";
import { load, tryAppend } from "./append.ts";
import { Compactor } from "./archive/compactor.ts";
import { inspectSegment } from "./archive/inspect.ts";
import type { OnStore } from "./archive/on-store.ts";
import { asSegment } from "./archive/table.ts";
import { asJournalFault } from "./faults.ts";
import { about, inspect, read, recall } from "./read.ts";
import { readSnapshots, saveSnapshot } from "./snapshot.ts";
import type { JournalStore } from "./store.ts";
import { whileBusy } from "./waiting.ts";
import { Watching } from "./watching.ts";

/** What an open journal needs besides its store. */
export interface SqliteJournalSettings extends TimeOptions {
  readonly busyMs: number;
}

/** A journal in SQLite: each call waits for other processes, then works in one go. */
export class SqliteJournal implements Journal {
  readonly #store: JournalStore;
  readonly #timekeeper: Timekeeper;
  readonly #watching: Watching;
  readonly #busyMs: number;
  #isClosed = false;

  constructor(store: JournalStore, settings: SqliteJournalSettings) {
    this.#store = store;
    this.#timekeeper = new Timekeeper(settings);
    this.#busyMs = settings.busyMs;
    const changes = (): number => store.database.changes();
    this.#watching = new Watching({ path: store.files.head, changes });
  }

  async head(): Promise<Head> {
    return this.#working("reading the head", (store) => store.look());
  }

  async append(
    expected: Head,
    make: (atMs: number) => readonly Draft[],
    options: AppendOptions = {},
  ): Promise<AppendOutcome> {
    const appending = { expected, make, timekeeper: this.#timekeeper, options };
    const outcome = await whileAged(() =>
      this.#working("appending entries", (store) => tryAppend(store, appending)),
    );
    if (outcome.kind === "appended" && outcome.entries.length > 0) this.#watching.notify();
    return outcome;
  }

  async read(after: Head, limit: number): Promise<readonly Entry[]> {
    return this.#working("reading entries", (store) => read(store, after, limit));
  }

  async recall(commandId: string): Promise<Recollection | undefined> {
    return this.#working("recalling a command", (store) => recall(store, commandId));
  }

  async about(subject: string, limit: number): Promise<readonly Entry[]> {
    return this.#working("reading entries", (store) => about(store, subject, limit));
  }

  async saveSnapshot(snapshot: Snapshot): Promise<void> {
    await this.#working("saving a snapshot", (store) => saveSnapshot(store, snapshot));
  }

  async snapshots(): Promise<readonly Snapshot[]> {
    return this.#working("reading snapshots", readSnapshots);
  }

  async load(stored: Iterable<StoredEntry>): Promise<Head> {
    const head = await this.#working("importing entries", (store) => load(store, stored));
    this.#watching.notify();
    return head;
  }

  async readStored(afterSeq: number, limit: number): Promise<readonly PlacedEntry[]> {
    const count = Math.min(limit, LIMITS.readEntriesMax);
    return this.#working("reading entries", (store) => store.range(afterSeq, count));
  }

  async compact(options: CompactOptions): Promise<Compaction> {
    this.#mustBeOpen();
    return new Compactor(this.#store, this.#onStore("compacting the journal"), options).compact();
  }

  async segments(): Promise<readonly Segment[]> {
    const recorded = await this.#working("reading the archive", ({ database }) =>
      database.segments.all(),
    );
    return recorded.map(asSegment);
  }

  async inspectSegment(segment: Segment): Promise<void> {
    this.#mustBeOpen();
    await inspectSegment(this.#store, this.#onStore("inspecting the archive"), segment);
  }

  watch(listener: () => void): () => void {
    this.#mustBeOpen();
    return this.#watching.add(listener);
  }

  async inspect(): Promise<void> {
    await this.#working("inspecting the store", inspect);
    for (const segment of await this.segments()) await this.inspectSegment(segment);
  }

  setClockTolerance(toleranceMs: number): void {
    this.#timekeeper.tolerate(toleranceMs);
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#watching.close();
    this.#store.close();
  }

  #onStore(doing: string): OnStore {
    return (work) => this.#working(doing, work);
  }

  /** Runs `work` on the store while it is open, waiting for others; errors come out as faults. */
  async #working<T>(doing: string, work: (store: JournalStore) => T): Promise<T> {
    return whileBusy(this.#busyMs, () => {
      this.#mustBeOpen();
      try {
        return work(this.#store);
      } catch (error) {
        throw asJournalFault(error, doing);
      }
    });
  }

  #mustBeOpen(): void {
    if (this.#isClosed) throw new Fault("closed", "the journal must be open, it was closed");
  }
}
