import type { JsonObject } from "../../../src/kernel/json.ts";
import type { RecordedCommand } from "../../../src/kernel/entry.ts";
import type { Holder } from "../../../src/kernel/lease/lease.ts";
import { LIMITS } from "../../../src/kernel/limits.ts";
import type { Books } from "../books.ts";
import { isLiveAt, isSameHolder } from "../lease/books.ts";
import type { Scene } from "../lease/holders.ts";
import { isWaitingAt, waitingAt, type PlaceRow } from "./books.ts";

/** The place that a refusal names, over or not; undefined where none stands. */
export function placeNamed({ queue }: Books, { place: id }: JsonObject): PlaceRow | undefined {
  const row = typeof id === "string" ? queue.rows.get(id) : undefined;
  return row?.isGone === false ? row : undefined;
}

/** What a refusal because of somebody who came first does not tell right; null where all is so. */
export function wrongInLine(
  { books, atMs }: Scene,
  facts: JsonObject,
  { holder, has }: { readonly holder: Holder; readonly has: (region: unknown) => boolean },
): string | null {
  const row = placeNamed(books, facts);
  if (row === undefined || !isWaitingAt(row, atMs)) return "somebody who waits";
  if (facts["until_ms"] !== row.untilMs) return "until when that place is kept";
  if (facts["own"] !== isSameHolder(holder, row.holder)) return "whether it is the asker's own";
  if (facts["alone"] === true) {
    const isAlone = row.stakes.some(({ alone }) => alone);
    const mayBeAlone = books.ground.rules.lanes.some(({ alone }) => alone);
    return isAlone || mayBeAlone ? null : "who is alone";
  }
  return row.stakes.some(({ region }) => has(region)) ? null : "what both want";
}

/** What a refusal about places does not tell right; null where all is so. */
export function wrongInWait(
  { books, atMs }: Scene,
  command: RecordedCommand,
  { code, facts }: { readonly code: string; readonly facts: JsonObject },
): string | null {
  if (code === "queue_full") {
    if (command.kind !== "lease.acquire") return "who would wait";
    const { holder } = command.data;
    const waiting = waitingAt(books.queue, atMs);
    const own = waiting.filter((row) => isSameHolder(row.holder, holder)).length;
    const isOwn = facts["field"] === "places_of_holder";
    const [max, count] = isOwn
      ? [LIMITS.placesPerHolderMax, own]
      : [LIMITS.placesMax, waiting.length];
    return facts["max"] === max && facts["got"] === count ? null : "how many wait";
  }
  if (code === "wait_deadlock") return wrongInCircle({ books, atMs }, command, facts);
  const row = placeNamed(books, facts);
  if (code === "wait_timeout") {
    const isOver = row !== undefined && row.deadlineMs <= atMs;
    return isOver && facts["deadline_ms"] === row.deadlineMs ? null : "a deadline that is past";
  }
  if (row === undefined) return "until_ms" in facts || "cancelled" in facts ? "nobody's" : null;
  if (isWaitingAt(row, atMs)) return "a place that is nobody's";
  const isTold =
    row.cancelled === null
      ? facts["until_ms"] === row.untilMs
      : facts["cancelled"] === row.cancelled;
  return isTold ? null : "why the place is over";
}

interface Step {
  readonly holder: string;
  readonly waits_for: string;
  readonly by: string;
}

/** Each waits for the next one, because of what that one has or came first for, and so round. */
function wrongInCircle(
  scene: Pick<Scene, "books" | "atMs">,
  command: RecordedCommand,
  facts: JsonObject,
): string | null {
  const cycle = facts["cycle"] as unknown as readonly Step[];
  const asker = command.kind === "lease.acquire" ? command.data.holder : ofPlace(scene, command);
  if (asker === undefined || cycle[0]?.holder !== textOf(asker)) return "who asks";
  for (const [index, { waits_for, by }] of cycle.entries()) {
    const has = haverOf(scene, by);
    if (has === undefined || textOf(has) !== waits_for) return `who has ${by}`;
    const next = cycle[index + 1];
    if (next !== undefined && next.holder !== waits_for) return "who waits next";
  }
  const last = cycle.at(-1)?.waits_for;
  return cycle.some(({ holder }) => holder === last) ? null : "a circle";
}

function ofPlace({ books }: Pick<Scene, "books">, command: RecordedCommand): Holder | undefined {
  return command.kind === "place.keep"
    ? books.queue.rows.get(command.data.place)?.holder
    : undefined;
}

/** Whose a live lease or a place that is kept is. */
function haverOf({ books, atMs }: Pick<Scene, "books" | "atMs">, id: string): Holder | undefined {
  const lease = books.ground.rows.get(id);
  if (lease !== undefined) return isLiveAt(lease, atMs) ? lease.holder : undefined;
  const place = books.queue.rows.get(id);
  return place !== undefined && isWaitingAt(place, atMs) ? place.holder : undefined;
}

function textOf(holder: Holder): string {
  return "worker" in holder ? holder.worker : holder.name;
}
