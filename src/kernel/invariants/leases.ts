import type { Entry } from "../entry.ts";
import type { Happening } from "../evolve.ts";
import type { Lease } from "../lease/lease.ts";
import { LIMITS } from "../limits.ts";
import type { State } from "../state.ts";
import { groundViolations } from "./ground.ts";
import { bookViolations } from "./lease-book.ts";
import {
  fenceViolations,
  grantViolations,
  holderViolations,
  isInside,
  isSelf,
} from "./lease-grants.ts";

/** What an entry about a lease may change in it; nothing else may change a lease. */
const CHANGES: Readonly<Partial<Record<Entry["kind"], readonly (keyof Lease)[]>>> = {
  "lease.renewed": ["expires_at_ms"],
  "lease.narrowed": ["region"],
  "lease.handed_over": [
    "holder",
    "fence",
    "ttl_ms",
    "expires_at_ms",
    "key",
    "run_id",
    "taken_over",
  ],
};

const ENDS: ReadonlySet<Entry["kind"]> = new Set<Entry["kind"]>([
  "lease.released",
  "lease.revoked",
  "lease.lapsed",
]);

/** What an entry did to leases that no entry may, or not to this lease, or not at this hour. */
export function* leaseViolations(
  before: State,
  happening: Happening,
  after: State,
): Generator<string, void, undefined> {
  const entry = happening as Entry;
  yield* entryViolations(before, entry, after);
  if (before.book === after.book) return;
  if (before.book.foldsCase !== after.book.foldsCase && before.status !== "none")
    yield `I1: a fleet must fold case as it was created, ${entry.kind} changed it`;
  yield* bookViolations(after.book);
  for (const was of before.book.leases.values())
    yield* changeViolations(before.book.leases, { was, entry, is: after.book.leases.get(was.id) });
  for (const lease of after.book.leases.values())
    if (!before.book.leases.has(lease.id)) yield* newcomerViolations(before, entry, lease);
  yield* groundViolations(before, happening, after);
}

/** What the entry itself is about: a lease that lives, and somebody who may. */
function* entryViolations(
  before: State,
  entry: Entry,
  after: State,
): Generator<string, void, undefined> {
  if (entry.kind === "lease.granted") return yield* grantViolations(before, entry, after);
  if (!(entry.kind in CHANGES) && !ENDS.has(entry.kind)) return;
  const id = (entry.data as { readonly lease: string }).lease;
  const was = before.book.leases.get(id);
  if (was === undefined) {
    yield `I8: ${entry.kind} must be about a lease of the state, ${id} is none`;
    return;
  }
  yield* actorViolations(entry, was);
  if (entry.kind === "lease.lapsed") {
    if (entry.at_ms < was.expires_at_ms)
      yield `I8: ${id} must not lapse before ${was.expires_at_ms}, got ${entry.at_ms}`;
    return;
  }
  if (ENDS.has(entry.kind)) return;
  if (entry.at_ms >= was.expires_at_ms)
    yield `I8: ${id} ended at ${was.expires_at_ms}, ${entry.kind} must come before`;
  const is = after.book.leases.get(id);
  if (is === undefined) return;
  if (entry.kind === "lease.renewed") yield* renewalViolations(before, { entry, was, is });
  if (entry.kind === "lease.narrowed" && !isInside(is.region, was.region, after))
    yield `I5: ${id} must be narrowed to a part of its region, got ${is.region.join(" ")}`;
  if (entry.kind === "lease.handed_over") yield* handOverViolations(before, { entry, is });
}

/** Nobody acts on the lease of another but an operator; time does, and a worker's end (I9). */
function* actorViolations(entry: Entry, was: Lease): Generator<string, void, undefined> {
  const { actor, kind } = entry;
  if (kind === "lease.lapsed" || actor.kind === "operator") return;
  if (kind === "lease.released" && entry.data.cause === "completed") return;
  const isOrphan = kind === "lease.handed_over" && entry.data.orphan;
  if (isSelf(actor, isOrphan ? entry.data.to : was.holder)) return;
  yield `I9: ${actor.id ?? actor.kind} must not act on ${was.id}, ${kind} does`;
}

