import type { Entry } from "../entry.ts";
import type { Happening } from "../evolve.ts";
import type { Mount } from "../mount/mount.ts";
import { overlapOf } from "../region/relation.ts";
import type { State } from "../state.ts";
import { regionOf } from "./ground.ts";
import { isInside } from "./lease-grants.ts";

/**
 * What an entry did to ground that sandboxes have mounted: it comes by its own entry, on what its
 * worker holds then; it goes by evidence, never by time (I8); and nobody else is granted it before
 * (I1).
 */
export function* mountViolations(
  before: State,
  happening: Happening,
  after: State,
): Generator<string, void, undefined> {
  const entry = happening as Entry;
  if (entry.kind === "lease.granted") yield* grantViolations(before, entry, after);
  const [was, is] = [before.book.mounts, after.book.mounts];
  if (was === is) return;
  for (const mount of was.values()) {
    if (is.get(mount.lease) === mount) continue;
    const isFenced = entry.kind === "lease.fenced" && entry.data.lease === mount.lease;
    const isEnded = entry.kind === "worker.stopped" && entry.data.worker === mount.worker;
    if (is.has(mount.lease) || !(isFenced || isEnded))
      yield `I8: ${entry.kind} must not take what ${mount.worker} has mounted for ${mount.lease}`;
  }
  for (const mount of is.values())
    if (!was.has(mount.lease)) yield* newcomerViolations(before, { entry, mount, after });
}

function* newcomerViolations(
  before: State,
  { entry, mount, after }: { readonly entry: Entry; readonly mount: Mount; readonly after: State },
): Generator<string, void, undefined> {
  const { lease: id, worker, region } = mount;
  if (entry.kind !== "lease.mounted" || entry.data.lease !== id) {
    yield `I8: ${entry.kind} must not mount anything, it mounted ${id}`;
    return;
  }
  const lease = before.book.leases.get(id);
  const isIts = lease !== undefined && "worker" in lease.holder && lease.holder.worker === worker;
  if (!isIts || entry.at_ms >= lease.expires_at_ms || lease.mode === "shared")
    yield `I8: what is mounted for ${id} must be what ${worker} holds and may write to`;
  else if (!isInside(region, lease.region, after))
    yield `I1: what is mounted for ${id} must lie in it, got ${region.join(" ")}`;
}

/** Nobody is granted what somebody else's sandbox lets it write to without a right. */
function* grantViolations(
  before: State,
  { at_ms, data }: Entry<"lease.granted">,
  after: State,
): Generator<string, void, undefined> {
  const { foldsCase, leases } = after.book;
  const wanted = regionOf(data.region, foldsCase);
  for (const mount of before.book.mounts.values()) {
    const lease = leases.get(mount.lease);
    const isOwn = "worker" in data.holder && data.holder.worker === mount.worker;
    const isSlot = mount.mode === "slot" && data.mode === "slot" && mount.lane === data.lane;
    if (isOwn || isSlot || data.lender === mount.lease) continue;
    // What its lease speaks for is that lease's matter.
    const isSpokenFor =
      lease !== undefined &&
      at_ms < lease.expires_at_ms &&
      isInside(mount.region, lease.region, after);
    const held = regionOf(mount.region, foldsCase);
    if (isSpokenFor || wanted === undefined || held === undefined) continue;
    if (overlapOf(wanted, held).kind !== "apart")
      yield `I1: what ${mount.worker} has mounted for ${mount.lease} must not be granted on yet`;
  }
}
