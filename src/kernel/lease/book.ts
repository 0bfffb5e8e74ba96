/*
 * The leases of a fleet, and what finds them: by id, by holder, by the instant of their end, by
 * their ground. Only the leases and the rules about ground are kept in snapshots; the rest follows
 * from them.
 */

import { GroundIndex } from "../ground/ground-index.ts";
import { DEFAULT_GROUND_RULES, type GroundRules, type Lane } from "../lane/lane.ts";
import { groundOf, type Mount } from "../mount/mount.ts";
import { OrderedMap } from "../ordered-map.ts";
import { emptyQueue, type Queue } from "../queue/queue.ts";
import { holderKey, type Holder, type Lease } from "./lease.ts";

/** All that a fleet knows of leases and ground; immutable. */
export interface LeaseBook {
  /** Whether letters that differ in case alone are one in regions. */
  readonly foldsCase: boolean;
  readonly rules: GroundRules;
  /** Lanes by their names and their aliases. */
  readonly lanes: ReadonlyMap<string, Lane>;
  /** By id: those that live, and a few whose end is past and not yet recorded. */
  readonly leases: OrderedMap<Lease>;
  /** `holder lease` of each lease. */
  readonly holders: OrderedMap<true>;
  /** `instant/lease` of each lease. */
  readonly ends: OrderedMap<true>;
  /** `lane lease` of each lease that is a slot of a lane. */
  readonly slots: OrderedMap<true>;
  /** `lender lease` of each lease that is a lent part of another. */
  readonly lent: OrderedMap<true>;
  readonly index: GroundIndex;
  /** What sandboxes have mounted, by the lease that it was mounted for. */
  readonly mounts: OrderedMap<Mount>;
  readonly mountIndex: GroundIndex;
  /** Who waits for ground that others have. */
  readonly queue: Queue;
}

/** A book without leases and lanes. */
export const EMPTY_BOOK: LeaseBook = {
  foldsCase: false,
  rules: DEFAULT_GROUND_RULES,
  lanes: new Map(),
  leases: OrderedMap.empty(),
  holders: OrderedMap.empty(),
  ends: OrderedMap.empty(),
  slots: OrderedMap.empty(),
  lent: OrderedMap.empty(),
  index: GroundIndex.empty(false),
  mounts: OrderedMap.empty(),
  mountIndex: GroundIndex.empty(false),
  queue: emptyQueue(false),
};

/** Makes the book of a fleet from what a snapshot holds of it. */
export function bookOf(
  foldsCase: boolean,
  rules: GroundRules,
  leases: readonly Lease[],
): LeaseBook {
  const none = GroundIndex.empty(foldsCase);
  const bare = withRules({ ...EMPTY_BOOK, foldsCase, index: none }, rules);
  return {
    ...bare,
    leases: OrderedMap.fromEntries(leases.map((lease) => [lease.id, lease])),
    holders: OrderedMap.fromEntries(leases.map((lease) => [holdingKey(lease), true])),
    ends: OrderedMap.fromEntries(leases.map((lease) => [endKey(lease), true])),
    slots: OrderedMap.fromEntries(
      leases.filter(({ mode }) => mode === "slot").map((lease) => [slotKey(lease), true]),
    ),
    lent: OrderedMap.fromEntries(
      leases.filter(({ lender }) => lender !== null).map((lease) => [lentKey(lease), true]),
    ),
    index: leases.reduce((index, lease) => index.add(lease), none),
    mountIndex: none,
    queue: emptyQueue(foldsCase),
  };
}

/** The book under other rules about ground; leases stay as they were granted. */
export function withRules(book: LeaseBook, rules: GroundRules): LeaseBook {
  const lanes = new Map<string, Lane>();
  for (const lane of rules.lanes)
    for (const name of [lane.name, ...(lane.aliases ?? [])]) lanes.set(name, lane);
  return { ...book, rules, lanes };
}

/** The book with a lease that is new or changed. */
export function putLease(book: LeaseBook, lease: Lease): LeaseBook {
  const before = book.leases.get(lease.id);
  let { holders, ends, lent, index } = book;
  if (before !== undefined && holdingKey(before) !== holdingKey(lease))
    holders = holders.delete(holdingKey(before));
  if (before !== undefined && before.expires_at_ms !== lease.expires_at_ms)
    ends = ends.delete(endKey(before));
  if (before !== undefined && before.lender !== lease.lender) lent = lent.delete(lentKey(before));
  if (lease.lender !== null) lent = lent.set(lentKey(lease), true);
  const isOnSameGround =
    before !== undefined && before.region === lease.region && before.mode === lease.mode;
  if (!isOnSameGround) {
    if (before !== undefined) index = index.remove(before);
    index = index.add(lease);
  }
  return {
    ...book,
    leases: book.leases.set(lease.id, lease),
    holders: holders.set(holdingKey(lease), true),
    ends: ends.set(endKey(lease), true),
    slots: lease.mode === "slot" ? book.slots.set(slotKey(lease), true) : book.slots,
    lent,
    index,
  };
}

