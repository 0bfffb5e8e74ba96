import type { Actor } from "../actor.ts";
import type { Entry } from "../entry.ts";
import type { Holder, Lease } from "../lease/lease.ts";
import { LIMITS } from "../limits.ts";
import { containmentOf } from "../region/relation.ts";
import type { State } from "../state.ts";
import { regionOf } from "./ground.ts";

/** What a grant gave that nobody may be given: another's, above a fence, beyond a right. */
export function* grantViolations(
  before: State,
  entry: Entry<"lease.granted">,
  after: State,
): Generator<string, void, undefined> {
  const { actor, at_ms, data, seq } = entry;
  const id = `l-${seq}`;
  const lease = after.book.leases.get(id);
  if (lease === undefined) {
    yield `I2: a grant in entry ${seq} must make ${id}, got nothing`;
    return;
  }
  const own = data.lender === undefined ? data.holder : before.book.leases.get(data.lender)?.holder;
  if (actor.kind !== "operator" && (own === undefined || !isSelf(actor, own)))
    yield `I9: ${actor.id ?? actor.kind} must not be given leases for another, ${id} is`;
  yield* fenceViolations(before, { entry, is: lease });
  yield* holderViolations(before, { entry, is: lease });
  if (lease.expires_at_ms > at_ms + data.ttl_ms || lease.expires_at_ms <= at_ms)
    yield `I8: ${id} must end within ${data.ttl_ms} ms of ${at_ms}, got ${lease.expires_at_ms}`;
  if (data.ttl_ms > LIMITS.leaseTtlMsMax) yield `I8: ${id} must not be for ${data.ttl_ms} ms`;
  yield* slotViolations(before, entry, after);
  if (lease.lender !== null) yield* lentViolations(before, lease, at_ms);
}

/** What a new grant may be, whether by asking or by being handed over (I3, I5, I8). */
export function* holderViolations(
  before: State,
  { entry, is }: { readonly entry: Entry; readonly is: Lease },
): Generator<string, void, undefined> {
  if (before.status !== "open")
    yield `I3: in a fleet that is ${before.status} there must be no ${entry.kind}`;
  if (!("worker" in is.holder)) return;
  const { worker: id } = is.holder;
  const worker = before.workers.get(id);
  if (worker?.status !== "running" || worker.quarantine !== null || worker.stale)
    yield `I8: the holder ${id} of ${is.id} must be running, it is ${worker?.status ?? "gone"}`;
  if (worker === undefined) return;
  const held = withoutWorktree(is);
  if (held === null) yield `I5: ${is.id} must be on the ground of its worktree ${is.worktree}`;
  else if (!isInside(held, worker.regions, before))
    yield `I5: ${is.id} must lie in the regions of ${id}, got ${is.region.join(" ")}`;
}

/**
 * A lease's region as it was asked for, where its worktree has ground of its own: file patterns
 * without the folder of the worktree. Null when a file pattern is not below such a folder.
 */
function withoutWorktree({ region, worktree }: Lease): readonly string[] | null {
  if (worktree === null) return region;
  const bare = region.map((pattern) => {
    if (/^!?(\*|[a-z][a-z0-9-]*):/.test(pattern)) return pattern;
    const placed = /^(!?)worktree\/[^/]+\/(.+)$/s.exec(pattern);
    return placed === null ? null : `${placed[1]}${placed[2]}`;
  });
  return bare.some((pattern) => pattern === null) ? null : (bare as readonly string[]);
}

/** Each grant has a fence above all before it, lost ones included: its place says which (I2). */
export function* fenceViolations(
  before: State,
  { entry, is }: { readonly entry: Entry; readonly is: Lease },
): Generator<string, void, undefined> {
  const fence = before.epoch * 2 ** 40 + entry.seq;
  if (is.fence !== fence || !Number.isSafeInteger(fence))
    yield `I2: the fence of ${is.id} must be ${fence}, got ${is.fence}`;
  for (const { id, fence: given } of before.book.leases.values())
    if (given >= is.fence)
      yield `I2: the fence of ${is.id} must be above ${given} of ${id}, got ${is.fence}`;
}

/** A grant leaves no more slots of its lane taken than there are (I1). */
function* slotViolations(
  before: State,
  { at_ms, data, seq }: Entry<"lease.granted">,
  after: State,
): Generator<string, void, undefined> {
  const { lane: name, mode } = data;
  const lane = before.book.rules.lanes.find((one) => one.name === name);
  if (name === undefined) {
    if (mode === "slot") yield `I1: a slot must be of a lane, l-${seq} is of none`;
    return;
  }
  if (lane === undefined) yield `I1: the lane of l-${seq} must be enacted, ${name} is not`;
  if ((lane?.alone ?? false) !== (data.alone ?? false))
    yield `I1: l-${seq} must run alone just as its lane ${name}`;
  if (mode !== "slot") return;
  const taken = [...after.book.leases.values()].filter(
    (lease) => lease.mode === "slot" && lease.lane === name && lease.expires_at_ms > at_ms,
  );
  const slots = lane?.slots ?? 0;
  if (taken.length > slots)
    yield `I1: slots of lane ${name} must be at most ${slots}, l-${seq} is the ${taken.length}th`;
}

/** What is lent is a part of what its lender has, for no longer, to somebody below (I5). */
function* lentViolations(
  before: State,
  lease: Lease,
  atMs: number,
): Generator<string, void, undefined> {
  const { id, lender: from } = lease;
  const lender = before.book.leases.get(from ?? "");
  if (lender === undefined || lender.expires_at_ms <= atMs) {
    yield `I8: ${id} must be lent of a live lease, ${from} is none`;
    return;
  }
  if (lease.expires_at_ms > lender.expires_at_ms)
    yield `I5: ${id} must end with ${from} at ${lender.expires_at_ms}, got ${lease.expires_at_ms}`;
  if (!isInside(lease.region, lender.region, before))
    yield `I5: ${id} must lie in ${from}, got ${lease.region.join(" ")}`;
  if (lease.mode !== lender.mode || lease.mode === "slot")
    yield `I5: ${id} must be lent as ${lender.mode}, got ${lease.mode}`;
  if (!isBelow(before, lease.holder, lender.holder))
    yield `I5: ${id} must be lent to a worker below the holder of ${from}`;
}

function isBelow({ workers }: State, holder: Holder, above: Holder): boolean {
  if (!("worker" in holder) || !("worker" in above)) return false;
  let at = workers.get(holder.worker)?.parent ?? null;
  while (at !== null && at !== above.worker) at = workers.get(at)?.parent ?? null;
  return at === above.worker;
}

/** Whether an actor is the worker that holds something. */
export function isSelf(actor: Actor, holder: Holder): boolean {
  return actor.kind === "worker" && "worker" in holder && holder.worker === actor.id;
}

/** Whether patterns lie in others, by the fleet's folding; what cannot be decided does not. */
export function isInside(
  inner: readonly string[],
  outer: readonly string[],
  { book }: Pick<State, "book">,
): boolean {
  const [one, other] = [inner, outer].map((patterns) => regionOf(patterns, book.foldsCase));
  if (one === undefined || other === undefined) return false;
  return containmentOf(one, other).kind === "inside";
}
