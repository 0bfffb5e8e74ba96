import type { Actor } from "../kernel/actor.ts";
import { isUrgent, type Command } from "../kernel/command.ts";
import type { AdmissionContext } from "../kernel/condition/context/admission.ts";
import { LIMITS } from "../kernel/limits.ts";
import { refuse, type Refusal } from "../kernel/refusal.ts";
import type { State } from "../kernel/state.ts";
import { askingContext } from "../kernel/worker/asking.ts";
import { Fault } from "../ports/fault.ts";
import type { Head, Journal } from "../ports/journal.ts";
import { SILENT, type Log } from "../ports/log.ts";
import type { Random } from "../ports/random.ts";
import type { Signer } from "../ports/signer.ts";
import { commandIdSeries } from "./base32.ts";
import type { Rules } from "./carry/batch.ts";
import { Carrier } from "./carry/carrier.ts";
import { Follower, type EntryListener } from "./follower.ts";
import type { FunctionCondition } from "./function-condition.ts";
import { HeadSigning } from "./signing/head-signing.ts";
import type { Answer, Loop, SubmitOptions } from "./loop.ts";
import { findPlace } from "./signing/opening.ts";
import { makePending, type Pending } from "./carry/pending.ts";
import { placeOf } from "../kernel/queue/queue.ts";
import { Turns } from "./queue/turn.ts";
import type { Place } from "./place.ts";
import { Suppression } from "./carry/suppression.ts";
import { SYSTEM_TIMERS, type Timers } from "./timers.ts";

/** What a loop is opened on; everything in it stays its caller's. */
export interface RuledLoopOptions {
  readonly journal: Journal;
  readonly signer: Signer;
  readonly random: Random;
  readonly log?: Log;
  /** Function conditions of this process, by the name they are enacted under. */
  readonly functions?: Readonly<Record<string, FunctionCondition>>;
  /** Turns the admission context into what the functions take; default: as it is. */
  readonly toContext?: (context: AdmissionContext) => unknown;
  /** After how many entries a head is signed; default `LIMITS.signEveryEntries`. */
  readonly signEveryEntries?: number;
  /** Whether closing it signs what is not signed yet; default true. */
  readonly signsOnClose?: boolean;
  readonly timers?: Timers;
  /** The rules by which it decides. */
  readonly rules: Rules;
}

/** Everything of {@link RuledLoopOptions}, filled in. */
type Settings = Required<RuledLoopOptions>;

/** The loop itself, as the actor of what it does on its own. */
const SYSTEM: Actor = { kind: "system", via: "runtime" };

/**
 * Opens the loop on a journal by given rules; see `openLoop`, which brings those of the kernel
 * whole. A program that needs only a part of them opens it here, and loads no more.
 */
export async function openLoopBy(options: RuledLoopOptions): Promise<Loop> {
  const settings: Settings = {
    log: SILENT,
    functions: {},
    toContext: (context) => context,
    signEveryEntries: LIMITS.signEveryEntries,
    signsOnClose: true,
    timers: SYSTEM_TIMERS,
    ...options,
  };
  return new JournalLoop(settings, await findPlace(settings));
}

class JournalLoop implements Loop {
  readonly #nextId: () => string;
  readonly #timers: Timers;
  readonly #log: Log;
  readonly #follower: Follower;
  readonly #carrier: Carrier;
  readonly #signing: HeadSigning;
  readonly #signsOnClose: boolean;
  readonly #suppression: Suppression;
  readonly #turns: Turns;
  readonly #unwatch: () => void;
  readonly #urgent: Pending[] = [];
  /** Fires when it is closed: nobody waits for a turn any more. */
  readonly #over = new AbortController();
  #waiting: Pending[] = [];
  /** Whoever reads or writes the place waits for whoever did so before. */
  #turnstile: Promise<unknown> = Promise.resolve();
  #pumping: Promise<void> | undefined;
  #isHinted = false;
  #closing: Promise<void> | undefined;

