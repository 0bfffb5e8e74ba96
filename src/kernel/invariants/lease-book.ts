import type { LeaseBook } from "../lease/book.ts";
import type { Lease } from "../lease/lease.ts";
import { parseRegion } from "../region/region.ts";

/** Matches all there is: whoever asks for it meets every lease. */
const EVERYTHING = ["*:**"];

/** What a book of leases says of itself that is not so, worked out from its leases and lanes. */
export function* bookViolations(book: LeaseBook): Generator<string, void, undefined> {
  const leases = [...book.leases.values()];
  for (const [id, lease] of book.leases)
    if (id !== lease.id) yield `index: leases must be kept by id, ${lease.id} is under ${id}`;
  yield* difference("holders", book.holders.keys(), leases.map(holdingOf));
  yield* difference("ends", book.ends.keys(), leases.map(endOf));
  const slots = leases.filter(({ mode }) => mode === "slot");
  yield* difference(
    "slots",
    book.slots.keys(),
    slots.map(({ id, lane }) => `${lane} ${id}`),
  );
  yield* difference(
    "lent",
    book.lent.keys(),
    leases.flatMap(({ id, lender }) => (lender === null ? [] : [`${lender} ${id}`])),
  );
  yield* laneViolations(book);
  yield* groundIndexViolations(book, leases);
}

function* difference(
  name: string,
  kept: Iterable<string>,
  expected: readonly string[],
): Generator<string, void, undefined> {
  const [have, want] = [new Set(kept), new Set(expected)];
  for (const key of want.difference(have)) yield `index: ${name} must hold ${key}, got nothing`;
  for (const key of have.difference(want)) yield `index: ${name} must not hold ${key}`;
}

function holdingOf({ id, holder }: Lease): string {
  const who =
    "worker" in holder ? `worker:${holder.worker}` : `name:${JSON.stringify(holder.name)}`;
  return `${who} ${id}`;
}

function endOf({ id, expires_at_ms }: Lease): string {
  return `${`${expires_at_ms}`.padStart(16, "0")}/${id}`;
}

function* laneViolations({ lanes, rules }: LeaseBook): Generator<string, void, undefined> {
  const expected = new Map(
    rules.lanes.flatMap((lane) => [lane.name, ...(lane.aliases ?? [])].map((name) => [name, lane])),
  );
  yield* difference("lanes", lanes.keys(), [...expected.keys()]);
  for (const [name, lane] of expected)
    if (lanes.has(name) && lanes.get(name) !== lane)
      yield `index: lanes must hold the lane of the rules under ${name}`;
}

/** The index has every lease and no other: whoever asks for everything meets all of them. */
function* groundIndexViolations(
  { index, foldsCase }: LeaseBook,
  leases: readonly Lease[],
): Generator<string, void, undefined> {
  const everything = parseRegion(EVERYTHING, foldsCase);
  if (!everything.ok) return;
  const { region } = everything;
  const ids = leases.map(({ id }) => id);
  yield* difference("ground", index.candidates(region, "exclusive"), ids);
  const writing = leases.filter(({ mode }) => mode !== "shared").map(({ id }) => id);
  const met = new Set(index.candidates(region, "shared"));
  for (const id of writing)
    if (!met.has(id)) yield `index: ground must hold ${id} as one that may write`;
  yield* difference(
    "alone",
    index.alone(),
    leases.filter(({ alone }) => alone).map(({ id }) => id),
  );
}
