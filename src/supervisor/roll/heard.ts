import type { JsonObject } from "../../kernel/json.ts";
import { LIMITS } from "../../kernel/limits.ts";
import { rollKey, type RollRow } from "../../kernel/roster/roll.ts";
import { everyOf, type Roster } from "../../kernel/roster/roster.ts";
import {
  judge,
  type Judgement,
  rollStaleAfterMs,
  type SaidByBeat,
  type Sighting,
} from "../../kernel/roster/sighting.ts";
import type { Beat } from "../../ports/bus.ts";
import type { InstancePulse } from "../../ports/pulse.ts";

/** A beat as it was received. */
export interface ReceivedBeat {
  readonly beat: Beat;
  /** Wall time of receipt, ms: for display only. */
  readonly atMs: number;
  /** The watcher's own clock at receipt, ms: what silence is counted by. */
  readonly nowMs: number;
}

/**
 * One instance as this supervisor knows it. What it has not heard itself it only waits for: until
 * the window is over the status on record stands.
 */
export class Heard {
  readonly name: string;
  readonly instance: string;
  readonly key: string;
  count: number;
  said: SaidByBeat;
  declaredMs: number;
  progress: number | undefined;
  /** When it last was another, by the watcher's clock, ms. */
  progressSinceMs: number;
  /** Wall time of receipt of the newest beat, ms; null where none is known. */
  receivedAtMs: number | null;
  skewMs: number | undefined;
  /** Since when nothing was heard, by the watcher's clock, ms. */
  silentSinceMs: number;
  /** Whether this supervisor has heard it itself. */
  isHeard = false;
  /** Whether the pulse store does not have its newest beat. */
  isUnkept = false;
  #about: Beat | undefined;
  #stored: JsonObject = {};

  private constructor(so: { readonly name: string; readonly instance: string; nowMs: number }) {
    this.name = so.name;
    this.instance = so.instance;
    this.key = rollKey(so);
    this.count = 0;
    this.said = "up";
    this.declaredMs = LIMITS.rollEveryMsDefault;
    this.progressSinceMs = so.nowMs;
    this.receivedAtMs = null;
    this.silentSinceMs = so.nowMs;
  }

  /** One that is heard for the first time. */
  static first({ beat, nowMs }: ReceivedBeat): Heard {
    const { name, instance } = beat;
    return new Heard({ name, instance, nowMs });
  }

  /** One that is on record, with what the pulse store still has of it; its window begins now. */
  static onRecord(row: RollRow, pulse: InstancePulse | undefined, nowMs: number): Heard {
    const heard = new Heard({ name: row.name, instance: row.instance, nowMs });
    heard.said = row.status === "stopping" || row.status === "stopped" ? row.status : "up";
    heard.declaredMs = pulse?.everyMs ?? row.every_ms;
    heard.count = pulse?.count ?? 0;
    heard.progress = pulse?.progress;
    heard.receivedAtMs = pulse?.receivedAtMs ?? null;
    heard.#stored = pulse?.about ?? {};
    return heard;
  }

  /** Takes in a beat. */
  take({ beat, atMs, nowMs }: ReceivedBeat): void {
    this.count += 1;
    this.said = beat.said ?? "up";
    this.declaredMs = beat.interval_ms ?? LIMITS.rollEveryMsDefault;
    this.receivedAtMs = atMs;
    this.silentSinceMs = nowMs;
    this.isHeard = true;
    this.#about = beat;
    if (beat.progress !== undefined && beat.progress !== this.progress) {
      this.progress = beat.progress;
      this.progressSinceMs = nowMs;
    }
    // Only ever shown: a sender's clock judges nothing.
    this.skewMs = beat.sent_at_ms === undefined ? undefined : Math.round(atMs - beat.sent_at_ms);
  }

  /** Takes back instants that lie ahead of the watcher's clock, which was set back. */
  notAfter(nowMs: number): void {
    this.silentSinceMs = Math.min(this.silentSinceMs, nowMs);
    this.progressSinceMs = Math.min(this.progressSinceMs, nowMs);
  }

  /** What it said of itself with its newest beat that is known. */
  get about(): JsonObject {
    if (this.#about === undefined) return this.#stored;
    const { pid, host, version, extra } = this.#about;
    return {
      ...(pid === undefined ? {} : { pid }),
      ...(host === undefined ? {} : { host }),
      ...(version === undefined ? {} : { version }),
      ...(extra === undefined ? {} : { extra }),
    };
  }

  /** How it is told to the rules; whole ms, rounded down: silence is never made longer. */
  sighting(nowMs: number): Sighting {
    return {
      name: this.name,
      instance: this.instance,
      every_ms: this.declaredMs,
      silent_ms: Math.max(0, Math.floor(nowMs - this.silentSinceMs)),
      said: this.said,
      beat_count: this.count,
    };
  }

  /**
   * How it stands now, by the very rule that decides. Of what was not heard here the record
   * stands, answered as undefined, until it was silent for its whole window.
   */
  judged(nowMs: number, everyMs: number): Judgement | undefined {
    const sighting = this.sighting(nowMs);
    if (!this.isHeard && sighting.silent_ms < rollStaleAfterMs(everyMs)) return undefined;
    return judge(sighting, everyMs);
  }

  /** The row of the pulse store; undefined while nothing was ever heard. */
  pulse(): InstancePulse | undefined {
    if (this.receivedAtMs === null) return undefined;
    const { name, instance, count, receivedAtMs, declaredMs: everyMs, said, about } = this;
    const row = { name, instance, count, receivedAtMs, everyMs, said, about };
    return this.progress === undefined ? row : { ...row, progress: this.progress };
  }
}

/** The intervals of a roster, found in one step; the roster's word comes before the beat's own. */
export class Intervals {
  readonly #byName = new Map<string, number>();
  #roster: Roster | undefined;

  /** How often an instance of a name is to beat, ms. */
  of(roster: Roster, name: string, declaredMs?: number): number {
    if (roster !== this.#roster) {
      this.#byName.clear();
      for (const { name: known } of roster.expected)
        this.#byName.set(known, everyOf(roster, known));
      this.#roster = roster;
    }
    return this.#byName.get(name) ?? everyOf(NOBODY, name, declaredMs);
  }
}

const NOBODY: Roster = { expected: [] };
