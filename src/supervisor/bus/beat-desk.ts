import { bodyOf, readBeat, type BeatProblem } from "../../bus/beat.ts";
import type { Hub } from "../../bus/hub.ts";
import { healthOf } from "../../bus/subjects.ts";
import { LIMITS } from "../../kernel/limits.ts";
import type { Beat, BeatsAnswer, BusIdentity, RefusedBeat } from "../../ports/bus.ts";
import type { Clock } from "../../ports/clock.ts";

/** What a desk works with. */
export interface BeatDeskOptions {
  readonly hub: Hub;
  readonly clock: Clock;
  /** Whether the roll could take in an instance. */
  readonly hasRoomFor: (beat: Beat) => boolean;
}

/** Where beats come in: each is read by itself, and one that is none spoils no other. */
export class BeatDesk {
  readonly #so: BeatDeskOptions;

  constructor(options: BeatDeskOptions) {
    this.#so = options;
  }

  /** Takes beats of one sender, in order. Never throws, whatever they are. */
  take(from: BusIdentity, beats: readonly unknown[]): BeatsAnswer {
    const { hub, clock } = this.#so;
    const only = from.kind === "service" ? from.id : undefined;
    const atMs = clock.read().wallMs;
    const refused: RefusedBeat[] = [];
    for (const [index, given] of beats.entries()) {
      const { beat, problem } = this.#read(given, only);
      if (problem === undefined)
        hub.tell(healthOf(beat.name, beat.instance), bodyOf(beat), { from, atMs });
      else refused.push({ index, problem });
    }
    if (refused.length > 0) hub.countMalformed(refused.length);
    return { accepted: beats.length - refused.length, refused };
  }

  #read(
    given: unknown,
    only: string | undefined,
  ):
    | { readonly beat: Beat; readonly problem?: undefined }
    | { readonly beat?: undefined; readonly problem: BeatProblem } {
    const read = readBeat(given, only);
    if (read.problem !== undefined) return { problem: read.problem };
    if (this.#so.hasRoomFor(read.beat)) return read;
    const { rollInstancesMax: ofName, rollRowsMax: inAll } = LIMITS;
    const expected = `room in the roll, of at most ${ofName} instances a name and ${inAll} in all`;
    return { problem: { path: "instance", expected, got: "one more" } };
  }
}
