import type { Entry } from "../entry.ts";
import type { Happening } from "../evolve.ts";
import { LIMITS } from "../limits.ts";
import type { Place, PlaceGround } from "../queue/place.ts";
import { overlapOf } from "../region/relation.ts";
import type { State } from "../state.ts";
import { regionOf } from "./ground.ts";

/**
 * What an entry did to those who wait: a grant passes nobody who came first and waits for the same
 * ground (I12); a place comes, is kept and goes by its own entries, or with its holder, and never
 * lasts beyond its time (I8).
 */
export function* queueViolations(
  before: State,
  happening: Happening,
  after: State,
): Generator<string, void, undefined> {
  const entry = happening as Entry;
  if (entry.kind === "lease.granted") yield* passingViolations(before, entry);
  const [was, is] = [before.book.queue.places, after.book.queue.places];
  if (was === is) return;
  for (const [key, place] of was) {
    const now = is.get(key);
    if (now === undefined) yield* goneViolations(place, entry);
    else if (now !== place) yield* keptViolations(place, now, entry);
  }
  for (const [key, place] of is) if (!was.has(key)) yield* newViolations(place, entry);
  yield* indexViolations(after);
}

function* passingViolations(
  before: State,
  { at_ms, data, seq }: Entry<"lease.granted">,
): Generator<string, void, undefined> {
  // What is lent was held before, and stays with the lender's.
  if (data.lender !== undefined) return;
  const { queue, foldsCase } = before.book;
  const own = [...queue.places.values()].find(({ id }) => id === data.place);
  if (data.place !== undefined && (own === undefined || own.until_ms <= at_ms))
    yield `I12: l-${seq} must be taken up in a place that is somebody's, ${data.place} is not`;
  const granted: PlaceGround = {
    lane: data.lane ?? null,
    mode: data.mode,
    region: data.region,
    alone: data.alone ?? false,
  };
  for (const place of queue.places.values()) {
    const isAhead = place.rank < (own?.rank ?? seq) && at_ms < place.until_ms;
    if (!isAhead) continue;
    if (place.grounds.some((ground) => isPassed(ground, granted, foldsCase)))
      yield `I12: l-${seq} must not pass ${place.id}, which came first and waits for the same`;
  }
}

function isPassed(waited: PlaceGround, granted: PlaceGround, foldsCase: boolean): boolean {
  if (waited.alone || granted.alone) return true;
  const modes = new Set([waited.mode, granted.mode]);
  if (modes.size === 1 && modes.has("shared")) return false;
  // Of slots there may be enough for both; how many are taken is the slots' own matter.
  if (modes.size === 1 && modes.has("slot") && waited.lane === granted.lane) return false;
  const [one, other] = [waited.region, granted.region].map((each) => regionOf(each, foldsCase));
  if (one === undefined || other === undefined) return false;
  return overlapOf(one, other).kind === "overlap";
}

function* goneViolations(place: Place, entry: Entry): Generator<string, void, undefined> {
  const { id, holder } = place;
  const { kind, data } = entry;
  const isNamed = "place" in data && data.place === id;
  const isServed = kind === "lease.granted" && isNamed;
  const isLeft = (kind === "place.left" || kind === "place.lapsed") && isNamed;
  const isOver =
    (kind === "worker.stopping" || kind === "worker.stopped") &&
    "worker" in holder &&
    holder.worker === data.worker;
  if (!isServed && !isLeft && !isOver && kind !== "fleet.killed")
    yield `I8: ${kind} must not take the place ${id} from whoever waits in it`;
  if (kind === "place.lapsed" && isNamed && entry.at_ms < place.until_ms)
    yield `I8: ${id} must not lapse before ${place.until_ms}, it did at ${entry.at_ms}`;
}

function* keptViolations(was: Place, is: Place, entry: Entry): Generator<string, void, undefined> {
  const { kind, at_ms, data } = entry;
  const isNamed = "place" in data && data.place === was.id;
  const isKept = kind === "place.kept" && isNamed;
  const isCancelled = kind === "place.left" && isNamed && is.cancelled !== null;
  if (!isKept && !isCancelled) yield `I8: ${kind} must not change the place ${was.id}`;
  if (isKept && at_ms >= was.until_ms)
    yield `I8: ${was.id} must not be kept after its end, ${was.until_ms}, it was at ${at_ms}`;
  if (isCancelled && is.until_ms > at_ms) yield `I8: ${was.id} must end when it is ended`;
  yield* endViolations(is, at_ms);
}

function* newViolations(place: Place, entry: Entry): Generator<string, void, undefined> {
  if (entry.kind !== "place.queued" || place.id !== `q-${entry.seq}`)
    yield `I8: ${entry.kind} must not give anybody the place ${place.id}`;
  yield* endViolations(place, entry.at_ms);
}

function* endViolations(
  { id, until_ms, deadline_ms }: Place,
  atMs: number,
): Generator<string, void, undefined> {
  if (until_ms > deadline_ms || until_ms > atMs + LIMITS.placeMs)
    yield `I8: ${id} must end within ${LIMITS.placeMs} ms and by ${deadline_ms}, got ${until_ms}`;
}

/** What finds places finds just those that there are. */
function* indexViolations({ book: { queue } }: State): Generator<string, void, undefined> {
  const count = queue.places.size;
  const grounds = [...queue.places.values()].flatMap((place) => place.grounds);
  const slots = new Set(
    [...queue.places].flatMap(([key, place]) =>
      place.grounds.filter(({ mode }) => mode === "slot").map(({ lane }) => `${lane} ${key}`),
    ),
  );
  if (queue.ends.size !== count) yield `index: ends of places must be ${count}`;
  if (queue.holders.size !== count) yield `index: holders of places must be ${count}`;
  if (queue.slots.size !== slots.size) yield `index: slots waited for must be ${slots.size}`;
  const alone = [...queue.index.alone()].length;
  if (alone !== grounds.filter((ground) => ground.alone).length)
    yield `index: places that are to run alone must be in it, got ${alone}`;
}
