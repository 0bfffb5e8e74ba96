import { ok } from "../assert.ts";
import type { Entry } from "../entry.ts";
import type { EventMap } from "../event.ts";
import { DEFAULT_GROUND_RULES } from "../lane/lane.ts";
import type { State } from "../state.ts";
import {
  bookOf,
  dropLease,
  dropMount,
  putLease,
  putMount,
  withRules,
  type LeaseBook,
} from "./book.ts";
import type { Mount } from "../mount/mount.ts";
import { dropPlace, placesOf } from "../queue/queue.ts";
import { fenceAt, leaseIdAt, nameOf, type Lease } from "./lease.ts";

/** An entry about leases or lanes. */
export type LeaseEntry = Extract<
  Entry,
  { readonly kind: `lease.${string}` | `lanes.${string}` | `lane.${string}` }
>;

/** The state after an entry about leases or lanes. */
export function evolveLeases(state: State, entry: LeaseEntry): State {
  const { book } = state;
  switch (entry.kind) {
    case "lanes.enacted":
      return { ...state, book: stirred(withRules(book, entry.data), entry.seq) };
    case "lane.announced":
      return state;
    case "lease.granted":
      return granted(state, entry);
    case "lease.renewed":
      return change(state, entry.data.lease, { expires_at_ms: entry.data.expires_at_ms });
    case "lease.narrowed":
      return change(state, entry.data.lease, { region: entry.data.region });
    case "lease.handed_over":
      return handedOver(state, entry);
    case "lease.released":
    case "lease.revoked":
    case "lease.lapsed":
      return { ...state, book: dropLease(book, entry.data.lease) };
    case "lease.mounted":
      return { ...state, book: putMount(book, mountOf(state, entry)) };
    case "lease.fenced":
      return { ...state, book: dropMount(book, entry.data.lease) };
  }
}

function granted(state: State, entry: Entry<"lease.granted">): State {
  const book = putLease(state.book, grantedLease(state.epoch, entry));
  const { place, holder } = entry.data;
  const queue = place === undefined ? book.queue : dropPlace(book.queue, place);
  const after = queue === book.queue ? book : { ...book, queue };
  // Whoever waits elsewhere, too, may close a circle by what it has got now.
  const [other] = placesOf(queue, holder);
  return { ...state, book: other === undefined ? after : stirred(after, entry.seq) };
}

/** The lease that an entry grants, in an epoch. */
export function grantedLease(epoch: number, { seq, at_ms, data }: Entry<"lease.granted">): Lease {
  return {
    id: leaseIdAt(seq),
    fence: fenceAt(epoch, seq),
    mode: data.mode,
    region: data.region,
    lane: data.lane ?? null,
    alone: data.alone ?? false,
    holder: data.holder,
    ttl_ms: data.ttl_ms,
    granted_at_ms: at_ms,
    expires_at_ms: data.expires_at_ms,
    key: data.key ?? null,
    run_id: data.run_id ?? null,
    lender: data.lender ?? null,
    worktree: data.worktree ?? null,
    taken_over: null,
    place: data.place ?? null,
  };
}

function mountOf(state: State, { at_ms, data }: Entry<"lease.mounted">): Mount {
  const { lease, worker, region } = data;
  const { mode, lane } = leaseOf(state, lease);
  return { lease, worker, region, mode, lane, since_ms: at_ms };
}

/** The state without what was mounted in the sandbox of a worker that has ended. */
export function withoutMountsOf(state: State, worker: string): State {
  let { book } = state;
  for (const mount of book.mounts.values())
    if (mount.worker === worker) book = dropMount(book, mount.lease);
  return book === state.book ? state : { ...state, book };
}

function handedOver(state: State, { seq, at_ms, data }: Entry<"lease.handed_over">): State {
  const lease = leaseOf(state, data.lease);
  const { to, orphan, ttl_ms, expires_at_ms } = data;
  const taken_over = { holder: nameOf(lease.holder), fence: lease.fence, orphan, at_ms };
  const next = change(state, lease.id, {
    holder: to,
    fence: fenceAt(state.epoch, seq),
    ttl_ms,
    expires_at_ms,
    // A key is its holder's own.
    key: null,
    run_id: data.run_id ?? lease.run_id,
    taken_over,
  });
  return { ...next, book: stirred(next.book, seq) };
}

function stirred(book: LeaseBook, seq: number): LeaseBook {
  return { ...book, queue: { ...book.queue, stirred_seq: seq } };
}

function change(state: State, id: string, fields: Partial<Lease>): State {
  return { ...state, book: putLease(state.book, { ...leaseOf(state, id), ...fields }) };
}

/** The lease of an id that the caller has proven to be in the state. */
function leaseOf(state: State, id: string): Lease {
  const lease = state.book.leases.get(id);
  ok(lease !== undefined, `lease ${id} must be in the state`);
  return lease;
}

/** The empty book of a new fleet, which folds letters as its creation says. */
export function newBook({ fold_case }: EventMap["fleet.created"]): LeaseBook {
  return bookOf(fold_case === true, DEFAULT_GROUND_RULES, []);
}
