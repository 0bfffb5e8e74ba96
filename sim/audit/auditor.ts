import type { Entry } from "../../src/kernel/entry.ts";
import { evolve } from "../../src/kernel/evolve.ts";
import { findViolations } from "../../src/kernel/invariants/invariants.ts";
import { INITIAL_STATE, type State } from "../../src/kernel/state.ts";
import type { Snapshot } from "../../src/ports/journal.ts";
import { decodeState, encodeState } from "../../src/runtime/state-codec.ts";
import { Ledger } from "./ledger.ts";
import { isSameBook } from "./lease/state.ts";
import { stateProblems } from "./state-rules.ts";
import type { Violation } from "./violation.ts";

/** One decision as the journal holds it. */
export interface Decided {
  readonly firstSeq: number;
  readonly entries: readonly Entry[];
}

/**
 * Sees every entry as it is appended, folds it with the true kernel, and checks it: by the kernel's
 * own list of invariants, and by a ledger that shares no code with it.
 */
export class Auditor {
  #ledger = new Ledger();
  readonly #violations: Violation[] = [];
  readonly #decisions = new Map<string, Decided>();
  /** The state after each entry, by its seq. */
  readonly #states = new Map<number, State>([[0, INITIAL_STATE]]);
  #entries: Entry[] = [];
  #state = INITIAL_STATE;
  /** The highest fence that an entry could have given, those that are lost included. */
  #fence = 0;

  /** The true state at the end of the journal. */
  get state(): State {
    return this.#state;
  }

  /** Every entry so far. */
  get entries(): readonly Entry[] {
    return this.#entries;
  }

  /** What was found wrong, in the order in which it was found. */
  get violations(): readonly Violation[] {
    return this.#violations;
  }

  /** Every worker that was ever admitted, by the ledger. */
  get ledger(): Ledger {
    return this.#ledger;
  }

  /** The true state after an entry; undefined beyond the end. */
  stateAt(seq: number): State | undefined {
    return this.#states.get(seq);
  }

  /** An entry by its seq; undefined where there is none. */
  entryAt(seq: number): Entry | undefined {
    return this.#entries.find((entry) => entry.seq === seq);
  }

  /** The decision that the journal holds under a command id. */
  decisionOf(id: string): Decided | undefined {
    return this.#decisions.get(id);
  }

  /** Every decision that the journal holds. */
  decisions(): Iterable<Decided> {
    return this.#decisions.values();
  }

  /** Whatever came after an entry is lost: the books are kept anew from those before. */
  forgetAfter(seq: number): void {
    const kept = this.#entries.filter((entry) => entry.seq <= seq);
    const fence = this.#fence;
    this.#ledger = new Ledger();
    this.#entries = [];
    this.#decisions.clear();
    this.#states.clear();
    this.#states.set(0, INITIAL_STATE);
    this.#state = INITIAL_STATE;
    this.#fence = 0;
    this.see(kept);
    // What was given is not taken back by being lost.
    this.#fence = fence;
  }

  /** Checks what one append has written. */
  see(entries: readonly Entry[]): void {
    for (const decision of decisionsOf(entries)) {
      for (const { rule, message } of this.#ledger.enter(decision)) this.report(rule, message);
      const [first] = decision;
      if (first !== undefined && !this.#decisions.has(first.id))
        this.#decisions.set(first.id, { firstSeq: first.seq, entries: decision });
      for (const entry of decision) this.#fold(entry);
      for (const { rule, message } of stateProblems(this.#ledger, this.state))
        this.report(rule, message);
    }
  }

  /** Checks that a snapshot which somebody saves is the true state at its place. */
  seeSnapshot(snapshot: Snapshot): void {
    const state = this.stateAt(snapshot.seq);
    const read = decodeState(snapshot.state);
    const isFold = state !== undefined && encodeState(state) === snapshot.state;
    if (isFold && read !== undefined && isSameBook(state, read)) return;
    this.report("SM3", `the snapshot of entry ${snapshot.seq} is not the fold of the entries`);
  }

  /** Notes that a rule is broken. */
  report(rule: string, message: string): void {
    this.#violations.push({ rule, message, seq: this.#entries.length });
  }

  #fold(entry: Entry): void {
    const before = this.state;
    this.#entries.push(entry);
    try {
      const after = evolve(before, entry);
      this.#put(entry.seq, after);
      const fence = after.epoch * 2 ** 40 + entry.seq;
      if (fence <= this.#fence) this.report("I2", `fence ${fence} is not above ${this.#fence}`);
      this.#fence = fence;
      for (const message of findViolations(before, entry, after))
        this.report(/^I\d+/.exec(message)?.[0] ?? "SM2", message);
    } catch (error) {
      // An entry that the true rules would never have written may not even fold.
      this.#put(entry.seq, { ...before, seq: entry.seq, at_ms: entry.at_ms });
      this.report("I7", `${entry.kind} in entry ${entry.seq} does not fold: ${String(error)}`);
    }
  }

  #put(seq: number, state: State): void {
    this.#states.set(seq, state);
    this.#state = state;
  }
}

/** The entries of each command, as they stand together. */
export function decisionsOf(entries: readonly Entry[]): readonly (readonly Entry[])[] {
  const decisions: Entry[][] = [];
  let id: string | undefined;
  for (const entry of entries) {
    if (entry.id === id) decisions.at(-1)?.push(entry);
    else decisions.push([entry]);
    id = entry.id;
  }
  return decisions;
}
