import { LIMITS } from "../limits.ts";
import { refuse, type Refusal } from "../refusal.ts";
import type { State } from "../state.ts";
import { heldCountAt, leasesOf } from "./book.ts";
import { isHeldAt, nameOf, type Holder, type Lease } from "./lease.ts";

/** Refuses a holder that may be given nothing now; an outside party may. */
export function checkNewHolder(
  state: State,
  holder: Holder,
  ended: string | undefined,
): Refusal | null {
  const refusal = checkHolder(state, holder, ended);
  if (refusal !== null || !("worker" in holder)) return refusal;
  if (state.workers.get(holder.worker)?.stale !== true) return null;
  const message = `the holder must beat in time, ${holder.worker} has missed beats`;
  return refuse("holder_stale", message, { holder: holder.worker });
}

/** Refuses a holder that may not keep what it has beyond its time: one that beats late may. */
export function checkHolder(
  state: State,
  holder: Holder,
  ended: string | undefined,
): Refusal | null {
  if (!("worker" in holder)) return null;
  const { worker: id } = holder;
  const worker = state.workers.get(id);
  if (worker === undefined && ended !== id)
    return refuse("worker_unknown", `the holder must be a worker, none has the id ${id}`, {
      worker: id,
    });
  if (worker?.status === "admitted")
    return refuse("worker_not_running", `the holder must be running, ${id} is admitted`, {
      worker: id,
      status: worker.status,
    });
  if (worker?.status !== "running") {
    const status = worker?.status ?? "stopped";
    return refuse("holder_ended", `the holder must be running, ${id} is ${status}`, {
      holder: id,
      status,
    });
  }
  if (worker.quarantine === null) return null;
  const message = `the holder must not be in quarantine, ${id} is`;
  return refuse("holder_quarantined", message, { holder: id });
}

/** Whether a lease is left of a worker that has ended; of outside parties nobody can know. */
export function isOrphaned(
  { workers }: Pick<State, "workers">,
  { holder }: Pick<Lease, "holder">,
): boolean {
  if (!("worker" in holder)) return false;
  return (workers.get(holder.worker)?.status ?? "stopped") === "stopped";
}

/** What a holder's regions must lie in; null for an outside party, which has no bound. */
export function rightsOf(state: State, holder: Holder): readonly string[] | null {
  if (!("worker" in holder)) return null;
  return state.workers.get(holder.worker)?.regions ?? [];
}

/** A holder for messages. */
export function shown(holder: Holder): string {
  return "worker" in holder ? holder.worker : JSON.stringify(nameOf(holder));
}

/**
 * Refuses to give what one sandbox has mounted to another, whole or in part: its holder could write
 * there until it is taken from it. Released and asked for anew it goes the way that is safe.
 */
export function checkUnmounted({ book }: State, { id }: Lease): Refusal | null {
  const mount = book.mounts.get(id);
  if (mount === undefined) return null;
  const message =
    `${id} must be released, and asked for by the other: ` +
    `the sandbox of ${mount.worker} has it mounted`;
  const { worker: holder, region: mounted } = mount;
  return refuse("conflict", message, { lease_id: id, holder, mounted, lapsing: false, own: false });
}

/** What is to be held, and by whom. */
interface More {
  readonly holder: Holder;
  readonly region: readonly string[];
}

/**
 * Refuses what would be more than is kept: of the fleet, or of one holder, which may have so many
 * leases and so many bytes of patterns. What others ask for is compared with them, so a holder's
 * patterns are everybody's work.
 */
export function checkRoom(state: State, { holder, region }: More, atMs: number): Refusal | null {
  const { leasesMax, leasesPerHolderMax, leaseBytesPerHolderMax } = LIMITS;
  const { book } = state;
  if (heldCountAt(book, atMs) >= leasesMax)
    return exceeded("leases", { whose: "leases of a fleet", max: leasesMax, got: leasesMax });
  let count = 0;
  let bytes = bytesOf(region);
  for (const lease of leasesOf(book, holder)) {
    if (!isHeldAt(lease, atMs)) continue;
    count += 1;
    bytes += bytesOf(lease.region);
  }
  if (count >= leasesPerHolderMax) {
    const whose = "leases of a holder";
    return exceeded("leases_of_holder", { whose, max: leasesPerHolderMax, got: count });
  }
  if (bytes <= leaseBytesPerHolderMax) return null;
  const whose = "bytes of the patterns of a holder";
  return exceeded("bytes_of_holder", { whose, max: leaseBytesPerHolderMax, got: bytes });
}

function exceeded(
  field: string,
  { whose, max, got }: { readonly whose: string; readonly max: number; readonly got: number },
): Refusal {
  const message = `${whose} must stay at most ${max}, there are ${got}`;
  return refuse("limit_exceeded", message, { field, max, got });
}

/** The size of patterns: UTF-16 code units are what is counted, near enough, and cheap. */
export function bytesOf(patterns: readonly string[]): number {
  return patterns.reduce((sum, pattern) => sum + pattern.length, 0);
}
