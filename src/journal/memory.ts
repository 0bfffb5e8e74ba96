import { ok } from "../kernel/assert.ts";
import { LIMITS } from "../kernel/limits.ts";
import type { Entry } from "../kernel/entry.ts";
import { Fault } from "../ports/fault.ts";
import {
  GENESIS,
  type AppendOptions,
  type AppendOutcome,
  type CompactOptions,
  type Compaction,
  type Draft,
  type Head,
  type Journal,
  type PlacedEntry,
  type Recollection,
  type Segment,
  type Snapshot,
  type StoredEntry,
} from "../ports/journal.ts";
import { MemoryArchive } from "./archive/memory.ts";
import { decodeChain, decodeOne, seal, type Sealed } from "./chain.ts";
import { mayGo } from "./archive/bounds.ts";
import { mustContinue } from "./continuation.ts";
import type { JournalTime } from "./journal-time.ts";
import { verifyLoaded } from "./loading.ts";
import { newestKept } from "./snapshots.ts";
import { Timekeeper, whileAged, type TimeOptions } from "./timekeeper.ts";

/** What a journal in memory needs. */
export type MemoryJournalOptions = TimeOptions;

/**
 * A journal in this process's memory, with every promise of the port but durability.
 * Whoever shares it shares the object; it is gone with the process.
 */
export function memoryJournal(options: MemoryJournalOptions): Journal {
  return new MemoryJournal(options);
}

class MemoryJournal implements Journal {
  readonly #timekeeper: Timekeeper;
  readonly #stored: Sealed[] = [];
  readonly #firstSeqs = new Map<string, number>();
  readonly #seqsBySubject = new Map<string, number[]>();
  readonly #listeners = new Set<() => void>();
  readonly #archive = new MemoryArchive();
  #snapshots: readonly Snapshot[] = [];
  #time: JournalTime | null = null;
  #isClosed = false;

  constructor(options: MemoryJournalOptions) {
    this.#timekeeper = new Timekeeper(options);
  }

  async head(): Promise<Head> {
    this.#mustBeOpen();
    return this.#head();
  }

