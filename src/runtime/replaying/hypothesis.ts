import type { Actor } from "../../kernel/actor.ts";
import type { Command, Submission } from "../../kernel/command.ts";
import { decide } from "../../kernel/decide.ts";
import type { Entry } from "../../kernel/entry.ts";
import type { Event } from "../../kernel/event.ts";
import { evolve } from "../../kernel/evolve.ts";
import type { Contract } from "../../kernel/fleet/contract.ts";
import type { GroundRules } from "../../kernel/lane/lane.ts";
import { findRepeated } from "../../kernel/lease/acquisition.ts";
import { leaseIdAt, type Lease } from "../../kernel/lease/lease.ts";
import { findLent } from "../../kernel/lease/split.ts";
import type { Refusal } from "../../kernel/refusal.ts";
import { INITIAL_STATE, type State } from "../../kernel/state.ts";
import { isKnown, targetsOf } from "../../kernel/subject.ts";
import { endableTargets } from "../carry/ended.ts";
import { submissionOf } from "../carry/recorded-command.ts";
import { Counterparts } from "./counterparts.ts";
import { refusalIn, type DecisionEntries } from "./decisions.ts";

/** Other rules for a fleet: what is left out stays as it is on record. */
export interface OtherRules {
  readonly contract?: Contract;
  readonly ground?: GroundRules;
}

/** Why a recorded command says nothing about other rules. */
export type MootReason =
  /** It is about, or from, who never was there under them. */
  | "never_was"
  /** It is about who has ended there already, and had not on record. */
  | "has_ended"
  /** It is about waiting for what its holder has there already. */
  | "has_it"
  /** A function of some process would have to be asked, and its answer is not on record. */
  | "verdict_unknown"
  /** The entry does not say what was asked. */
  | "not_recorded";

/** What a recorded command comes to under other rules. */
export type Hypothetical =
  | { readonly kind: "moot"; readonly why: MootReason }
  /** It puts rules in force in place of which the others are. */
  | { readonly kind: "left_out" }
  | {
      readonly kind: "decided";
      readonly refusal: Refusal | null;
      /** What follows from the command itself, without what time alone has ended. */
      readonly events: readonly Event[];
    };

/** Who puts other rules in force. */
const OPERATOR: Actor = { kind: "operator", via: "runtime" };

/**
 * A fleet as it would be under other rules. It follows the record to a place; then the others are
 * put in force, and every command that is on record from there on is decided on what the ones
 * before it would have come to. It writes nothing, and holds one state.
 */
export class Hypothesis {
  readonly #others: OtherRules;
  readonly #counterparts = new Counterparts();
  #state: State = INITIAL_STATE;

  constructor(others: OtherRules) {
    this.#others = others;
  }

  /** The state that it has come to. */
  get state(): State {
    return this.#state;
  }

  /** Takes a decision over as it is on record: before the others are in force. */
  follow(entries: DecisionEntries): void {
    for (const entry of entries) {
      this.#counterparts.begin(entry, entry.seq);
      this.#state = evolve(this.#state, entry);
    }
  }

