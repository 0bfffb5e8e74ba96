import { Fault, type FaultCode } from "../../src/ports/fault.ts";
import type {
  AppendOptions,
  AppendOutcome,
  Draft,
  Head,
  Journal,
  Recollection,
  Snapshot,
} from "../../src/ports/journal.ts";

/** What goes wrong at an append, or around it. */
export type Trouble =
  | { readonly kind: "before"; readonly code: FaultCode }
  | { readonly kind: "after"; readonly code: FaultCode }
  | { readonly kind: "meanwhile"; readonly run: () => Promise<unknown> }
  | { readonly kind: "twice" };

/**
 * A journal that works on another, except that its appends meet the troubles put before it, one
 * each, and then go well again. It counts what it is asked.
 */
export class FaultyJournal implements Journal {
  readonly #journal: Journal;
  readonly troubles: Trouble[] = [];
  /** Thrown by every read of entries or head while set. */
  readFault: FaultCode | undefined;
  appendCount = 0;
  readonly readSeqs: number[] = [];
  readonly batchSizes: number[] = [];
  readonly tolerances: number[] = [];

  constructor(journal: Journal) {
    this.#journal = journal;
  }

  async append(
    expected: Head,
    make: (atMs: number) => readonly Draft[],
    options?: AppendOptions,
  ): Promise<AppendOutcome> {
    this.appendCount += 1;
    const trouble = this.troubles.shift();
    if (trouble?.kind === "before") throw asFault(trouble.code);
    if (trouble?.kind === "meanwhile") await trouble.run();
    const outcome = await this.#journal.append(
      expected,
      (atMs) => {
        // As a journal does whose first decision grew too old.
        if (trouble?.kind === "twice") make(atMs - 1);
        const drafts = make(atMs);
        this.batchSizes.push(new Set(drafts.map(({ id }) => id)).size);
        return drafts;
      },
      options,
    );
    if (trouble?.kind === "after") throw asFault(trouble.code);
    return outcome;
  }

  async head(): Promise<Head> {
    this.#mustRead();
    return this.#journal.head();
  }

  async read(after: Head, limit: number): ReturnType<Journal["read"]> {
    this.#mustRead();
    this.readSeqs.push(after.seq);
    return this.#journal.read(after, limit);
  }

  recall(commandId: string): Promise<Recollection | undefined> {
    return this.#journal.recall(commandId);
  }

  about(subject: string, limit: number): ReturnType<Journal["about"]> {
    return this.#journal.about(subject, limit);
  }

  saveSnapshot(snapshot: Snapshot): Promise<void> {
    return this.#journal.saveSnapshot(snapshot);
  }

  snapshots(): Promise<readonly Snapshot[]> {
    return this.#journal.snapshots();
  }

  load(...args: Parameters<Journal["load"]>): Promise<Head> {
    return this.#journal.load(...args);
  }

  readStored(...args: Parameters<Journal["readStored"]>): ReturnType<Journal["readStored"]> {
    return this.#journal.readStored(...args);
  }

  compact(...args: Parameters<Journal["compact"]>): ReturnType<Journal["compact"]> {
    return this.#journal.compact(...args);
  }

  segments(): ReturnType<Journal["segments"]> {
    return this.#journal.segments();
  }

  inspectSegment(...args: Parameters<Journal["inspectSegment"]>): Promise<void> {
    return this.#journal.inspectSegment(...args);
  }

  watch(listener: () => void): () => void {
    return this.#journal.watch(listener);
  }

  inspect(): Promise<void> {
    return this.#journal.inspect();
  }

  setClockTolerance(toleranceMs: number): void {
    this.tolerances.push(toleranceMs);
    this.#journal.setClockTolerance(toleranceMs);
  }

  close(): Promise<void> {
    return this.#journal.close();
  }

  #mustRead(): void {
    if (this.readFault !== undefined) throw asFault(this.readFault);
  }
}

function asFault(code: FaultCode): Fault {
  return new Fault(code, `the test says ${code}`, { retryable: code.startsWith("append") });
}
