import type { Entry } from "../../kernel/entry.ts";
import { placeIdAt } from "../../kernel/queue/place.ts";
import type { Refusal } from "../../kernel/refusal.ts";
import type { Clock } from "../../ports/clock.ts";
import { Fault } from "../../ports/fault.ts";
import type { Timers } from "../../runtime/timers.ts";
import { errorText } from "../error-text.ts";
import { keepsEnding } from "../lease/lost.ts";
import { Trust } from "../lease/trust.ts";
import { holding, unlessAborted } from "../waiting.ts";

/** How long one request for a turn is held back at most, ms: each shows that somebody is there. */
const TURN_MS_MAX = 4_000;

/** The same of the request that takes the place: then its giver is told where it waits. */
const FIRST_TURN_MS_MAX = 1_000;

/** And at the least, whatever the ttl. */
const TURN_MS_MIN = 100;

/** Of a lease's ttl so much may have passed before who waited knows that it has it. */
const TTL_PART = 4;

/** How long it is waited after what may pass, ms. */
const FAULT_PAUSE_MS = 250;

/** What became of a command, as far as waiting goes by it. */
export type Step =
  | { readonly ok: true; readonly entries: readonly Entry[] }
  | { readonly ok: false; readonly refusal: Refusal };

/** How long a command is held back until it may be its turn, and what gives that up. */
export interface Turn {
  readonly turnMs?: number;
  readonly signal?: AbortSignal;
}

/** How a place in the queue is kept up and left. */
export interface Keeper<S extends Step> {
  /** Gives `place.keep`, held back until it may be its turn. */
  keep(place: string, turn: Turn): Promise<S>;
  /** Gives `place.leave`. */
  leave(place: string): Promise<unknown>;
  /** Whether an answer says which lease the place has come to. */
  hasLease(step: S): boolean;
}

/** For what it is waited, and how long. */
export interface Wait {
  /** How long at the most, ms; undefined: it is not waited. */
  readonly waitMs: number | undefined;
  /** Of the lease that is waited for, ms. */
  readonly ttlMs: number;
  readonly clock: Clock;
  readonly timers: Timers;
  /** Gives the waiting up: its reason is thrown then. */
  readonly signal?: AbortSignal | undefined;
  /** Told of each place that it waits in. */
  readonly onPlace?: ((place: string) => void) | undefined;
}

/** An answer, and when what it answers was sent, by {@link Trust.now}. */
export interface Answered<S extends Step> {
  readonly step: S;
  readonly sentAtMs: number;
}

/** How often it is asked again after a place was lost that was waited in. */
const PLACES_MAX = 8;

/**
 * Asks for a lease, and where that is answered with a place in the queue waits in it until it has
 * come to a lease or to a refusal. `ask` is told how long it is still waited, and for how long its
 * answer may be held back for that lease. A place that is lost, because its holder could not keep
 * it up, is asked for anew, within the time. Keeps this process running. What may pass is tried
 * again until the time is up. Throws what does not, and the signal's reason; then it is left.
 */
export async function askInLine<S extends Step>(
  ask: (waitMs: number | undefined, turn: Turn) => Promise<S>,
  keeper: Keeper<S>,
  wait: Wait,
): Promise<Answered<S>> {
  const { clock, waitMs } = wait;
  const untilMs = Trust.now(clock) + (waitMs ?? 0);
  for (let count = 1; ; count += 1) {
    wait.signal?.throwIfAborted();
    const sentAtMs = Trust.now(clock);
    const leftMs = Math.max(1, Math.ceil(untilMs - sentAtMs));
    const step = await askOnce(ask, count === 1 ? waitMs : leftMs, wait);
    const place = step.ok && !keeper.hasLease(step) ? placeIn(step.entries) : undefined;
    if (place === undefined) return { step, sentAtMs };
    wait.onPlace?.(place);
    const answered = await waitInLine(keeper, { ...wait, place, untilMs });
    if (answered !== "lost") return answered;
    if (count === PLACES_MAX) throw keepsEnding("lease.acquire");
  }
}