  /** Puts the other rules in force, at the time of the newest entry. Answers a refusal, or null. */
  enact(): Refusal | null {
    const { contract, ground } = this.#others;
    const commands: readonly Command[] = [
      ...(contract === undefined ? [] : [{ kind: "contract.enact", data: { contract } } as const]),
      ...(ground === undefined ? [] : [{ kind: "lanes.enact", data: ground } as const]),
    ];
    for (const command of commands) {
      const { seq, at_ms } = this.#state;
      const submission = { id: "what-if", actor: OPERATOR, command };
      const { refusal, events } = decide(this.#state, submission, at_ms);
      if (refusal !== null) return refusal;
      // What time has ended is left for the next decision, as it is on record.
      for (const event of ownOf(events))
        this.#state = evolve(this.#state, { ...event, seq, at_ms, actor: OPERATOR });
    }
    return null;
  }

  /** Decides a recorded command on what those before it would have come to. */
  ask(entries: DecisionEntries): Hypothetical {
    const [first] = entries;
    const answer = this.#answer(first, entries);
    for (const entry of entries) this.#counterparts.record(entry);
    const { seq } = entries.at(-1) ?? first;
    // The places of the record are those of the hypothesis, whatever it has put there.
    this.#state = { ...this.#state, seq, at_ms: first.at_ms };
    return answer;
  }

  #answer(first: Entry, entries: DecisionEntries): Hypothetical {
    if (first.command === null) return { kind: "moot", why: "not_recorded" };
    const recorded = submissionOf(first, first.command);
    if (this.#isReplaced(recorded.command)) return { kind: "left_out" };
    if (this.#hasWhatItWaitsFor(recorded.command, entries)) return { kind: "moot", why: "has_it" };
    if (this.#isOfAbsent(recorded)) return { kind: "moot", why: "never_was" };
    const code = refusalIn(entries)?.data.code;
    const so = { state: this.#state, refused: code };
    const submission = this.#known(this.#counterparts.translate(recorded, so));
    const { refusal, events } = decide(this.#state, submission, first.at_ms);
    const isUndecided = refusal?.code === "stop_condition" && refusal.facts["missing"] === true;
    if (isUndecided && code !== "stop_condition") return { kind: "moot", why: "verdict_unknown" };
    this.#fold(events, entries);
    // Of whom it is too late to take its manifest up, that is what would have been decided.
    const isLate = refusal?.code === "manifest_expired";
    const isOther = refusal !== null && code !== refusal.code && !isLate;
    if (isOther && this.#isGone(submission, recorded)) return { kind: "moot", why: "has_ended" };
    if (refusal === null) this.#match(submission, { entries, events, atMs: first.at_ms });
    return { kind: "decided", refusal, events: ownOf(events) };
  }

  #isReplaced({ kind }: Command): boolean {
    if (kind === "contract.enact") return this.#others.contract !== undefined;
    return kind === "lanes.enact" && this.#others.ground !== undefined;
  }

  #isOfAbsent({ actor, command }: Submission): boolean {
    const isAbsent = (id: string): boolean => this.#counterparts.isAbsent(id);
    if (actor.kind === "worker" && actor.id !== undefined && isAbsent(actor.id)) return true;
    // Of an admission the id is to be new: that it was taken on record is no obstacle.
    if (command.kind === "worker.admit")
      return command.data.parent !== null && isAbsent(command.data.parent);
    if ("place" in command.data && isAbsent(command.data.place)) return true;
    return targetsOf(command).some(isAbsent);
  }

  /** What was waited for on record, and granted here at once or earlier: it goes on as that. */
  #hasWhatItWaitsFor({ data }: Command, entries: DecisionEntries): boolean {
    // Where it was refused on record, nobody waited there either, or nobody who may.
    if (refusalIn(entries) !== undefined) return false;
    const id = "place" in data ? this.#counterparts.leaseOfPlace(data.place) : undefined;
    if (id === undefined || !("place" in data)) return false;
    // Taken up on record too, and by this very command: then it has been asked for again.
    const grant = entries.find((entry) => entry.kind === "lease.granted");
    const lease = this.#state.book.leases.get(id);
    if (grant !== undefined && lease !== undefined) this.#matchGrant(grant, lease);
    return true;
  }

  /** With what a loop would have looked up: who of those that it is about has ended. */
  #known(submission: Submission): Submission {
    const ended = endableTargets(submission.command).find(
      (id) => !isKnown(this.#state, id) && this.#counterparts.hasLived(id),
    );
    return ended === undefined ? submission : { ...submission, ended };
  }

  /** Whether whom a command is about has ended here, and had not on record. */
  #isGone({ command }: Submission, recorded: Submission): boolean {
    return targetsOf(command).some((id, index) => {
      if (isKnown(this.#state, id) || !this.#counterparts.hasLived(id)) return false;
      return recorded.ended !== (targetsOf(recorded.command)[index] ?? id);
    });
  }

  /**
   * Folds what was decided into the places of the recorded decision: the grants into those of its
   * grants, so that they have the same ids and fences; what happened on record just there into its
   * own; others in between, where no id of it is.
   */
  #fold(events: readonly Event[], entries: DecisionEntries): void {
    const [{ seq: firstSeq, at_ms, actor }] = entries;
    const last = entries.at(-1) ?? entries[0];
    const seqs = entries.filter(isGiving).map(({ seq }) => seq);
    let given = 0;
    for (const [index, event] of events.entries()) {
      const recorded = entries[index];
      const own = recorded?.kind === event.kind ? recorded.seq : firstSeq;
      const seq = isGiving(event) ? (seqs[given] ?? spareSeq(last, given)) : own;
      if (isGiving(event)) given += 1;
      this.#counterparts.begin(event, seq);
      this.#state = evolve(this.#state, { ...event, seq, at_ms, actor });
    }
  }

  /** A lease was granted, or waited for, on record, and here its holder has it already. */
  #match(
    { command }: Submission,
    so: {
      readonly entries: DecisionEntries;
      readonly events: readonly Event[];
      readonly atMs: number;
    },
  ): void {
    const { entries, events, atMs } = so;
    const grant = entries.find((entry) => entry.kind === "lease.granted");
    const queued = entries.find((entry) => entry.kind === "place.queued");
    const granted = events.some(({ kind }) => kind === "lease.granted");
    if (queued !== undefined && granted)
      return this.#counterparts.settle(queued.seq, leaseIdAt(queued.seq));
    if (granted || (grant ?? queued) === undefined) return;
    const kept = keptBy(this.#state, command, atMs);
    if (kept === undefined) return;
    if (grant !== undefined) this.#matchGrant(grant, kept);
    else if (queued !== undefined) this.#counterparts.settle(queued.seq, kept.id);
  }

  #matchGrant({ seq, data }: Entry<"lease.granted">, lease: Lease): void {
    this.#counterparts.match({ seq, epoch: this.#state.epoch, data }, lease);
  }
}

function keptBy(state: State, command: Command, atMs: number): Lease | undefined {
  if (command.kind === "lease.acquire") return findRepeated(state, command.data, atMs);
  return command.kind === "lease.split" ? findLent(state, command.data, atMs) : undefined;
}

/** By whose place an id or a fence is made. */
function isGiving({ kind }: Pick<Event, "kind">): boolean {
  return kind === "lease.granted" || kind === "lease.handed_over" || kind === "place.queued";
}

/** A place that no recorded lease has its id from: that of a refusal, or one in between. */
function spareSeq(last: Entry, index: number): number {
  return isGiving(last) || index > 0 ? last.seq + (index + 1) / spareSeqsMax : last.seq;
}

/** More than one decision ever grants. */
const spareSeqsMax = 4_096;

/** Events without what time alone has ended. */
export function ownOf(events: readonly Event[]): readonly Event[] {
  return events.some(isByTime) ? events.filter((event) => !isByTime(event)) : events;
}

function isByTime(event: Event): boolean {
  if (event.kind !== "worker.stopping") return event.kind.endsWith(".lapsed");
  return event.data.reason === "expired" || event.data.reason === "quarantine_expired";
}
