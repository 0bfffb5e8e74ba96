import type { Entry } from "../../src/kernel/entry.ts";
import { LIMITS } from "../../src/kernel/limits.ts";
import { Fault } from "../../src/ports/fault.ts";
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
} from "../../src/ports/journal.ts";
import type { FakeClock } from "../../src/testing/fake-clock.ts";
import type { Scheduler } from "./scheduler.ts";
import type { Store } from "./store.ts";
import type { Mishap, Weather } from "./weather.ts";

/** What a process reaches the store through. */
export interface ConnectionOptions {
  readonly owner: string;
  readonly store: Store;
  readonly scheduler: Scheduler;
  readonly weather: Weather;
  readonly clock: FakeClock;
  /** Told of every mishap. */
  readonly onMishap: (mishap: Mishap, owner: string) => void;
  /** A deliberate fault: nobody is told that another has written. */
  readonly isDeaf?: boolean;
}

/**
 * The journal as one process sees it: each call waits for its turn, may meet a mishap, and is never
 * answered once the process is dead. An append that was done may still die with its answer.
 */
export class Connection implements Journal {
  readonly #so: ConnectionOptions;
  readonly #unwatches: (() => void)[] = [];
  readonly #end = new AbortController();
  #isSevered = false;

  constructor(options: ConnectionOptions) {
    this.#so = options;
  }

  /** The process is dead: nothing that it waits for ever comes. */
  sever(): void {
    this.#isSevered = true;
    this.#end.abort();
    for (const unwatch of this.#unwatches) unwatch();
    this.#so.scheduler.drop(this.#so.owner);
  }

  async head(): Promise<Head> {
    return this.#look("head", (journal) => journal.head());
  }

  async append(
    expected: Head,
    make: (atMs: number) => readonly Draft[],
    options?: AppendOptions,
  ): Promise<AppendOutcome> {
    await this.#pass("append");
    const mishap = this.#draw("append");
    if (mishap === "busy") throw busy();
    if (mishap === "full") throw new Fault("storage_full", "the disk must have room, it is full");
    if (mishap === "lost") throw unknown();
    const slowly = mishap === "stalled" ? this.#stall(make) : make;
    const outcome = await this.#so.store.append(expected, slowly, options);
    await this.#pass("answer");
    if (mishap === "unknown") throw unknown();
    return outcome;
  }

  async read(after: Head, limit: number): Promise<readonly Entry[]> {
    return this.#look("read", (journal) => journal.read(after, limit));
  }

  async recall(commandId: string): Promise<Recollection | undefined> {
    return this.#look("recall", (journal) => journal.recall(commandId));
  }

  async about(subject: string, limit: number): Promise<readonly Entry[]> {
    return this.#look("about", (journal) => journal.about(subject, limit));
  }

  async saveSnapshot(snapshot: Snapshot): Promise<void> {
    await this.#look("snapshot", () => this.#so.store.saveSnapshot(snapshot));
  }

  async snapshots(): Promise<readonly Snapshot[]> {
    return this.#look("snapshots", (journal) => journal.snapshots());
  }

  async load(stored: Iterable<StoredEntry>): Promise<Head> {
    return this.#look("load", (journal) => journal.load(stored));
  }

  async readStored(afterSeq: number, limit: number): Promise<readonly PlacedEntry[]> {
    return this.#look("stored", (journal) => journal.readStored(afterSeq, limit));
  }

  /** A process that dies meanwhile stops between two segments. */
  async compact(options: CompactOptions): Promise<Compaction> {
    const { signal } = this.#end;
    return this.#look("compact", (journal) => journal.compact({ ...options, signal }));
  }

  async segments(): Promise<readonly Segment[]> {
    return this.#look("segments", (journal) => journal.segments());
  }

  async inspectSegment(segment: Segment): Promise<void> {
    await this.#look("segment", (journal) => journal.inspectSegment(segment));
  }

  /** Hints wait for their turn too: they come late, and after others. */
  watch(listener: () => void): () => void {
    const { scheduler, owner, store } = this.#so;
    let isPending = false;
    const unwatch = store.journal.watch(() => {
      if (isPending || this.#isSevered || this.#so.isDeaf === true) return;
      isPending = true;
      void scheduler.pass(owner, "hint").then(() => {
        isPending = false;
        listener();
      });
    });
    this.#unwatches.push(unwatch);
    return unwatch;
  }

  async inspect(): Promise<void> {
    await this.#look("inspect", (journal) => journal.inspect());
  }

  setClockTolerance(toleranceMs: number): void {
    if (!this.#isSevered) this.#so.store.journal.setClockTolerance(toleranceMs);
  }

  async close(): Promise<void> {
    this.sever();
  }

  async #look<T>(label: string, work: (journal: Journal) => Promise<T>): Promise<T> {
    await this.#pass(label);
    if (this.#draw("look") === "busy") throw busy();
    return work(this.#so.store.journal);
  }

  /** Waits for its turn; a dead process waits for ever. */
  async #pass(label: string): Promise<void> {
    if (this.#isSevered) return new Promise(() => undefined);
    return this.#so.scheduler.pass(this.#so.owner, label);
  }

  #draw(call: "look" | "append"): Mishap {
    const mishap = this.#so.weather.draw(call);
    if (mishap !== "none") this.#so.onMishap(mishap, this.#so.owner);
    return mishap;
  }

  /** Time passes after the decision, so that it is too old to be committed, a few times. */
  #stall(make: (atMs: number) => readonly Draft[]): (atMs: number) => readonly Draft[] {
    let leftCount = this.#so.weather.drawStallCount();
    return (atMs) => {
      const drafts = make(atMs);
      if (leftCount > 0) this.#so.clock.advance(LIMITS.decisionAgeMsMax + 1);
      leftCount -= 1;
      return drafts;
    };
  }
}

function busy(): Fault {
  return new Fault("storage_busy", "the store must be free, another holds it", { retryable: true });
}

function unknown(): Fault {
  return new Fault("append_unknown", "it is not known whether the entries were written");
}
