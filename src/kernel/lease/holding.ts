import { refuse, type Refusal } from "../refusal.ts";
import type { State } from "../state.ts";
import { nameOf, type Holder, type Lease } from "./lease.ts";

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
export function isOrphaned(state: State, { holder }: Pick<Lease, "holder">): boolean {
  if (!("worker" in holder)) return false;
  return (state.workers.get(holder.worker)?.status ?? "stopped") === "stopped";
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
