import type { CommandMap } from "../command.ts";
import { grant, type Ruling } from "../decision.ts";
import type { Event } from "../event.ts";
import { checkAlive } from "../fleet/openness.ts";
import { attempt, type Attempted } from "../lease/acquisition.ts";
import { leasesOf, type LeaseBook } from "../lease/book.ts";
import { isClaimOf } from "../lease/claim.ts";
import { checkNewHolder, shown } from "../lease/holding.ts";
import { isHeldAt, nameOf, type Claim, type Lease } from "../lease/lease.ts";
import { LIMITS } from "../limits.ts";
import { refuse, type Refusal } from "../refusal.ts";
import type { State } from "../state.ts";
import { writeInstant } from "../time/instant.ts";
import { blockersOf } from "./blockers.ts";
import { lookForCircle } from "./deadlock.ts";
import { keptUntil } from "./enqueue.ts";
import { isWaitingAt, type Place } from "./place.ts";
import { placeOf, placesOverBy } from "./queue.ts";

interface Now {
  readonly atMs: number;
  readonly ended: string | undefined;
}

/** A place that somebody may act on, or the refusal that says why not. */
type Found =
  { readonly ok: true; readonly place: Place } | { readonly ok: false; readonly refusal: Refusal };

/**
 * Decides `place.keep`: whose turn it is takes up what was waited for, by all checks of an
 * acquisition; else the place is kept for its time from now. What was taken up already is left as
 * it is, and nothing is written. While the fleet is paused places are kept, and nothing is given.
 */
export function decideKeep(state: State, request: CommandMap["place.keep"], now: Now): Ruling {
  const killed = checkAlive(state);
  if (killed !== null) return { ok: false, refusal: killed };
  const found = findPlace(state, request, now.atMs);
  if (!found.ok) return takenUp(state, request, now.atMs) === undefined ? found : grant();
  const { place } = found;
  const { ask, grounds, holder, rank } = place;
  const unfit = checkNewHolder(state, holder, now.ended);
  if (unfit !== null) return { ok: false, refusal: unfit };
  const tried = state.status === "paused" ? undefined : tryPlace(state, place, now.atMs);
  if (tried?.kind === "granted") return grant(tried.event);
  // What it waited for it has by another way.
  if (tried?.kind === "kept") return grant(left(place.id));
  if (tried !== undefined && tried.held.length === 0) return { ok: false, refusal: tried.refusal };
  const { stirred_seq } = state.book.queue;
  const waiter = { holder, ask, grounds, rank };
  const outlook = stirred_seq < rank ? undefined : lookForCircle(state.book, waiter, now.atMs);
  if (outlook?.kind === "circle") return { ok: false, refusal: outlook.refusal };
  const until_ms = keptUntil(now.atMs, place.deadline_ms);
  const moves = until_ms - place.until_ms;
  const isWorthIt =
    moves >= LIMITS.placeMovesMsMin || (moves > 0 && until_ms === place.deadline_ms);
  return isWorthIt ? grant({ kind: "place.kept", data: { place: place.id, until_ms } }) : grant();
}

/** What becomes of a place now, as it is decided. */
function tryPlace(state: State, place: Place, atMs: number): Attempted {
  const { ask, holder, rank, id } = place;
  return attempt(state, { ...ask, holder }, { atMs, rank, place: id });
}

/** Whether it may be the turn of a place: as it is decided, but for which obstacle is told. */
export function lookAtPlace(state: State, place: Place, atMs: number): Attempted {
  const { ask, holder, rank, id } = place;
  return attempt(state, { ...ask, holder }, { atMs, rank, place: id, isLook: true });
}

/** The live lease that a place has come to, as its holder may know. */
export function takenUp(
  { book }: State,
  { place, claim }: { readonly place: string; readonly claim: Claim },
  atMs: number,
): Lease | undefined {
  const { name } = { name: undefined, ...claim };
  const whose = "worker" in claim ? claim : name === undefined ? undefined : { name };
  if (whose === undefined) return undefined;
  for (const lease of leasesOf(book, whose))
    if (lease.place === place && isHeldAt(lease, atMs) && isClaimOf(claim, lease.holder))
      return lease;
  return undefined;
}