  constructor(settings: Settings, place: Place) {
    const { journal, random, timers, log, rules, functions, toContext } = settings;
    this.#nextId = commandIdSeries(random);
    this.#timers = timers;
    this.#log = log;
    this.#follower = new Follower(place, { journal, log });
    const follower = this.#follower;
    this.#turns = new Turns({ loop: this, timers });
    this.#suppression = new Suppression(timers, (command) => void this.#submitOwn(command));
    this.#carrier = new Carrier({
      journal,
      random,
      timers,
      rules,
      follower,
      conditions: { functions, toContext },
      onLimited: (limited) => this.#suppression.count(limited),
      onAppended: (entries) => this.#signing.consider(entries),
    });
    this.#signing = new HeadSigning({
      journal,
      follower,
      timers,
      log,
      signer: settings.signer,
      everyEntries: settings.signEveryEntries,
      submit: (command) => this.#enqueue(command, SYSTEM, {}),
    });
    this.#signsOnClose = settings.signsOnClose;
    this.#unwatch = journal.watch(() => this.#hint());
  }

  async submit(command: Command, by: Actor, options: SubmitOptions = {}): Promise<Answer> {
    if (this.#closing !== undefined) throw new Fault("closed", "the loop must be open, it closed");
    const refusal = checkId(options.id) ?? checkKind(command);
    if (refusal !== null) return { ok: false, seq: this.head().seq, refusal };
    if (command.kind === "place.keep" && (await this.#isLeftMeanwhile(command.data.place, options)))
      return { ok: true, seq: this.head().seq, entries: [] };
    return this.#enqueue(command, by, options);
  }

  /** Waits for the turn of a place; whether that is gone then: there is nothing to keep. */
  async #isLeftMeanwhile(id: string, { turnMs = 0, signal }: SubmitOptions): Promise<boolean> {
    if (turnMs <= 0 || placeOf(this.state().book.queue, id) === undefined) return false;
    const closing = this.#over.signal;
    const either = signal === undefined ? closing : AbortSignal.any([signal, closing]);
    await this.#turns.until(id, { withinMs: turnMs, signal: either });
    return placeOf(this.state().book.queue, id) === undefined;
  }

  state(): State {
    return this.#follower.place.state;
  }

  head(): Head {
    return this.#follower.place.head;
  }

  timeMs(): number | undefined {
    return this.#carrier.timeMs;
  }

  async look(): Promise<State> {
    await this.#alone(() => this.#follower.catchUp());
    return this.state();
  }

  onEntry(listener: EntryListener): () => void {
    return this.#follower.listen(listener);
  }

  useSigner(signer: Signer): void {
    this.#signing.useSigner(signer);
  }

  close(): Promise<void> {
    this.#over.abort(new Fault("closed", "the loop must be open, it closed"));
    this.#closing ??= this.#finish();
    return this.#closing;
  }

  async #finish(): Promise<void> {
    this.#unwatch();
    await this.#pumping;
    await Promise.all(this.#suppression.takeAll().map((command) => this.#submitOwn(command)));
    await (this.#signsOnClose ? this.#signing.finish() : this.#signing.settled());
    await this.#turnstile;
  }

  /** Submits what nobody waits for; what fails is only told to the operator. */
  async #submitOwn(command: Command): Promise<void> {
    try {
      await this.#enqueue(command, SYSTEM, {});
    } catch (error) {
      // The world failed: the next command will meet the same fault and answer with it.
      this.#log.warn(`${command.kind} could not be journaled`, { error });
    }
  }

  async #enqueue(command: Command, by: Actor, { id }: SubmitOptions): Promise<Answer> {
    this.#follower.mustGoOn();
    const { pending, answer } = makePending(command, by, {
      id: id ?? this.#nextId(),
      mayBeKnown: id !== undefined,
    });
    (isUrgent(command.kind) ? this.#urgent : this.#waiting).push(pending);
    this.#pumping ??= this.#pump();
    return answer;
  }

  /** Carries what waits, batch after batch; never throws. */
  async #pump(): Promise<void> {
    while (this.#urgent.length + this.#waiting.length > 0) {
      // All that is submitted in the same turn shares one append.
      await this.#timers.turn();
      await this.#alone(() => this.#carryNext());
    }
    this.#pumping = undefined;
    // Our own append gave a hint too: whoever submits next, in this turn, saves the look.
    if (this.#isHinted) void this.#timers.turn().then(() => this.#hint());
  }

  async #carryNext(): Promise<void> {
    const batch = this.#takeBatch();
    try {
      this.#follower.mustGoOn();
      const done = await this.#carrier.carry(batch);
      this.#waiting = [...batch.slice(done), ...this.#waiting];
    } catch (error) {
      // A fault is everybody's, but for one of the archive, which most can do without; of that and
      // of anything else one command may be the cause, so each goes alone.
      const isOfAll = error instanceof Fault && error.code !== "archive_broken";
      if (isOfAll || batch.length === 1) for (const one of batch) one.fail(error);
      else for (const one of batch) await this.#carryAlone(one);
    }
  }

  async #carryAlone(pending: Pending): Promise<void> {
    // Should what broke have broken after the append, the journal knows the command already.
    pending.mayBeKnown = true;
    try {
      const done = await this.#carrier.carry([pending]);
      if (done === 0) this.#waiting.unshift(pending);
    } catch (error) {
      // Its caller is told; the others are carried on.
      pending.fail(error);
    }
  }

  /**
   * Takes what may share an append. Not twice the same id: the second is answered by the first. A
   * command that needs verdicts only in front: they are taken on the state that a batch begins at.
   * One about the clock alone: it is appended under another rule.
   */
  #takeBatch(): readonly Pending[] {
    const ids = new Set<string>();
    const batch: Pending[] = [];
    const { state } = this.#follower.place;
    for (const queue of [this.#urgent, this.#waiting]) {
      const rest: Pending[] = [];
      for (const [index, pending] of queue.entries()) {
        const [first] = batch;
        const isFull =
          batch.length === LIMITS.batchCommandsMax || (first !== undefined && isAboutClock(first));
        const mustBeFirst = isAboutClock(pending) || askingContext(state, pending.command) !== null;
        if (isFull || (mustBeFirst && batch.length > 0) || ids.has(pending.id)) {
          rest.push(...queue.slice(index));
          break;
        }
        ids.add(pending.id);
        batch.push(pending);
      }
      queue.splice(0, queue.length, ...rest);
    }
    return batch;
  }

  /** Something may have been appended: look, unless commands are under way that look anyhow. */
  #hint(): void {
    this.#isHinted = this.#pumping !== undefined;
    if (this.#isHinted || this.#closing !== undefined) return;
    this.look().catch((error: unknown) => {
      // Nobody asked; whoever asks next meets the fault itself.
      this.#log.warn("the journal could not be followed", { error });
    });
  }

  #alone<T>(work: () => Promise<T>): Promise<T> {
    const run = this.#turnstile.then(work);
    // The next one starts whatever became of this one; its caller has the error.
    this.#turnstile = run.catch(() => undefined);
    return run;
  }
}

/** A recovery needs a journal that nobody else has open; see `recoverFleet`. */
function checkKind({ kind }: Command): Refusal | null {
  if (kind !== "fleet.recover") return null;
  const message = `${kind} must be given by a recovery of the store, got one to a running fleet`;
  return refuse("not_authorised", message, { command: kind });
}

function isAboutClock({ command }: Pending): boolean {
  return command.kind === "clock.accept";
}

function checkId(id: string | undefined): Refusal | null {
  const max = LIMITS.commandIdCharsMax;
  if (id === undefined || (id.length > 0 && id.length <= max)) return null;
  const message = `a command id must have 1 to ${max} characters, got ${id.length}`;
  return refuse("limit_exceeded", message, { max, got: id.length });
}
