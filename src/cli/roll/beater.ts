import { randomInt } from "node:crypto";
import { setTimeout as wait } from "node:timers/promises";
import { Fault } from "../../ports/fault.ts";
import type { SaidByBeat } from "../../kernel/roster/sighting.ts";
import type { Beat, BusLine, Envelope } from "../../ports/bus.ts";
import { InputError } from "../../protocol/input.ts";

/** How soon a beat that nobody took is tried again, ms, and some more by chance. */
const againMs = 1_000;

/** Where beats are given, and where what is asked of an instance is heard. */
export interface BeatLine extends Pick<BusLine, "beats" | "follow"> {
  /** Releases it; safe to call twice. */
  close(): Promise<void>;
}

/** What a beater works with. */
export interface BeaterOptions {
  /** What each beat says, but for what it says of its end. */
  readonly beat: Beat;
  readonly everyMs: number;
  /** Answers a line to whoever takes beats; undefined while nobody does. */
  readonly connect: () => Promise<BeatLine | undefined>;
  /** Told once when nobody takes beats, and once when somebody does again. */
  readonly onReached: (isReached: boolean) => void;
  /** Told what is asked of this instance, each once. */
  readonly onControl: (envelope: Envelope) => void;
}

/**
 * Beats for one instance, over whichever supervisor runs: none need run when it begins, and one
 * that dies is waited for. It hears what is asked of the instance meanwhile.
 */
export class Beater {
  readonly #so: BeaterOptions;
  readonly #asked = new Set<unknown>();
  readonly #closing = new AbortController();
  #line: BeatLine | undefined;
  #following: Promise<void> | undefined;
  #isReached: boolean | undefined;
  beatCount = 0;

  constructor(options: BeaterOptions) {
    this.#so = options;
  }

  /** Beats until the signal fires. Throws an InputError when the beats are none. */
  async run(signal: AbortSignal): Promise<void> {
    let dueMs = performance.now();
    while (!signal.aborted) {
      const isHeard = await this.say("up");
      this.#tell(isHeard);
      const nowMs = performance.now();
      // At a fixed pace: what one beat takes is not added to the time between two.
      dueMs = Math.max(dueMs + this.#so.everyMs, nowMs);
      const nextMs = isHeard
        ? dueMs - nowMs
        : Math.min(dueMs - nowMs, againMs + randomInt(againMs));
      if (!isHeard) dueMs = nowMs + nextMs - this.#so.everyMs;
      await wait(nextMs, undefined, { signal }).catch(() => undefined);
    }
  }

  /** Gives one beat; false when nobody took it. Throws an InputError when it is none. */
  async say(said: SaidByBeat): Promise<boolean> {
    try {
      this.#line ??= await this.#so.connect();
      if (this.#line === undefined) return false;
      this.#follow(this.#line);
      const answer = await this.#line.beats([{ ...this.#so.beat, said, sent_at_ms: Date.now() }]);
      const [refused] = answer.refused;
      if (refused !== undefined) throw new InputError("usage", [refused.problem]);
      this.beatCount += 1;
      return true;
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      // The next one may be taken, by this supervisor or another.
      return false;
    }
  }

  /** Lets go of the supervisor. Safe to call twice. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#following;
    await this.#line?.close();
  }

  #follow(line: BeatLine): void {
    const { beat, onControl } = this.#so;
    const pattern = `system.${beat.name}.${beat.instance}.control`;
    this.#following ??= line
      .follow(
        [pattern],
        (delivery) => {
          if (delivery.kind !== "message") return;
          // A stream that begins anew tells again what is still good.
          const { seq } = delivery.envelope.body;
          if (this.#asked.has(seq)) return;
          this.#asked.add(seq);
          onControl(delivery.envelope);
        },
        this.#closing.signal,
      )
      .catch((error: unknown) => {
        // A name that is none: the beat itself says so, to whoever typed it.
        if (!(error instanceof InputError)) throw error;
      });
  }

  #tell(isReached: boolean): void {
    if (this.#isReached !== isReached && !(isReached && this.#isReached === undefined))
      this.#so.onReached(isReached);
    this.#isReached = isReached;
  }
}