/** Decides `place.leave`: by its holder; who has left already has left. */
export function decideLeave(state: State, request: CommandMap["place.leave"], now: Now): Ruling {
  const place = placeOf(state.book.queue, request.place);
  if (place === undefined || !isWaitingAt(place, now.atMs)) return grant();
  const found = findPlace(state, request, now.atMs);
  return found.ok ? grant(left(place.id)) : found;
}

/** Decides `place.cancel`: an operator ends somebody's waiting. */
export function decideCancel(state: State, request: CommandMap["place.cancel"], now: Now): Ruling {
  const { place: id, reason } = request;
  const place = placeOf(state.book.queue, id);
  if (place === undefined || !isWaitingAt(place, now.atMs))
    return { ok: false, refusal: endedPlace(id, place) };
  return grant({ kind: "place.left", data: { place: id, cause: "operator", reason } });
}

/**
 * Places whose end has been past for a while by `atMs`, as the entries that say so. From its end on
 * a place keeps nobody from anything, recorded or not (I8); it stays a little longer so that its
 * holder is told why.
 */
export function placeLapses({ book }: State, atMs: number): readonly Event[] {
  const events: Event[] = [];
  for (const place of placesOverBy(book.queue, atMs - LIMITS.placeToldMs)) {
    events.push({ kind: "place.lapsed", data: { place: place.id, cause: causeOf(place) } });
    if (events.length === LIMITS.placeLapsesPerDecisionMax) break;
  }
  return events;
}

function causeOf({ cancelled, until_ms, deadline_ms }: Place): "cancelled" | "unkept" | "deadline" {
  if (cancelled !== null) return "cancelled";
  return until_ms < deadline_ms ? "unkept" : "deadline";
}

function left(place: string): Event {
  return { kind: "place.left", data: { place, cause: "holder" } };
}

function findPlace(
  { book }: State,
  { place: id, claim }: { readonly place: string; readonly claim: Claim },
  atMs: number,
): Found {
  const place = placeOf(book.queue, id);
  if (place === undefined) return { ok: false, refusal: endedPlace(id, undefined) };
  if (!isClaimOf(claim, place.holder)) {
    const { holder } = place;
    const message = `place ${id} must be acted on by whoever waits in it, ${shown(holder)}`;
    const facts = { place: id, holder: nameOf(holder) };
    return { ok: false, refusal: refuse("holder_mismatch", message, facts) };
  }
  if (isWaitingAt(place, atMs)) return { ok: true, place };
  const isTimeUp = causeOf(place) === "deadline";
  return { ok: false, refusal: isTimeUp ? timedOut(book, place, atMs) : endedPlace(id, place) };
}

function endedPlace(id: string, place: Place | undefined): Refusal {
  const must = `place ${id} in the queue must be somebody's`;
  if (place === undefined) return refuse("place_ended", `${must}, it is nobody's`, { place: id });
  const { cancelled, until_ms } = place;
  if (cancelled !== null) {
    const message = `${must}, an operator has ended the waiting: ${cancelled}`;
    return refuse("place_ended", message, { place: id, cancelled });
  }
  const message = `${must}, it was not kept up by ${writeInstant(until_ms)}`;
  return refuse("place_ended", message, { place: id, until_ms });
}

function timedOut(book: LeaseBook, place: Place, atMs: number): Refusal {
  const { id, queued_at_ms, deadline_ms } = place;
  const waited_ms = deadline_ms - queued_at_ms;
  const inWay = blockersOf(book, place, atMs);
  const told = inWay.map(({ holder, by }) => `${shown(holder)} (${by})`).join(", ");
  const why = told === "" ? "it was not" : `in its way are ${told}`;
  const message = `what ${id} waited for must be had within ${waited_ms} ms, ${why}`;
  const behind = inWay.map(({ holder, by }) => ({ holder: nameOf(holder), by }));
  return refuse("wait_timeout", message, { place: id, waited_ms, deadline_ms, behind });
}