  async append(
    expected: Head,
    make: (atMs: number) => readonly Draft[],
    options: AppendOptions = {},
  ): Promise<AppendOutcome> {
    return whileAged(() => this.#tryAppend(expected, make, options));
  }

  async read(after: Head, limit: number): Promise<readonly Entry[]> {
    this.#mustBeOpen();
    this.#mustContinue(after);
    return decodeChain(after, this.#slice(after.seq, limit));
  }

  async recall(commandId: string): Promise<Recollection | undefined> {
    this.#mustBeOpen();
    const firstSeq = this.#firstSeqs.get(commandId);
    if (firstSeq === undefined) return undefined;
    const entries: Entry[] = [];
    for (let index = this.#indexAfter(firstSeq - 1); index < this.#stored.length; index += 1) {
      const entry = this.#decodeAt(index);
      if (entry.id !== commandId) break;
      entries.push(entry);
    }
    const atMs = entries[0]?.at_ms;
    ok(atMs !== undefined, "a decision that is remembered has an entry");
    return { firstSeq, atMs, entries };
  }

  async about(subject: string, limit: number): Promise<readonly Entry[]> {
    this.#mustBeOpen();
    ok(limit > 0, "a limit is at least 1");
    const seqs = this.#seqsBySubject.get(subject) ?? [];
    const newest = seqs.slice(-Math.min(limit, LIMITS.readEntriesMax)).toReversed();
    return newest.map((seq) => this.#decodeAt(this.#indexAfter(seq - 1)));
  }

  async saveSnapshot(snapshot: Snapshot): Promise<void> {
    this.#mustBeOpen();
    this.#mustContinue(snapshot);
    this.#snapshots = newestKept([...this.#snapshots, { ...snapshot }]);
  }

  async snapshots(): Promise<readonly Snapshot[]> {
    this.#mustBeOpen();
    return this.#snapshots;
  }

  async load(stored: Iterable<StoredEntry>): Promise<Head> {
    this.#mustBeOpen();
    const loaded = [...verifyLoaded(this.#head(), stored)];
    for (const { sealed, atMs } of loaded) {
      this.#put(sealed);
      this.#time = { atMs, anchor: null };
    }
    if (loaded.length > 0) this.#notify();
    return this.#head();
  }

  async readStored(afterSeq: number, limit: number): Promise<readonly PlacedEntry[]> {
    this.#mustBeOpen();
    return this.#slice(afterSeq, limit).map(({ seq, text, hash }) => ({ seq, text, hash }));
  }

  async compact(options: CompactOptions): Promise<Compaction> {
    this.#mustBeOpen();
    const archivedSeq = this.#archive.segments().at(-1)?.last.seq ?? 0;
    const isSafe = mayGo(options.untilSeq, this.#head(), this.#snapshots);
    ok(options.untilSeq <= archivedSeq || isSafe, "what is folded anew must stay");
    return this.#archive.compact(this.#stored, options);
  }

  async segments(): Promise<readonly Segment[]> {
    this.#mustBeOpen();
    return this.#archive.segments();
  }

  async inspectSegment(segment: Segment): Promise<void> {
    this.#mustBeOpen();
    this.#archive.inspect(segment);
  }

  watch(listener: () => void): () => void {
    this.#mustBeOpen();
    // A wrapper, so that the same function may watch twice and stop once.
    const hint = (): void => listener();
    this.#listeners.add(hint);
    return () => void this.#listeners.delete(hint);
  }

  async inspect(): Promise<void> {
    this.#mustBeOpen();
    for (const segment of this.#archive.segments()) this.#archive.inspect(segment);
  }

  setClockTolerance(toleranceMs: number): void {
    this.#timekeeper.tolerate(toleranceMs);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#listeners.clear();
  }

  #tryAppend(
    expected: Head,
    make: (atMs: number) => readonly Draft[],
    options: AppendOptions,
  ): AppendOutcome | "aged" {
    this.#mustBeOpen();
    const head = this.#head();
    this.#mustContinue(expected);
    if (head.seq !== expected.seq) return { kind: "moved", head };
    const instant = this.#timekeeper.read(this.#time, options);
    const sealed = seal(head, instant.atMs, make(instant.atMs));
    ok(this.#head().seq === head.seq, "make must not append");
    for (const { commandId } of sealed) this.#mustBeNew(commandId);
    if (this.#timekeeper.isAged(instant)) return "aged";

    for (const one of sealed) this.#put(one);
    if (sealed.length > 0) {
      this.#time = { atMs: instant.atMs, anchor: instant.anchor };
      this.#notify();
    }
    const entries = sealed.map((one) => decodeOne(one, one.seq));
    return { kind: "appended", atMs: instant.atMs, entries };
  }

  #put(sealed: Sealed): void {
    this.#stored.push(sealed);
    const { seq, commandId, subject } = sealed;
    if (commandId !== null) this.#firstSeqs.set(commandId, seq);
    if (subject === null) return;
    const seqs = this.#seqsBySubject.get(subject);
    if (seqs === undefined) this.#seqsBySubject.set(subject, [seq]);
    else seqs.push(seq);
  }

  #head(): Head {
    const last = this.#stored.at(-1);
    return last === undefined ? GENESIS : { seq: last.seq, hash: last.hash };
  }

  #slice(afterSeq: number, limit: number): Sealed[] {
    const first = this.#indexAfter(afterSeq);
    const slice = this.#stored.slice(first, first + Math.min(limit, LIMITS.readEntriesMax));
    return slice.map((stored) => this.#archive.resolve(stored));
  }

  /** The index of the first entry after a seq: the seq itself as long as nothing was lost. */
  #indexAfter(seq: number): number {
    let [low, high] = [0, Math.min(seq, this.#stored.length)];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#stored[middle]?.seq ?? 0) > seq) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  #decodeAt(index: number): Entry {
    const stored = this.#stored[index];
    ok(stored !== undefined, `entry ${index + 1} is stored`);
    return decodeOne(this.#archive.resolve(stored), stored.seq);
  }

  #hashAt(seq: number): string | undefined {
    const stored = this.#stored[this.#indexAfter(seq - 1)];
    return stored?.seq === seq ? stored.hash : undefined;
  }

  #mustContinue(seen: Head): void {
    mustContinue(seen, this.#head(), {
      hashAt: (seq) => this.#hashAt(seq),
      where: "the caller",
    });
  }

  #mustBeNew(commandId: string | null): void {
    const firstSeq = commandId === null ? undefined : this.#firstSeqs.get(commandId);
    ok(firstSeq === undefined, `command ${commandId} is already decided in entry ${firstSeq}`);
  }

  #mustBeOpen(): void {
    if (this.#isClosed) throw new Fault("closed", "the journal must be open, it was closed");
  }

  #notify(): void {
    // Later, so that a listener that looks at once does not run inside the append.
    for (const hint of this.#listeners) queueMicrotask(hint);
  }
}
