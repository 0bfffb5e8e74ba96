import type { CommandMap } from "../../kernel/command.ts";
import type { Entry } from "../../kernel/entry.ts";
import { grantedLease } from "../../kernel/lease/fold.ts";
import type { Lease } from "../../kernel/lease/lease.ts";
import { findRepeated } from "../../kernel/lease/acquisition.ts";
import { findLent } from "../../kernel/lease/split.ts";
import { takenUp } from "../../kernel/queue/waiting.ts";
import type { State } from "../../kernel/state.ts";
import { supervisorOf, type Seat } from "../seat.ts";
import type { LeaseOrder, Sighting } from "./line.ts";
import { viewOfLease } from "./view.ts";

/** The journal time by which a lease of the state may be over, as far as it is known here. */
export function journalNow({ loop }: Pick<Seat, "loop">): number {
  return Math.max(loop.state().at_ms, loop.timeMs() ?? 0);
}

interface Sent extends Pick<Seat, "loop"> {
  readonly host: Pick<Seat["host"], "id" | "uid" | "user">;
}

/**
 * The lease as a command of this process's has left it, by the entries that it wrote, or where it
 * wrote none by the state as it is now. Undefined when the lease has ended since, and for commands
 * that leave none.
 */
export async function sightAfter(
  seat: Sent,
  order: LeaseOrder,
  entries: readonly Entry[],
): Promise<Sighting | undefined> {
  const state = seat.loop.state();
  const kinds = new Set(entries.map(({ kind }) => kind));
  // Whoever waits has nothing yet.
  const isWaiting = kinds.has("place.queued") && !kinds.has("place.left");
  for (const entry of entries) {
    const lease = leaseIn(state, entry);
    if (lease === undefined) continue;
    const remainingMs = lease.expires_at_ms - entry.at_ms;
    return { lease: viewOfLease(state, lease, entry.at_ms), remainingMs };
  }
  return LEAVES_ONE.has(order.kind) && !isWaiting
    ? sightNow(seat, (now, atMs) => find(now, order, atMs))
    : undefined;
}

/** The commands that leave a lease as it is when they write nothing. */
const LEAVES_ONE: ReadonlySet<string> = new Set([
  "lease.acquire",
  "lease.renew",
  "lease.narrow",
  "lease.split",
  "place.keep",
]);

/** The lease that an entry grants or changes, as it then is. */
function leaseIn(state: State, entry: Entry): Lease | undefined {
  switch (entry.kind) {
    case "lease.granted":
      return grantedLease(state.epoch, entry);
    case "lease.narrowed":
      return state.book.leases.get(entry.data.lease);
    case "lease.renewed":
    case "lease.handed_over": {
      const lease = state.book.leases.get(entry.data.lease);
      // Others may have moved its end since; what this entry says is what its sender may rely on.
      return lease && { ...lease, expires_at_ms: entry.data.expires_at_ms };
    }
    default:
      return undefined;
  }
}

function find(state: State, { kind, data }: LeaseOrder, atMs: number): Lease | undefined {
  if (kind === "lease.acquire") return findRepeated(state, data, atMs);
  if (kind === "lease.split") return findLent(state, data, atMs);
  if (kind === "place.keep") return takenUp(state, data, atMs);
  return state.book.leases.get((data as CommandMap["lease.renew"]).lease);
}

/**
 * Looks at a lease at the journal's own time, which is read after this was called: by an append
 * that has nothing to write but what time alone has ended.
 */
export async function sightNow(
  seat: Sent,
  find: (state: State, atMs: number) => Lease | undefined,
): Promise<Sighting | undefined> {
  const { loop } = seat;
  await loop.submit({ kind: "clock.tick", data: {} }, supervisorOf(seat));
  const state = loop.state();
  const atMs = journalNow(seat);
  const lease = find(state, atMs);
  if (lease === undefined || lease.expires_at_ms <= atMs) return undefined;
  return {
    lease: viewOfLease(state, lease, atMs),
    remainingMs: lease.expires_at_ms - atMs,
  };
}
