/*
 * The places in the queue for ground, in the order in which they were taken, and what finds them:
 * by id, by holder, by the instant of their end, by their ground. Only the places are kept in
 * snapshots; the rest follows from them.
 */

import { GroundIndex } from "../ground/ground-index.ts";
import { holderKey, type Holder } from "../lease/lease.ts";
import { OrderedMap } from "../ordered-map.ts";
import type { Place, PlaceGround } from "./place.ts";

/** Everybody who waits for ground; immutable. */
export interface Queue {
  /** By their rank, padded: the first came first. */
  readonly places: OrderedMap<Place>;
  /** `holder rank` of each place. */
  readonly holders: OrderedMap<true>;
  /** `instant rank` of each place. */
  readonly ends: OrderedMap<true>;
  /** `lane rank` of each place of which a ground is a slot of the lane. */
  readonly slots: OrderedMap<true>;
  /** Each ground of each place, as `rank number`. */
  readonly index: GroundIndex;
  /**
   * The newest entry by which somebody came to be in the way who had not asked for it, or waits
   * elsewhere still: a handing over, a lending, other lanes, a grant to who has another place; or
   * by which somebody waits behind a circle of others. Only that can close a circle of those who
   * wait already, or hide one.
   */
  readonly stirred_seq: number;
}

/** A queue in which nobody waits. */
export function emptyQueue(foldsCase: boolean): Queue {
  return {
    places: OrderedMap.empty(),
    holders: OrderedMap.empty(),
    ends: OrderedMap.empty(),
    slots: OrderedMap.empty(),
    index: GroundIndex.empty(foldsCase),
    stirred_seq: 0,
  };
}

/** The queue with a place that is new, or was kept up. */
export function putPlace(queue: Queue, place: Place): Queue {
  const key = rankKey(place.rank);
  const before = queue.places.get(key);
  if (before !== undefined)
    return {
      ...queue,
      places: queue.places.set(key, place),
      ends: queue.ends.delete(endKey(before)).set(endKey(place), true),
    };
  let { slots, index } = queue;
  for (const [number, ground] of place.grounds.entries()) {
    index = index.add({ id: `${key} ${number}`, ...ground });
    if (ground.mode === "slot") slots = slots.set(slotKey(ground, key), true);
  }
  return {
    ...queue,
    places: queue.places.set(key, place),
    holders: queue.holders.set(`${holderKey(place.holder)} ${key}`, true),
    ends: queue.ends.set(endKey(place), true),
    slots,
    index,
  };
}

/** The queue without a place; the same when it has none of this id. */
export function dropPlace(queue: Queue, id: string): Queue {
  const place = placeOf(queue, id);
  if (place === undefined) return queue;
  const key = rankKey(place.rank);
  let { slots, index } = queue;
  for (const [number, ground] of place.grounds.entries()) {
    index = index.remove({ id: `${key} ${number}` });
    if (ground.mode === "slot") slots = slots.delete(slotKey(ground, key));
  }
  return {
    ...queue,
    places: queue.places.delete(key),
    holders: queue.holders.delete(`${holderKey(place.holder)} ${key}`),
    ends: queue.ends.delete(endKey(place)),
    slots,
    index,
  };
}

/** The place of an id, which may be over and not yet recorded so; undefined where there is none. */
export function placeOf({ places }: Queue, id: string): Place | undefined {
  const rank = /^q-([1-9][0-9]{0,12})$/.exec(id)?.[1];
  return rank === undefined ? undefined : places.get(rankKey(Number(rank)));
}

/** A place, and which of its grounds is meant. */
export interface PlacedGround {
  readonly place: Place;
  readonly ground: PlaceGround;
}

/** The ground that an id of the index stands for. */
export function groundAt({ places }: Queue, id: string): PlacedGround | undefined {
  const [key = "", number] = id.split(" ");
  const place = places.get(key);
  const ground = place?.grounds[Number(number)];
  return place === undefined || ground === undefined ? undefined : { place, ground };
}

/** The places of a holder, those that are over included, the first taken first. */
export function* placesOf(queue: Queue, holder: Holder): Generator<Place, void, undefined> {
  yield* under(queue, queue.holders, `${holderKey(holder)} `);
}

/** The places of which a ground is a slot of a lane, the first taken first. */
export function* slotPlacesOf(queue: Queue, lane: string): Generator<Place, void, undefined> {
  yield* under(queue, queue.slots, `${lane} `);
}

/** Places whose end is not after an instant, the earliest end first. */
export function* placesOverBy(queue: Queue, atMs: number): Generator<Place, void, undefined> {
  for (const [key] of queue.ends) {
    const place = queue.places.get(key.slice(key.indexOf(" ") + 1));
    if (place === undefined || place.until_ms > atMs) return;
    yield place;
  }
}

function* under(
  { places }: Queue,
  keys: OrderedMap<true>,
  prefix: string,
): Generator<Place, void, undefined> {
  for (const [key] of keys.entriesFrom(prefix)) {
    if (!key.startsWith(prefix)) return;
    const place = places.get(key.slice(prefix.length));
    if (place !== undefined) yield place;
  }
}

const DIGITS = 16;

function rankKey(rank: number): string {
  return String(rank).padStart(DIGITS, "0");
}

function endKey({ until_ms, rank }: Place): string {
  return `${String(until_ms).padStart(DIGITS, "0")} ${rankKey(rank)}`;
}

/** Names of lanes have no spaces. */
function slotKey({ lane }: PlaceGround, key: string): string {
  return `${lane ?? ""} ${key}`;
}
