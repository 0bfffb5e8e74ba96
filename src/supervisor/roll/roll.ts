// Who is alive of the services, in the one process that hears them all:
//
//     hub ──beats──▶ heard ──once a second──▶ judged ──what differs from the record──▶ journal
//                      └──────────────────▶ pulse.db, together
//
// Silence is counted by this process's own monotonic clock from receipt on. Time in which it did
// not run itself is held against nobody. What a beat says of clocks is shown and judges nothing.

import { ALL_BEATS } from "../../bus/subjects.ts";
import type { Hub } from "../../bus/hub.ts";
import type { Entry } from "../../kernel/entry.ts";
import { LIMITS } from "../../kernel/limits.ts";
import type { InstanceName } from "../../kernel/roster/command.ts";
import { rollKey } from "../../kernel/roster/roll.ts";
import { RollRoom } from "../../kernel/roster/room.ts";
import type { Sighting } from "../../kernel/roster/sighting.ts";
import { SUPERVISOR_NAME } from "../../kernel/roster/roster.ts";
import { errorText } from "../../library/error-text.ts";
import { HISTORY_MS, RollHistory } from "../../library/roll/history.ts";
import { supervisorOf, type Seat } from "../../library/seat.ts";
import type { Beat, Envelope } from "../../ports/bus.ts";
import type { InstancePulse } from "../../ports/pulse.ts";
import { whoToForget } from "./forgetting.ts";
import { Heard, Intervals } from "./heard.ts";
import { KeptPulse } from "./kept-pulse.ts";
import { Paces } from "./paces.ts";

/** How often it looks while somebody beats, and while nobody does, ms. */
const LOOK_EVERY_MS = 1_000;
const IDLE_EVERY_MS = 10_000;

/** How often it looks who may be forgotten, ms. */
const FORGET_EVERY_MS = 600_000;

/** How long it leaves the journal alone after it said no, ms. */
const REFUSED_MS = 60_000;

/** How far a look may be late before the time in between counts for nobody, ms. */
const LATE_MS = 1_000;

/** The roll of a supervisor; see the head of this file. */
export class Roll {
  readonly #seat: Seat;
  readonly #hub: Hub;
  readonly #kept: KeptPulse;
  readonly history = new RollHistory();
  readonly intervals = new Intervals();
  readonly #heard = new Map<string, Heard>();
  readonly #room = new RollRoom();
  readonly #paces = new Paces(() => this.nowMs());
  #unhear: () => void = () => undefined;
  #cancel: () => void = () => undefined;
  #dueMs = 0;
  #isQuiet = true;
  /** How long this process did not run, ms: taken off every reading of its clock. */
  #lostMs = 0;
  #forgetAtMs = 0;
  #silentUntilMs = -Infinity;
  #looking: Promise<void> | undefined;
  #isClosed = false;
  /** The supervisor itself, as it is heard over the bus. */
  own: Heard | undefined;
  /** When it began to listen: wall time, ms. */
  readonly sinceMs: number;

  constructor(seat: Seat, hub: Hub) {
    this.#seat = seat;
    this.#hub = hub;
    this.#kept = new KeptPulse(seat);
    this.sinceMs = seat.clock.read().wallMs;
  }

  /** Begins to listen. Of whom the record has each gets a whole window to be heard in. */
  async begin(): Promise<void> {
    const pulses = await this.#readPulses();
    const { roll } = this.#seat.loop.state();
    const nowMs = this.nowMs();
    for (const row of roll.values()) {
      const key = rollKey(row);
      this.#add(Heard.onRecord(row, pulses.get(key), nowMs));
    }
    this.#unhear = this.#hub.listen(ALL_BEATS, (envelope) => this.#take(envelope));
    this.#forgetAtMs = nowMs + LOOK_EVERY_MS;
    this.#isQuiet = this.#heard.size === 0;
    this.#later();
  }