/**
 * The book without a lease; the same when it has none of this id. What was lent of it is from then
 * on lent of what it was itself a part of, if anything: or that one's holder would find its ground
 * held by one that it has no part in.
 */
export function dropLease(book: LeaseBook, id: string): LeaseBook {
  const lease = book.leases.get(id);
  if (lease === undefined) return book;
  let next = book;
  for (const part of lentBy(book, id)) next = putLease(next, { ...part, lender: lease.lender });
  return without(next, lease);
}

function without(book: LeaseBook, lease: Lease): LeaseBook {
  const { id } = lease;
  return {
    ...book,
    leases: book.leases.delete(id),
    holders: book.holders.delete(holdingKey(lease)),
    ends: book.ends.delete(endKey(lease)),
    slots: book.slots.delete(slotKey(lease)),
    lent: book.lent.delete(lentKey(lease)),
    index: book.index.remove(lease),
  };
}

/** The book with what a sandbox has mounted for a lease that nothing was mounted for. */
export function putMount(book: LeaseBook, mount: Mount): LeaseBook {
  const mounts = book.mounts.set(mount.lease, mount);
  return { ...book, mounts, mountIndex: book.mountIndex.add(groundOf(mount)) };
}

/** The book without what is mounted for a lease; the same when nothing is. */
export function dropMount(book: LeaseBook, lease: string): LeaseBook {
  if (!book.mounts.has(lease)) return book;
  const mounts = book.mounts.delete(lease);
  return { ...book, mounts, mountIndex: book.mountIndex.remove({ id: lease }) };
}

/** The leases of a holder, those past their end included, in the order of their ids as text. */
export function* leasesOf(
  book: LeaseBook,
  holder: Holder | { readonly name: string },
): Generator<Lease, void, undefined> {
  yield* under(book, book.holders, `${holderKey(holder)} `);
}

/** Leases whose end is not after an instant, the earliest end first. */
export function* leasesOverBy(book: LeaseBook, atMs: number): Generator<Lease, void, undefined> {
  for (const [key] of book.ends) {
    const lease = book.leases.get(key.slice(key.indexOf("/") + 1));
    if (lease === undefined || lease.expires_at_ms > atMs) return;
    yield lease;
  }
}

/**
 * How many leases still give their right at an instant. O(n) in those that do not: few, as each
 * decision records some of them as lapsed.
 */
export function heldCountAt(book: LeaseBook, atMs: number): number {
  let count = book.leases.size;
  for (const _ of leasesOverBy(book, atMs)) count -= 1;
  return count;
}

/** The leases that are slots of a lane, those past their end included. */
export function* slotsOf(book: LeaseBook, lane: string): Generator<Lease, void, undefined> {
  yield* under(book, book.slots, `${lane} `);
}

/** The leases that are lent parts of a lease, those past their end included. */
export function* lentBy(book: LeaseBook, lender: string): Generator<Lease, void, undefined> {
  yield* under(book, book.lent, `${lender} `);
}

/** The leases that an index has under a prefix. */
function* under(
  book: LeaseBook,
  keys: OrderedMap<true>,
  prefix: string,
): Generator<Lease, void, undefined> {
  for (const [key] of keys.entriesFrom(prefix)) {
    if (!key.startsWith(prefix)) return;
    const lease = book.leases.get(key.slice(prefix.length));
    if (lease !== undefined) yield lease;
  }
}

/** The leases that still give their right at an instant, the earliest end first. */
export function* heldAt(book: LeaseBook, atMs: number): Generator<Lease, void, undefined> {
  for (const [key] of book.ends.entriesFrom(instantKey(atMs + 1))) {
    const lease = book.leases.get(key.slice(key.indexOf("/") + 1));
    if (lease !== undefined) yield lease;
  }
}

/** The instant of the earliest end of a lease, or null. */
export function nextEndAtMs(book: LeaseBook): number | null {
  const first = book.ends.first();
  return first === undefined ? null : Number(first[0].slice(0, INSTANT_DIGITS));
}

const INSTANT_DIGITS = 16;

function endKey({ id, expires_at_ms }: Lease): string {
  return `${instantKey(expires_at_ms)}/${id}`;
}

/** Instants sort as text because they are padded. */
function instantKey(atMs: number): string {
  return String(atMs).padStart(INSTANT_DIGITS, "0");
}

/** Names of lanes have no spaces. */
function slotKey({ id, lane }: Lease): string {
  return `${lane ?? ""} ${id}`;
}

function holdingKey({ id, holder }: Lease): string {
  return `${holderKey(holder)} ${id}`;
}

function lentKey({ id, lender }: Lease): string {
  return `${lender ?? ""} ${id}`;
}
