import { memoryJournal } from "../../src/journal/memory.ts";
import type { ClockReading } from "../../src/ports/clock.ts";
import type {
  AppendOptions,
  AppendOutcome,
  Draft,
  Head,
  Journal,
  Snapshot,
} from "../../src/ports/journal.ts";
import type { FakeClock } from "../../src/testing/fake-clock.ts";
import type { Auditor } from "../audit/auditor.ts";
import { readAllStored } from "../audit/stored.ts";
import type { DeliberateFault } from "../deliberate-fault.ts";
import type { Manifest } from "../../src/kernel/worker/manifest.ts";
import { selectLost } from "../../src/library/recovery/lost-workers.ts";
import { decideAlone } from "../../src/runtime/alone.ts";

/**
 * The disk of a simulated host: the real journal in memory, which outlives every process, with an
 * auditor who sees each append before anybody else does.
 */
export class Store {
  readonly #clock: FakeClock;
  readonly #auditor: Auditor;
  readonly #fault: DeliberateFault | null;
  #journal: Journal;
  /** Whether the clock is to be taken as it is at the next append. */
  #acceptsClock = false;
  /** The highest epoch that the journal ever had, those that are lost included. */
  #epoch = 0;
  #last: { readonly atMs: number; readonly at: ClockReading };

  constructor(so: {
    readonly clock: FakeClock;
    readonly auditor: Auditor;
    /** A deliberate fault: two of them are of the disk. */
    readonly fault?: DeliberateFault | null;
  }) {
    this.#clock = so.clock;
    this.#auditor = so.auditor;
    this.#fault = so.fault ?? null;
    this.#journal = memoryJournal({ clock: so.clock });
    this.#last = { atMs: so.clock.wallMs, at: so.clock.read() };
  }

  /** The journal itself, without anything in between. */
  get journal(): Journal {
    return this.#fault === "archive-forgets-entries" ? forgetful(this.#journal) : this.#journal;
  }

  /** Appends to the journal, under the eyes of the auditor. */
  async append(
    expected: Head,
    make: (atMs: number) => readonly Draft[],
    options: AppendOptions = {},
  ): Promise<AppendOutcome> {
    // What is appended goes to the end, wherever its writer looked.
    const isBlind = this.#fault === "append-ignores-head";
    const place = isBlind ? await this.#journal.head() : expected;
    const acceptsClock = this.#acceptsClock || (options.acceptsClock ?? false);
    const outcome = await this.#journal.append(place, make, { acceptsClock });
    if (outcome.kind === "appended" && outcome.entries.length > 0) this.#acceptsClock = false;
    if (outcome.kind === "appended") {
      this.#last = { atMs: outcome.atMs, at: this.#clock.read() };
      this.#auditor.see(outcome.entries);
    }
    return outcome;
  }

  /** Journal time now, as the next entry would have it; roughly, across boots. */
  nowMs(): number {
    const { bootMs, bootId, wallMs } = this.#clock;
    const { atMs, at } = this.#last;
    return bootId === at.bootId ? atMs + bootMs - at.bootMs : Math.max(atMs, wallMs);
  }

  /**
   * The store is put back to an entry, and goes on without what came after it, taking over the
   * workers of these manifests. Processes that had it open must be dead.
   */
  async lose(
    keptSeq: number,
    so: { readonly id: string; readonly workers: readonly Manifest[] },
  ): Promise<void> {
    const old = this.#journal;
    const remembered = await old.head();
    const stored = await readAllStored(old);
    const snapshots = await old.snapshots();
    const restored = memoryJournal({ clock: this.#clock });
    await restored.load(stored.filter(({ seq }) => seq <= keptSeq));
    for (const snapshot of snapshots.toReversed())
      if (snapshot.seq <= keptSeq) await restored.saveSnapshot(snapshot);
    await old.close();
    this.#journal = restored;
    this.#auditor.forgetAfter(keptSeq);
    const { state } = this.#auditor;
    const head = await restored.head();
    const workers = await selectLost(so.workers, { journal: restored, state });
    const data = {
      reason: "a backup was restored",
      kept_hash: head.hash,
      remembered_seq: remembered.seq,
      remembered_hash: remembered.hash,
      remembered_epoch: this.#epoch,
      workers,
    };
    const actor = { kind: "operator", id: "ada", via: "cli" } as const;
    const submission = { id: so.id, actor, command: { kind: "fleet.recover", data } } as const;
    const options = { acceptsClock: true };
    const { entries } = await decideAlone(restored, { head, state }, { submission, options });
    this.#auditor.see(entries);
    this.#epoch = this.#auditor.state.epoch;
    this.#last = { atMs: this.#auditor.state.at_ms, at: this.#clock.read() };
  }

  /** Keeps a snapshot, once the auditor has seen it. */
  async saveSnapshot(snapshot: Snapshot): Promise<void> {
    this.#auditor.seeSnapshot(snapshot);
    await this.#journal.saveSnapshot(snapshot);
  }

  /**
   * Opens the store anew from what lies in it, as an operator does who accepts the clock as it is.
   * Processes that had it open must be dead.
   */
  async reopen(): Promise<void> {
    const old = this.#journal;
    const stored = await readAllStored(old);
    const snapshots = await old.snapshots();
    this.#journal = memoryJournal({ clock: this.#clock });
    this.#acceptsClock = true;
    await this.#journal.load(stored);
    for (const snapshot of snapshots.toReversed()) await this.#journal.saveSnapshot(snapshot);
    // What was in the archive is there again, cut as it was.
    for (const { last, entryCount } of await old.segments())
      await this.#journal.compact({ untilSeq: last.seq, segmentEntriesMax: entryCount });
    await old.close();
  }
}

/** The journal without what is in its archive, for all who read it from before. */
function forgetful(journal: Journal): Journal {
  const read: Journal["read"] = async (after, limit) => {
    const archivedSeq = (await journal.segments()).at(-1)?.last.seq ?? 0;
    return (await journal.read(after, limit)).filter(({ seq }) => seq > archivedSeq);
  };
  return new Proxy(journal, {
    get(target, key) {
      const value: unknown = key === "read" ? read : Reflect.get(target, key, target);
      return typeof value === "function" ? (value.bind(target) as unknown) : value;
    },
  });
}