  /** All instances that are known, or those of a name. */
  *instances(name?: string): Iterable<Heard> {
    for (const heard of this.#heard.values())
      if (name === undefined || heard.name === name) yield heard;
  }

  /** Whether one more instance could be taken in, or this one is known. */
  hasRoomFor(one: InstanceName): boolean {
    if (this.#heard.has(rollKey(one))) return true;
    return this.#room.admits(this.#seat.loop.state().roster, one.name);
  }

  /** The clock that silence is counted by, ms. */
  nowMs(): number {
    return this.#seat.clock.monotonicMs() - this.#lostMs;
  }

  /** Takes in an entry of the journal. */
  hear(entry: Entry): void {
    if (entry.kind === "roll.changed") this.history.hear(entry);
    if (entry.kind === "roll.forgotten") this.#forget(entry.data.instances);
  }

  /** Looks now: judges all, and tells the journal what changed. Never rejects. */
  look(): Promise<void> {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  /** Looks once more and ends. Safe to call twice. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#cancel();
    this.#unhear();
    await this.#looking;
    await this.look();
  }

  #take({ body, at_ms: atMs }: Envelope): void {
    // On this subject there is only what the beat desk has read.
    const beat = body as unknown as Beat;
    const received = { beat, atMs, nowMs: this.nowMs() };
    if (beat.name === SUPERVISOR_NAME) {
      // Of itself it has no past on record: where there is a roll, there is a supervisor.
      this.own ??= Heard.first(received);
      this.own.take(received);
      return;
    }
    const key = `${beat.name}/${beat.instance}`;
    let heard = this.#heard.get(key);
    if (heard === undefined) {
      heard = Heard.first(received);
      this.#add(heard);
    }
    heard.take(received);
    this.#kept.note(heard);
    if (this.#isQuiet) this.#wake();
  }

  #add(heard: Heard): void {
    this.#heard.set(heard.key, heard);
    this.#room.add(heard.name);
  }

  /** Somebody beats after nobody did: the next look is near. */
  #wake(): void {
    this.#isQuiet = false;
    this.#cancel();
    this.#later();
  }

  #later(): void {
    // One that somebody's beat has set meanwhile is not left running beside it.
    this.#cancel();
    if (this.#isClosed) return;
    const delayMs = this.#isQuiet ? IDLE_EVERY_MS : LOOK_EVERY_MS;
    this.#dueMs = this.#seat.clock.monotonicMs() + delayMs;
    this.#cancel = this.#seat.timers.after(delayMs, () => {
      this.#pass();
      void this.look().then(() => this.#later());
    });
  }

  /** While this process did not run, it heard nobody: that time is not held against anybody. */
  #pass(): void {
    const lateMs = this.#seat.clock.monotonicMs() - this.#dueMs;
    if (lateMs <= LATE_MS) return;
    this.#lostMs += lateMs;
    // What came in before this was noticed was heard now, and not in what is the future again.
    const nowMs = this.nowMs();
    for (const heard of this.#heard.values()) heard.notAfter(nowMs);
  }

  async #look(): Promise<void> {
    await this.#kept.flush();
    const changed = this.#judge();
    await this.#observe(changed);
    if (this.nowMs() >= this.#forgetAtMs) await this.#forgetOld();
  }

  /** Everybody whose status differs from the record, as many as one command takes. */
  #judge(): readonly Sighting[] {
    const { roll, roster } = this.#seat.loop.state();
    const nowMs = this.nowMs();
    const changed: Sighting[] = [];
    let room: RollRoom | undefined;
    let lively = 0;
    for (const heard of this.#heard.values()) {
      const everyMs = this.intervals.of(roster, heard.name, heard.declaredMs);
      const judged = heard.judged(nowMs, everyMs);
      const row = roll.get(heard.key);
      const status = judged?.status ?? row?.status;
      if (status === "ok" || status === "stopping") lively += 1;
      if (judged === undefined || judged.status === row?.status) continue;
      if (changed.length === LIMITS.rollPerDecisionMax) continue;
      if (row === undefined) {
        room ??= RollRoom.beside(roll.values());
        if (!room.admits(roster, heard.name)) continue;
        room.add(heard.name);
      }
      if (this.#paces.take(heard.name)) changed.push(heard.sighting(nowMs));
    }
    // Nobody who could go silent: there is nothing to look for until somebody beats.
    this.#isQuiet = lively === 0 && changed.length === 0;
    return changed;
  }

  async #observe(sightings: readonly Sighting[]): Promise<void> {
    if (sightings.length > 0) await this.#submit({ kind: "roll.observe", data: { sightings } });
  }

  /** Forgets who ended a day ago, and earlier where it is crowded. */
  async #forgetOld(): Promise<void> {
    const beforeMs = this.#seat.clock.read().wallMs - HISTORY_MS;
    const old = whoToForget(this.#seat.loop.state(), beforeMs);
    const instances = old.slice(0, LIMITS.rollPerDecisionMax);
    // With more to come, the next look goes on.
    if (old.length <= instances.length) this.#forgetAtMs = this.nowMs() + FORGET_EVERY_MS;
    if (instances.length > 0) await this.#submit({ kind: "roll.forget", data: { instances } });
  }

  /** Never rejects: whatever failed is seen again by the next look. */
  async #submit(command: Parameters<Seat["loop"]["submit"]>[0]): Promise<void> {
    const { loop, log, clock } = this.#seat;
    if (clock.monotonicMs() < this.#silentUntilMs) return;
    let why: string | undefined;
    try {
      const answer = await loop.submit(command, supervisorOf(this.#seat));
      if (!answer.ok) why = answer.refusal.message;
    } catch (error) {
      why = errorText(error);
    }
    if (why === undefined) return;
    // Each no would be an entry, or a wait: it is not asked for every second.
    this.#silentUntilMs = clock.monotonicMs() + REFUSED_MS;
    if (!this.#isClosed) log.warn("the roll could not be written down", { error: why });
  }

  #forget(instances: readonly InstanceName[]): void {
    for (const one of instances) {
      if (this.#heard.delete(rollKey(one))) this.#room.remove(one.name);
      if (this.#room.count(one.name) === 0) this.#paces.drop(one.name);
      this.history.forget(rollKey(one));
    }
    void this.#kept.forget(instances);
  }

  async #readPulses(): Promise<ReadonlyMap<string, InstancePulse>> {
    const { store, log } = this.#seat;
    try {
      const rows = await store.pulse.readInstances();
      return new Map(rows.map((row) => [rollKey(row), row]));
    } catch (error) {
      // Only for display; what is on record is in the journal.
      log.warn("beats of services could not be read", { error: errorText(error) });
      return new Map();
    }
  }
}
