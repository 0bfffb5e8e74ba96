import type { Entry } from "../../kernel/entry.ts";
import type { State, Worker } from "../../kernel/state.ts";
import type { SandboxRecord } from "../../ports/sandbox.ts";
import { Ticker } from "../../runtime/ticker.ts";
import type { Watcher } from "../../runtime/watcher.ts";
import { errorText } from "../error-text.ts";
import { adoptKill, isKilledUnseen } from "../kill/adoption.ts";
import { Sweep } from "../kill/sweep.ts";
import { isKilling } from "../kill/under-way.ts";
import type { Member } from "../member.ts";
import { CANARY_LIFE_MS, isCanary } from "../process/canary.ts";
import { hasEnded } from "../worker/until.ts";
import { evidenceOfAbsence, journalEnd } from "./gone.ts";

/** The pause between two rounds when nothing is heard, ms. */
const roundEveryMs = 2_000;

/** Rounds that are asked for by entries are put together for this long, ms. */
const soonMs = 20;

/**
 * How long what another process has in hand is left to it, ms: the one that started a worker, or
 * hosts it, acts at once, asks before it kills and has the better evidence.
 */
const othersMs = 3_000;

/**
 * The same after a kill: whoever ordered it may have died, and nothing is to live for that. Until
 * then, and while ends are heard of, nobody is looked at: those who end hundreds need the host.
 */
const othersAfterKillMs = 1_000;

/** A round that is asked for during another waits this many times as long as that one took. */
const restFactor = 8;

/** Entries after which there may be something to do. */
const TELLING: ReadonlySet<string> = new Set<Entry["kind"]>([
  "fleet.killed",
  "worker.stopping",
  "worker.stopped",
  "worker.lapsed",
  "worker.quarantined",
  "worker.unquarantined",
]);

/**
 * Looks after a whole fleet on this host: time that passes, silences, and the processes of workers
 * whose own starter is gone. Any number of stewards may do so at once; what one has done the others
 * find done.
 *
 * Each round lists the sandboxes first and looks at the journal after that: so a sandbox whose
 * worker the journal does not know is an ended one, never one that is about to be admitted.
 */
export class Steward {
  readonly #member: Member;
  readonly #ticker: Ticker;
  readonly #watcher: Watcher;
  readonly #unsubscribe: readonly ((() => void) | undefined)[];
  /** Since when something that another should do has been seen undone, by worker. */
  readonly #undoneSinceMs = new Map<string, number>();
  /** When it was heard that the fleet was killed. */
  #killedAtMs: number | undefined;
  #cancel: (() => void) | undefined;
  #round: Promise<void> | undefined;
  /** What was ended and forgotten here since a round began, and may still be in its listing. */
  readonly #forgotten = new Set<string>();
  /** Whether something was heard during a round that the round may not have seen. */
  #isRoundStale = false;
  /** Workers that may still be frozen though they are not in quarantine; null: any of them. */
  #thawable: Set<string> | null = null;
  /** Whether the last round found sandboxes, or workers that are to end. */
  #hasWork = true;
  readonly #idleRoundEveryMs: number;
  #isClosed = false;

  /** `idleRoundEveryMs`: the pause between rounds while there is no sandbox at all. */
  constructor(
    member: Member,
    watcher: Watcher,
    { idleRoundEveryMs = roundEveryMs }: { readonly idleRoundEveryMs?: number } = {},
  ) {
    this.#idleRoundEveryMs = idleRoundEveryMs;
    const { loop, clock, timers, log } = member.seat;
    this.#member = member;
    this.#watcher = watcher;
    this.#ticker = new Ticker({ loop, clock, timers, log });
    this.#unsubscribe = [
      loop.onEntry((entry) => {
        if (entry.kind === "worker.unquarantined") this.#thawable?.add(entry.data.worker);
        if (entry.kind === "fleet.killed") this.#hearKill();
        const isKilled = this.#killedAtMs !== undefined;
        if (TELLING.has(entry.kind)) this.#later(isKilled ? othersAfterKillMs : soonMs);
      }),
      member.sandboxes?.onForgotten((id) => this.#forgotten.add(id)),
    ];
    this.#ticker.start();
    this.#watcher.start();
    this.#later(soonMs);
  }

