import type { EventKind } from "../../kernel/event.ts";
import type { Json, JsonObject } from "../../kernel/json.ts";
import type { Place } from "../../kernel/queue/place.ts";
import { placeOf } from "../../kernel/queue/queue.ts";
import { lookAtPlace } from "../../kernel/queue/waiting.ts";
import type { Refusal } from "../../kernel/refusal.ts";
import type { State } from "../../kernel/state.ts";
import type { Loop } from "../loop.ts";
import type { Timers } from "../timers.ts";

/** Whose turns are waited for. */
export interface TurnsOptions {
  readonly loop: Pick<Loop, "state" | "onEntry" | "timeMs">;
  readonly timers: Timers;
}

/** How long a turn is waited for. */
export interface TurnOptions {
  /** At the most, ms. */
  readonly withinMs: number;
  /** Gives the waiting up: then the signal's reason is thrown. */
  readonly signal?: AbortSignal | undefined;
}

/** Events after which it may be somebody's turn; all others take ground, or are about none. */
const MAKES_WAY: ReadonlySet<EventKind> = new Set([
  "lease.released",
  "lease.revoked",
  "lease.lapsed",
  "lease.narrowed",
  "lease.handed_over",
  "lease.fenced",
  // Whoever was served has left its place; it may share what it has.
  "lease.granted",
  "place.left",
  "place.lapsed",
  "worker.stopping",
  "worker.stopped",
  "worker.quarantined",
  "lanes.enacted",
  "contract.enacted",
  "fleet.resumed",
  "fleet.killed",
]);

/** After how many looks others have their turn: one may take tens of ms. */
const LOOKS_AT_ONCE = 4;

/** Whoever waits in this process for the turn of a place in the queue. */
export class Turns {
  readonly #so: TurnsOptions;
  /** By place: what ends the waiting of whoever asked for its turn last. */
  readonly #waiting = new Map<string, () => void>();
  /** Looks that are due, each once, the first due first. */
  readonly #due = new Set<() => void>();
  #isLooking = false;

  constructor(options: TurnsOptions) {
    this.#so = options;
  }

  /**
   * Waits until it may be the turn of a place, or there is no such place any more, or the time is
   * up, or somebody else asks for its turn: of one place one waits. Whether it is its turn decides
   * only whoever asks for it then: this looks at a state that may be late.
   */
  async until(id: string, { withinMs, signal }: TurnOptions): Promise<void> {
    const { loop, timers } = this.#so;
    signal?.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    let cancelWake: () => void = () => undefined;
    let obstacle: Obstacle | undefined;
    const look = (): void => {
      const state = loop.state();
      // With many in line most are no nearer their turn: what was in the way is there still.
      if (obstacle?.isThere(state) === true) return;
      cancelWake();
      const nowMs = Math.max(state.at_ms, loop.timeMs() ?? 0);
      const seen = lookAhead(state, id, nowMs);
      obstacle = seen ?? undefined;
      if (seen === null) resolve();
      else if (seen.untilMs < Infinity)
        cancelWake = timers.after(Math.max(1, seen.untilMs - nowMs), () => resolve());
    };
    const unlisten = loop.onEntry(({ kind }) => {
      if (MAKES_WAY.has(kind)) this.#lookSoon(look);
    });
    const cancel = timers.after(withinMs, () => resolve());
    const giveUp = (): void => reject(signal?.reason as Error);
    signal?.addEventListener("abort", giveUp);
    this.#waiting.get(id)?.();
    this.#waiting.set(id, resolve);
    try {
      look();
      await promise;
    } finally {
      if (this.#waiting.get(id) === resolve) this.#waiting.delete(id);
      this.#due.delete(look);
      signal?.removeEventListener("abort", giveUp);
      unlisten();
      cancel();
      cancelWake();
    }
  }

  /** Entries of one append are told one after another: they are looked at together. */
  #lookSoon(look: () => void): void {
    this.#due.add(look);
    if (this.#isLooking) return;
    this.#isLooking = true;
    queueMicrotask(() => void this.#lookAll());
  }

  async #lookAll(): Promise<void> {
    for (let count = 1; this.#due.size > 0; count += 1) {
      const [look] = this.#due;
      if (look === undefined) break;
      this.#due.delete(look);
      look();
      if (count % LOOKS_AT_ONCE === 0) await this.#so.timers.turn();
    }
    this.#isLooking = false;
  }
}

/** What is in the way of somebody who waits. */
interface Obstacle {
  /** Whether that is there, and as it was. */
  readonly isThere: (state: State) => boolean;
  /** When it is over by itself, journal time; Infinity where it is not. */
  readonly untilMs: number;
}

/** What is in the way of a place; null where nothing may be, and it is to be asked. */
function lookAhead(state: State, id: string, nowMs: number): Obstacle | null {
  const place = placeOf(state.book.queue, id);
  if (place === undefined || place.until_ms <= nowMs || state.status === "killed") return null;
  if (state.status === "paused")
    return { isThere: ({ status }) => status === "paused", untilMs: Infinity };
  try {
    const tried = lookAtPlace(state, place, nowMs);
    if (tried.kind !== "refused" || tried.held.length === 0) return null;
    const { refusal } = tried;
    return { isThere: stillThere(state, place, refusal), untilMs: endOf(refusal) };
  } catch {
    // It cannot be told here, for want of the judge: the decision will say.
    return null;
  }
}

/**
 * Whether the one lease or place that is named is unchanged, and so is the own place. Of several
 * grounds any may come free, and of slots any one: there it is looked anew.
 */
function stillThere(
  { book, contract }: State,
  place: Place,
  { code, facts }: Refusal,
): (state: State) => boolean {
  const { lease_id: leaseId, place: placeId } = facts;
  if (code !== "conflict" || "tried" in facts || "mounted" in facts) return () => false;
  const lease = typeof leaseId === "string" ? book.leases.get(leaseId) : undefined;
  const ahead = typeof placeId === "string" ? placeOf(book.queue, placeId) : undefined;
  if (lease === undefined && ahead === undefined) return () => false;
  return (state) =>
    state.status === "open" &&
    state.contract === contract &&
    placeOf(state.book.queue, place.id) === place &&
    (lease === undefined || state.book.leases.get(lease.id) === lease) &&
    (ahead === undefined || placeOf(state.book.queue, ahead.id) === ahead);
}

/** When what is in the way is over by itself. */
function endOf({ facts }: Refusal): number {
  const all = [facts, ...listOf(facts["tried"]).map((one) => objectOf(objectOf(one)["facts"]))];
  const ends = all.flatMap((each) =>
    [each["expires_at_ms"], each["next_expires_at_ms"], each["until_ms"]].filter(
      (end) => typeof end === "number",
    ),
  );
  return Math.min(Infinity, ...ends);
}

function listOf(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? (value as readonly Json[]) : [];
}

function objectOf(value: Json | undefined): JsonObject {
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  return isObject ? (value as JsonObject) : {};
}
