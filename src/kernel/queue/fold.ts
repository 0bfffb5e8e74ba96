import type { Entry } from "../entry.ts";
import type { State } from "../state.ts";
import { placeIdAt, type Place } from "./place.ts";
import { dropPlace, emptyQueue, placeOf, placesOf, putPlace, type Queue } from "./queue.ts";

/** An entry about places in the queue. */
export type PlaceEntry = Extract<Entry, { readonly kind: `place.${string}` }>;

/** The state after an entry about places in the queue. */
export function evolvePlaces(state: State, entry: PlaceEntry): State {
  const { queue } = state.book;
  switch (entry.kind) {
    case "place.queued": {
      const next = putPlace(queue, queuedPlace(entry));
      const isBehind = entry.data.behind_circle === true;
      return withQueue(state, isBehind ? { ...next, stirred_seq: entry.seq } : next);
    }
    case "place.kept": {
      const place = placeOf(queue, entry.data.place);
      const { until_ms } = entry.data;
      return place === undefined
        ? state
        : withQueue(state, putPlace(queue, { ...place, until_ms }));
    }
    case "place.left":
      return left(state, entry);
    case "place.lapsed":
      return withQueue(state, dropPlace(queue, entry.data.place));
  }
}

/** The place that an entry takes. */
export function queuedPlace({ seq, at_ms, data }: Entry<"place.queued">): Place {
  const { holder, ask, grounds, worktree = null, until_ms, deadline_ms } = data;
  return {
    id: placeIdAt(seq),
    rank: seq,
    holder,
    ask,
    grounds,
    worktree,
    queued_at_ms: at_ms,
    until_ms,
    deadline_ms,
    cancelled: null,
  };
}

/** What an operator has ended stays for a moment, so that whoever waited is told. */
function left(state: State, { at_ms, data }: Entry<"place.left">): State {
  const { queue } = state.book;
  const place = placeOf(queue, data.place);
  if (place === undefined || data.cause === "holder")
    return withQueue(state, dropPlace(queue, data.place));
  const cancelled = data.reason ?? "";
  return withQueue(state, putPlace(queue, { ...place, until_ms: at_ms, cancelled }));
}

/** The state without the places of a worker that is to end, or has. */
export function withoutPlacesOf(state: State, worker: string): State {
  let { queue } = state.book;
  for (const { id } of placesOf(queue, { worker })) queue = dropPlace(queue, id);
  return queue === state.book.queue ? state : withQueue(state, queue);
}

/** The state in which nobody waits: nothing is given any more. */
export function withoutPlaces(state: State): State {
  const { queue, foldsCase } = state.book;
  return queue.places.size === 0 ? state : withQueue(state, emptyQueue(foldsCase));
}

function withQueue(state: State, queue: Queue): State {
  return { ...state, book: { ...state.book, queue } };
}
