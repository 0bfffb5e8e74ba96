import { grant, type Ruling } from "../decision.ts";
import type { Event } from "../event.ts";
import { bytesOf, shown } from "../lease/holding.ts";
import type { Holder } from "../lease/lease.ts";
import { LIMITS } from "../limits.ts";
import { refuse, type Refusal } from "../refusal.ts";
import type { State } from "../state.ts";
import { lookForCircle } from "./deadlock.ts";
import { LAST } from "./line.ts";
import { isWaitingAt, type PlaceAsk, type PlaceGround } from "./place.ts";
import { placesOf, placesOverBy } from "./queue.ts";

/** What somebody is to wait for. */
export interface Waiting {
  readonly request: PlaceAsk & { readonly holder: Holder };
  /** How long at the most, ms. */
  readonly wait_ms: number;
  readonly grounds: readonly PlaceGround[];
  readonly worktree: string | null;
}

/** Gives a place in the queue, unless it is full or the wait could never end. */
export function enqueue(state: State, waiting: Waiting, atMs: number): Ruling {
  const { request, wait_ms, grounds, worktree } = waiting;
  const { holder, ...ask } = request;
  const refusal = checkQueue(state, waiting, atMs);
  if (refusal !== null) return { ok: false, refusal };
  const outlook = lookForCircle(state.book, { holder, ask, grounds, rank: LAST }, atMs);
  if (outlook.kind === "circle") return { ok: false, refusal: outlook.refusal };
  const deadline_ms = atMs + wait_ms;
  const event: Event = {
    kind: "place.queued",
    data: {
      holder,
      ask,
      grounds,
      ...(worktree === null ? {} : { worktree }),
      ...(outlook.kind === "behind" ? { behind_circle: true as const } : {}),
      until_ms: keptUntil(atMs, deadline_ms),
      deadline_ms,
    },
  };
  return grant(event);
}

/** Until when a place is kept that its holder keeps up now. */
export function keptUntil(atMs: number, deadlineMs: number): number {
  return Math.min(atMs + LIMITS.placeMs, deadlineMs);
}

/**
 * What others ask for is compared with what is waited for, too: so a holder's patterns are bounded
 * here as those of its leases are.
 */
function checkQueue(
  { book: { queue } }: State,
  { request, grounds }: Waiting,
  atMs: number,
): Refusal | null {
  const { holder } = request;
  const { placesMax, placesPerHolderMax, placeBytesPerHolderMax } = LIMITS;
  let count = queue.places.size;
  for (const _ of placesOverBy(queue, atMs)) count -= 1;
  if (count >= placesMax) {
    const message = `at most ${placesMax} may wait in a fleet, as many do`;
    return refuse("queue_full", message, { field: "places", max: placesMax, got: count });
  }
  let own = 0;
  let bytes = bytesWaited(request, grounds);
  for (const place of placesOf(queue, holder)) {
    if (!isWaitingAt(place, atMs)) continue;
    own += 1;
    bytes += bytesWaited(place.ask, place.grounds);
  }
  if (own >= placesPerHolderMax) {
    const max = placesPerHolderMax;
    const message = `a holder must wait in at most ${max} places, ${shown(holder)} does in ${own}`;
    return refuse("queue_full", message, { field: "places_of_holder", max, got: own });
  }
  const max = placeBytesPerHolderMax;
  if (bytes <= max) return null;
  const message = `a holder must wait for at most ${max} bytes of patterns, got ${bytes}`;
  return refuse("queue_full", message, { field: "bytes_of_holder", max, got: bytes });
}

function bytesWaited({ also_held = [] }: PlaceAsk, grounds: readonly PlaceGround[]): number {
  const all = [...also_held, ...grounds.map(({ region }) => region)];
  return all.reduce((sum, patterns) => sum + bytesOf(patterns), 0);
}
