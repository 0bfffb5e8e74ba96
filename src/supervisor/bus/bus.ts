import { Hub } from "../../bus/hub.ts";
import { asToken } from "../../bus/subject.ts";
import { healthOf, workerSubject } from "../../bus/subjects.ts";
import type { Entry } from "../../kernel/entry.ts";
import { LIMITS } from "../../kernel/limits.ts";
import { SUPERVISOR_NAME, type Roster } from "../../kernel/roster/roster.ts";
import { errorText } from "../../library/error-text.ts";
import { rollDocument } from "../../library/roll/document.ts";
import { workerSights, type WorkerPulse } from "../../library/roll/worker-sights.ts";
import type { Seat } from "../../library/seat.ts";
import type { RollDocument } from "../../ports/bus.ts";
import { readRecent } from "../roll/recent.ts";
import { Roll } from "../roll/roll.ts";
import { ownSights, serviceSights } from "../roll/sights.ts";
import { announce, announceControl } from "./announcer.ts";
import { BeatDesk } from "./beat-desk.ts";

/** How many random bytes tell the messages of one start of a supervisor from those of another. */
const RUN_BYTES = 8;

/** How often a listener's failure is told at most, ms. */
const TOLD_EVERY_MS = 60_000;

/** The bus of a supervisor with all that speaks and listens in its own process. */
export class SupervisorBus {
  readonly hub: Hub;
  readonly desk: BeatDesk;
  readonly roll: Roll;
  readonly #seat: Seat;
  readonly #version: string;
  readonly #instance: string;
  readonly #sinceMs: number;
  #cancel: () => void = () => undefined;
  #toldMs = -Infinity;
  #isClosed = false;

  constructor(seat: Seat, so: { readonly version: string }) {
    this.#seat = seat;
    this.#version = so.version;
    this.#instance = asToken(`${seat.host.id.slice(0, 12)}-${process.pid}`);
    this.#sinceMs = seat.clock.read().wallMs;
    this.hub = new Hub({
      fleet: seat.fleet,
      clock: seat.clock,
      run: Buffer.from(seat.random.bytes(RUN_BYTES)).toString("hex"),
      onBroken: (error) => this.#tellBroken(error),
    });
    this.roll = new Roll(seat, this.hub);
    const hasRoomFor: Roll["hasRoomFor"] = (one) => this.roll.hasRoomFor(one);
    this.desk = new BeatDesk({ hub: this.hub, clock: seat.clock, hasRoomFor });
  }

  /** Begins to listen and to beat; what happened before is read up meanwhile. */
  async begin(): Promise<void> {
    await this.roll.begin();
    this.#beat();
    void this.#readUp();
  }

  /** Takes in an entry of the journal, and tells the bus. */
  hear(entry: Entry): void {
    this.roll.hear(entry);
    announce(this.hub, this.#seat.fleet, entry);
  }

  /** Tells the bus that a worker beats. */
  hearWorker(worker: string, progress: number | undefined): void {
    const body = progress === undefined ? { worker } : { worker, progress };
    const from = { kind: "worker", id: worker } as const;
    this.hub.tell(workerSubject(this.#seat.fleet, worker, "health"), body, { from });
  }

  /** Who is alive, as it is now; where a name is given, the supervisor and that name alone. */
  async document(name?: string): Promise<RollDocument> {
    const { clock, loop } = this.#seat;
    const pulses = await this.#workerPulses();
    const state = loop.state();
    const atMs = clock.read().wallMs;
    return rollDocument({
      atMs,
      bus: { up: true, since_ms: this.#sinceMs, ...this.hub.counts },
      watchingSinceMs: this.roll.sinceMs,
      roster: only(state.roster, name),
      own: ownSights(this.roll, state, atMs),
      services: serviceSights(this.roll, state, { atMs, name }),
      workers: workerSights(state, { pulses, nowMs: atMs, name }),
      everyMs: (asked) => this.roll.intervals.of(state.roster, asked),
    });
  }

  /** Ends all streams, and writes down what was heard last. Safe to call twice. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cancel();
    this.hub.close();
    await this.roll.close();
  }

  /** The supervisor's own beat, on the very way that all others take. */
  #beat(): void {
    const everyMs = LIMITS.rollEveryMsDefault;
    const { clock, timers, host } = this.#seat;
    const atMs = clock.read().wallMs;
    const body = {
      name: SUPERVISOR_NAME,
      instance: this.#instance,
      interval_ms: everyMs,
      sent_at_ms: atMs,
      pid: process.pid,
      host: host.id,
      version: this.#version,
    };
    const subject = healthOf(SUPERVISOR_NAME, this.#instance);
    this.hub.tell(subject, body, { from: { kind: "supervisor" }, atMs });
    this.#cancel = timers.after(everyMs, () => this.#beat());
  }

  /** Reads what happened before, for who looks, and tells again what is still asked of somebody. */
  async #readUp(): Promise<void> {
    try {
      const { changes, requests } = await readRecent(this.#seat, this.#seat.loop.head().seq);
      if (this.#isClosed) return;
      this.roll.history.recall(changes);
      const nowMs = this.#seat.clock.read().wallMs;
      for (const entry of requests) {
        const leftMs = entry.at_ms + entry.data.ttl_ms - nowMs;
        if (leftMs > 0) announceControl(this.hub, entry, Math.min(leftMs, entry.data.ttl_ms));
      }
    } catch (error) {
      if (this.#isClosed) return;
      this.#seat.log.warn("the roll's past could not be read", { error: errorText(error) });
    }
  }

  async #workerPulses(): Promise<ReadonlyMap<string, WorkerPulse>> {
    try {
      const { rows } = await this.#seat.store.pulse.read();
      return new Map(rows.map((row) => [row.worker, row]));
    } catch {
      // Beats may be lost at any time; then nothing is shown of them.
      return new Map();
    }
  }

  #tellBroken(error: unknown): void {
    const nowMs = this.#seat.clock.monotonicMs();
    if (nowMs - this.#toldMs < TOLD_EVERY_MS) return;
    this.#toldMs = nowMs;
    this.#seat.log.warn("a message could not be borne", { error: errorText(error) });
  }
}

function only({ expected }: Roster, name: string | undefined): Roster {
  return { expected: expected.filter((one) => name === undefined || one.name === name) };
}
