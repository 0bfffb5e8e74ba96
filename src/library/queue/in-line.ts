import type { Entry } from "../../kernel/entry.ts";
import { placeIdAt } from "../../kernel/queue/place.ts";
import type { Refusal } from "../../kernel/refusal.ts";
import type { Clock } from "../../ports/clock.ts";
import { Fault } from "../../ports/fault.ts";
import type { Timers } from "../../runtime/timers.ts";
import { errorText } from "../error-text.ts";
import { keepsEnding } from "../lease/lost.ts";
import { Trust } from "../lease/trust.ts";
import { holding, settledWithin, unlessAborted } from "../waiting.ts";

/** How long one request for a turn is held back at most, ms: each shows that somebody is there. */
const TURN_MS_MAX = 4_000;

/** The same of the request that takes the place, which is not given up in the middle. */
const FIRST_TURN_MS_MAX = 250;

/** And at the least, whatever the ttl. */
const TURN_MS_MIN = 100;

/** Of a lease's ttl so much may have passed before who waited knows that it has it. */
const TTL_PART = 4;

/** How much later than is counted here a place may end, ms. */
const LATE_MS = 5_000;

/** How long it is waited after what may pass, ms. */
const FAULT_PAUSE_MS = 250;

/** What became of a command, as far as waiting goes by it. */
export type Step =
  | { readonly ok: true; readonly entries: readonly Entry[] }
  | { readonly ok: false; readonly refusal: Refusal };

/** For how long a command is held back until it may be its turn, ms. */
export interface Turn {
  readonly turnMs?: number;
}

/** How a place in the queue is kept up and left. */
export interface Keeper<S extends Step> {
  /** Gives `place.keep`, held back until it may be its turn, for so long at the most, ms. */
  keep(place: string, turnMs: number): Promise<S>;
  /** Gives `place.leave`. */
  leave(place: string): Promise<unknown>;
  /** Releases the lease that an answer says. */
  giveBack(step: S): Promise<unknown>;
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
  /** The place that was waited in last; undefined where none was. */
  readonly place?: string;
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
    const place = step.ok ? placeIn(step.entries) : undefined;
    if (place === undefined) return { step, sentAtMs };
    if (keeper.hasLease(step)) return { step, sentAtMs, place };
    wait.onPlace?.(place);
    const answered = await waitInLine(keeper, { ...wait, place, untilMs });
    if (answered !== "lost") return { ...answered, place };
    if (count === PLACES_MAX) throw keepsEnding("lease.acquire");
  }
}

/**
 * What is asked first is not given up in the middle: nobody would know which place or lease it has
 * come to. Keeps this process running where it waits.
 */
async function askOnce<S extends Step>(
  ask: (waitMs: number | undefined, turn: Turn) => Promise<S>,
  waitMs: number | undefined,
  { ttlMs }: Wait,
): Promise<S> {
  if (waitMs === undefined) return ask(undefined, {});
  const turnMs = Math.floor(Math.min(FIRST_TURN_MS_MAX, waitMs, turnMsFor(ttlMs)));
  return holding(ask(waitMs, { turnMs }));
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
    const step = await keptUnlessAborted(keeper, line, sentAtMs);
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

/**
 * What is asked is not given up in the middle: the place is left, which ends the waiting there, and
 * a lease that it has come to by then is given back.
 */
async function keptUnlessAborted<S extends Step>(
  keeper: Keeper<S>,
  line: Line,
  nowMs: number,
): Promise<S | undefined> {
  const { place, signal, timers } = line;
  const keeping = keptUp(keeper, line, nowMs);
  if (signal === undefined) return keeping;
  try {
    return await unlessAborted(keeping, signal);
  } catch (error) {
    if (!signal.aborted) throw error;
    await keeper.leave(place).catch(errorText);
    const kept = await settledWithin(keeping, LATE_MS, timers);
    const hasLease = kept.kind === "done" && kept.value?.ok === true && keeper.hasLease(kept.value);
    if (hasLease && kept.value !== undefined) await keeper.giveBack(kept.value).catch(errorText);
    throw error;
  }
}

/** Undefined after a fault that may pass, while there is time. */
async function keptUp<S extends Step>(
  keeper: Keeper<S>,
  { place, ttlMs, untilMs }: Line,
  nowMs: number,
): Promise<S | undefined> {
  // The place may last a little longer than is known here: it is not asked for without a pause.
  const turnMs = Math.floor(Math.max(TURN_MS_MIN, Math.min(turnMsFor(ttlMs), untilMs - nowMs)));
  try {
    return await keeper.keep(place, turnMs);
  } catch (error) {
    const mayPass = error instanceof Fault && error.retryable && nowMs < untilMs + LATE_MS;
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