  /** Makes the next round now: something may have happened that no entry has told of. */
  hurry(): void {
    if (this.#killedAtMs === undefined) this.#later(0);
  }

  /** Whoever ordered it may have died before he took the permit away. */
  #hearKill(): void {
    const { seat } = this.#member;
    this.#killedAtMs = seat.clock.monotonicMs();
    adoptKill(seat).catch((error: unknown) => {
      if (!this.#isClosed)
        seat.log.warn("the permit could not be taken away yet", { error: errorText(error) });
    });
  }

  /** Stops looking after the fleet; safe to call twice. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const unsubscribe of this.#unsubscribe) unsubscribe?.();
    this.#cancel?.();
    await Promise.all([this.#ticker.stop(), this.#watcher.stop(), this.#round]);
  }

  #later(delayMs: number): void {
    if (this.#isClosed) return;
    this.#isRoundStale = this.#round !== undefined;
    if (this.#isRoundStale) return;
    this.#cancel?.();
    const { timers, clock } = this.#member.seat;
    this.#cancel = timers.after(delayMs, () => {
      const beganMs = clock.monotonicMs();
      this.#round = this.#goRound().finally(() => {
        this.#round = undefined;
        const pauseMs = this.#hasWork ? roundEveryMs : this.#idleRoundEveryMs;
        // Who ends hundreds hears of each: it must not spend its time in listing them.
        const restMs = Math.max(soonMs, restFactor * (clock.monotonicMs() - beganMs));
        this.#later(this.#isRoundStale ? Math.min(restMs, roundEveryMs) : pauseMs);
      });
    });
  }

  /** Never throws: what fails is told to the operator, and tried again in the next round. */
  async #goRound(): Promise<void> {
    const { seat, sandboxes } = this.#member;
    this.#hasWork = true;
    // Whoever kills looks after all there is.
    if (isKilling(seat)) return;
    try {
      await this.#adoptKill();
      this.#forgotten.clear();
      const listed = (await sandboxes?.list()) ?? [];
      const state = await seat.loop.look();
      const records = listed.filter(({ instance }) => !this.#forgotten.has(instance));
      const undone = new Set<string>();
      for (const record of records) {
        this.#thawLeftovers(record, state);
        this.#followRecord(record, state, undone);
      }
      this.#thawable = new Set();
      const known = new Set(records.map(({ instance }) => instance));
      const absent = this.#listStopping(state, known);
      this.#hasWork = records.length + absent.length > 0;
      await Promise.all(absent.map((one) => this.#endAbsent(one)));
      for (const id of this.#undoneSinceMs.keys())
        if (!undone.has(id)) this.#undoneSinceMs.delete(id);
    } catch (error) {
      if (this.#isClosed) return;
      seat.log.warn("a round of the steward failed", { error: errorText(error) });
    }
  }

  /** A kill that could not be journaled is one all the same: it is carried out first. */
  async #adoptKill(): Promise<void> {
    const { seat, hosting } = this.#member;
    if (!(await isKilledUnseen(seat))) return;
    hosting.interruptAll("kill");
    // What is swept here is journaled when the journal can be written again: the sandboxes' records
    // are kept until then.
    await new Sweep({ ...seat, sandboxes: this.#member.sandboxes }).run();
    try {
      await adoptKill(seat);
    } catch (error) {
      seat.log.warn("a kill could not be journaled yet", { error: errorText(error) });
    }
  }

  /** Acts on a sandbox: its own starter's at once, another's only when that one had its time. */
  #followRecord({ instance: id, seen }: SandboxRecord, state: State, undone: Set<string>): void {
    const { sandboxes } = this.#member;
    if (isCanary(id)) return this.#followCanary(id, state, undone);
    const worker = state.workers.get(id);
    const isQuarantined = worker !== undefined && worker.quarantine !== null;
    const isOwn = sandboxes?.isOwn(id) === true;
    if (isOwn || isQuarantined || sandboxes?.freezer.isFrozen(id) === true) {
      sandboxes?.follow(id);
      return;
    }
    const isOver = hasEnded(worker) || worker?.stopping !== null;
    if (!isOver && seen !== "gone") return;
    undone.add(id);
    // Nobody has a right to what still runs for a worker that has ended, or has lapsed.
    const isRightless = hasEnded(worker) && seen !== "gone";
    if (!isRightless && !this.#hadItsTime(id, state, seen)) return;
    if (isOver) sandboxes?.follow(id);
    else sandboxes?.finishLater(id, { graceMs: 0, by: "exit" });
  }

  /** Its supervisor ends it, or the next one; what is older than any can be has none. */
  #followCanary(id: string, { status }: State, undone: Set<string>): void {
    undone.add(id);
    if (!this.#hadTime(id, status === "killed" ? othersAfterKillMs : CANARY_LIFE_MS)) return;
    this.#member.sandboxes?.finishLater(id, { graceMs: 0, by: "left over" });
  }

  /** Whoever lifted a quarantine may have died before it thawed; a thaw too many does no harm. */
  #thawLeftovers({ instance: id }: SandboxRecord, state: State): void {
    const { sandboxes } = this.#member;
    const worker = state.workers.get(id);
    const isFree = worker?.status === "running" && worker.quarantine === null;
    // What this very process holds frozen is being put in quarantine just now.
    if (isFree && sandboxes?.freezer.isFrozen(id) !== true && (this.#thawable?.has(id) ?? true))
      void sandboxes?.freezer.align(id);
  }

  #hadItsTime(id: string, { status }: State, seen: SandboxRecord["seen"]): boolean {
    // What is dead already lives for nobody: whoever killed it is about to say so.
    const isUrgent = status === "killed" && seen !== "gone";
    return this.#hadTime(id, isUrgent ? othersAfterKillMs : othersMs);
  }

  /** Whether it was seen undone for so long, ms. */
  #hadTime(id: string, forMs: number): boolean {
    const nowMs = this.#member.seat.clock.monotonicMs();
    const sinceMs = this.#undoneSinceMs.get(id) ?? this.#killedAtMs ?? nowMs;
    this.#undoneSinceMs.set(id, sinceMs);
    return nowMs - sinceMs >= forMs;
  }

  #listStopping(state: State, withSandbox: ReadonlySet<string>): readonly Worker[] {
    const { hosting } = this.#member;
    return [...state.workers.values()].filter(
      ({ id, status }) =>
        status === "stopping" && !withSandbox.has(id) && hosting.get(id)?.kind !== "here",
    );
  }

  async #endAbsent(worker: Worker): Promise<void> {
    const { seat } = this.#member;
    const absent = evidenceOfAbsence(seat, worker);
    if (absent !== null) await journalEnd(seat, worker.id, absent);
  }
}
