import { openLoop } from "../../runtime/open-loop.ts";
import { Refused, refusedAnswer } from "../refused.ts";
import { actorOf, type Secret, type Surroundings } from "../seat.ts";
import { openSigner } from "../fleet/opening.ts";
import type { OpenStore } from "../fleet/store.ts";

/** How a host's clock is accepted. */
export interface AcceptClockOptions {
  readonly reason?: string;
  /** A name for whoever has looked at the clock, for the record. */
  readonly operator?: string;
}

/** Journal time before and after a clock was accepted. */
export interface AcceptedClock {
  readonly seq: number;
  /** Journal time from here on: the wall clock's, or its own last value where that is later. */
  readonly atMs: number;
  /** Journal time of the entry before. */
  readonly previousAtMs: number;
  /** What the wall clock shows. */
  readonly wallMs: number;
}

/**
 * Takes the host's clock as it is, on record: journal time goes on from the wall clock if that is
 * ahead; if it is behind, from its own last value by time since boot, until the wall clock has
 * caught up. What is past its time by then ends with this very entry.
 *
 * Throws `Fault`s of the store, but never `clock_skew`.
 */
export async function acceptClockIn(
  world: Surroundings,
  so: { readonly store: OpenStore; readonly secret: Secret },
  { reason = "an operator has looked at the clock", operator }: AcceptClockOptions = {},
): Promise<AcceptedClock> {
  const { random, timers, log, clock, host } = world;
  const { journal } = so.store;
  const signer = openSigner(world, so.secret);
  const loop = await openLoop({ journal, signer, random, timers, log });
  const who = { kind: "operator", via: world.via } as const;
  const by = actorOf(host, operator === undefined ? who : { ...who, id: operator });
  try {
    const previousAtMs = (await loop.look()).at_ms;
    const wallMs = clock.read().wallMs;
    const data = { reason, wall_ms: wallMs };
    const answer = await loop.submit({ kind: "clock.accept", data }, by);
    if (!answer.ok) throw new Refused(refusedAnswer(answer.refusal).refusal, answer.seq);
    const { seq, entries } = answer;
    const atMs = entries.at(-1)?.at_ms ?? previousAtMs;
    return Object.freeze({ seq, atMs, previousAtMs, wallMs });
  } finally {
    await loop.close();
  }
}