/** Whoever does not wait is held back by nothing, and holds this process up no longer either. */
async function askOnce<S extends Step>(
  ask: (waitMs: number | undefined, turn: Turn) => Promise<S>,
  waitMs: number | undefined,
  { ttlMs, signal }: Wait,
): Promise<S> {
  if (waitMs === undefined) return ask(undefined, {});
  const turnMs = Math.floor(Math.min(FIRST_TURN_MS_MAX, waitMs, turnMsFor(ttlMs)));
  const turn = signal === undefined ? { turnMs } : { turnMs, signal };
  const asked = holding(ask(waitMs, turn));
  return signal === undefined ? asked : unlessAborted(asked, signal);
}

interface Line extends Wait {
  readonly place: string;
  /** Until when, by {@link Trust.now}. */
  readonly untilMs: number;
}

/** The place that a decision has given, if it has. */
export function placeIn(entries: readonly Entry[]): string | undefined {
  const queued = entries.find(({ kind }) => kind === "place.queued");
  return queued && placeIdAt(queued.seq);
}

async function waitInLine<S extends Step>(
  keeper: Keeper<S>,
  line: Line,
): Promise<Answered<S> | "lost"> {
  let isOver = false;
  try {
    const answered = await holding(goOn(keeper, line));
    isOver = answered === "lost" || answered.step.ok || isEnd(answered.step.refusal);
    return answered;
  } finally {
    // Nobody behind it is to wait for a place that is nobody's; if this fails it lapses.
    if (!isOver) await keeper.leave(line.place).catch(errorText);
  }
}

async function goOn<S extends Step>(keeper: Keeper<S>, line: Line): Promise<Answered<S> | "lost"> {
  const { place, clock, timers, untilMs, signal } = line;
  for (;;) {
    signal?.throwIfAborted();
    const sentAtMs = Trust.now(clock);
    const step = await keptUp(keeper, line, sentAtMs);
    if (step === undefined) {
      await timers.wait(FAULT_PAUSE_MS);
      continue;
    }
    if (step.ok && keeper.hasLease(step)) return { step, sentAtMs };
    const isGone = step.ok
      ? // It has what it waited for by another way.
        step.entries.some(({ kind, data }) => {
          return kind === "place.left" && "place" in data && data.place === place;
        })
      : isLost(step.refusal) && sentAtMs < untilMs;
    if (isGone) return "lost";
    if (!step.ok) return { step, sentAtMs };
  }
}

/** Undefined after a fault that may pass, while there is time. */
async function keptUp<S extends Step>(
  keeper: Keeper<S>,
  { place, ttlMs, untilMs, signal }: Line,
  nowMs: number,
): Promise<S | undefined> {
  const turnMs = Math.floor(Math.max(0, Math.min(turnMsFor(ttlMs), untilMs - nowMs)));
  try {
    if (signal === undefined) return await keeper.keep(place, { turnMs });
    return await unlessAborted(keeper.keep(place, { turnMs, signal }), signal);
  } catch (error) {
    const mayPass = error instanceof Fault && error.retryable && nowMs < untilMs;
    if (!mayPass) throw error;
    return undefined;
  }
}

/** How long a request may be held back for a lease of so long a ttl, ms. */
function turnMsFor(ttlMs: number): number {
  return Math.min(TURN_MS_MAX, Math.max(TURN_MS_MIN, ttlMs / TTL_PART));
}

/** Whether a place was lost that nobody has taken on purpose. */
function isLost({ code, facts }: Refusal): boolean {
  return code === "place_ended" && !("cancelled" in facts);
}

/** Whether a refusal says that the place is over anyway. */
function isEnd({ code }: Refusal): boolean {
  return code === "wait_timeout" || code === "place_ended" || code === "fleet_killed";
}