function* renewalViolations(
  before: State,
  so: { readonly entry: Entry<"lease.renewed">; readonly was: Lease; readonly is: Lease },
): Generator<string, void, undefined> {
  const { entry, was, is } = so;
  if (before.status === "killed") yield `I3: after the kill there must be no ${entry.kind}`;
  if (is.expires_at_ms < was.expires_at_ms)
    yield `I8: ${is.id} must not be shortened from ${was.expires_at_ms}, got ${is.expires_at_ms}`;
  if (is.expires_at_ms > entry.at_ms + LIMITS.leaseTtlMsMax)
    yield `I8: ${is.id} must be renewed for at most ${LIMITS.leaseTtlMsMax} ms`;
  const lender = before.book.leases.get(was.lender ?? "");
  const isLent = lender !== undefined && lender.expires_at_ms > entry.at_ms;
  if (isLent && is.expires_at_ms > lender.expires_at_ms)
    yield `I5: ${is.id} must end with ${lender.id} at ${lender.expires_at_ms}`;
  if (!("worker" in was.holder)) return;
  const holder = before.workers.get(was.holder.worker);
  if (holder?.status !== "running" || holder.quarantine !== null)
    yield `I8: the holder of ${is.id} must be running, it is ${holder?.status ?? "gone"}`;
}

function* handOverViolations(
  before: State,
  { entry, is }: { readonly entry: Entry<"lease.handed_over">; readonly is: Lease },
): Generator<string, void, undefined> {
  yield* fenceViolations(before, { entry, is });
  yield* holderViolations(before, { entry, is });
  const was = before.book.leases.get(is.id);
  if (!entry.data.orphan || was === undefined) return;
  const dead = "worker" in was.holder ? before.workers.get(was.holder.worker) : undefined;
  if (!("worker" in was.holder) || (dead !== undefined && dead.status !== "stopped"))
    yield `I9: only what a dead worker held may be an orphan, ${is.id} is not`;
}

/** One lease from one state to the next: just what the entry is there to change has changed. */
function* changeViolations(
  before: State["book"]["leases"],
  {
    was,
    entry,
    is,
  }: { readonly was: Lease; readonly entry: Entry; readonly is: Lease | undefined },
): Generator<string, void, undefined> {
  if (is === was) return;
  const isIts = "lease" in entry.data && entry.data.lease === was.id;
  if (is === undefined) {
    if (!isIts || !ENDS.has(entry.kind)) yield `I8: ${entry.kind} must not end ${was.id}`;
    return;
  }
  const allowed = isIts ? (CHANGES[entry.kind] ?? []) : [];
  // What a lent lease was part of has ended: it is part of what that one was part of.
  const isLenderOver = was.lender !== null && endedBy(entry) === was.lender;
  const lender = isLenderOver ? (before.get(was.lender ?? "")?.lender ?? null) : was.lender;
  if (is.lender !== lender) yield `I2: ${entry.kind} must not change lender of ${was.id}`;
  for (const key of Object.keys(was) as (keyof Lease)[])
    if (key !== "lender" && is[key] !== was[key] && !allowed.includes(key))
      yield `I2: ${entry.kind} must not change ${key} of ${was.id}`;
}

/** The lease that an entry ends, or undefined. */
function endedBy(entry: Entry): string | undefined {
  return "lease" in entry.data && ENDS.has(entry.kind) ? entry.data.lease : undefined;
}

function* newcomerViolations(
  before: State,
  entry: Entry,
  lease: Lease,
): Generator<string, void, undefined> {
  if (entry.kind !== "lease.granted" || lease.id !== `l-${before.seq + 1}`)
    yield `I2: only a grant may bring a lease, ${entry.kind} brought ${lease.id}`;
}
