import type { Event } from "./event.ts";
import { refuse, type Refusal, type RefusalCode } from "./refusal.ts";
import type { JsonObject } from "./json.ts";
import type { State, Worker } from "./state.ts";

/** What the rules answer to a command: events to journal, or a refusal. */
export type Ruling =
  | { readonly ok: true; readonly events: readonly Event[] }
  | { readonly ok: false; readonly refusal: Refusal };

/** A ruling that lets the command happen; no events means that there is nothing to do. */
export function grant(...events: readonly Event[]): Ruling {
  return { ok: true, events };
}

/** A ruling that says no. */
export function deny(code: RefusalCode, message: string, facts: JsonObject = {}): Ruling {
  return { ok: false, refusal: refuse(code, message, facts) };
}

/** A worker that a command may act on, or the refusal that says why there is none. */
export type Found =
  | { readonly ok: true; readonly worker: Worker }
  | { readonly ok: false; readonly refusal: Refusal };

/** Finds a live worker; `ended` is what the store's index knows of ids the state has dropped. */
export function findLive(state: State, id: string, ended: string | undefined): Found {
  const worker = state.workers.get(id);
  if (worker === undefined && ended !== id)
    return {
      ok: false,
      refusal: refuse(
        "worker_unknown",
        `a worker of this fleet must be named, none has the id ${id}`,
        {
          worker: id,
        },
      ),
    };
  if (worker === undefined || worker.status === "stopped")
    return {
      ok: false,
      refusal: refuse("worker_ended", `worker ${id} must be alive, it has ended`, { worker: id }),
    };
  return { ok: true, worker };
}

/** Finds a worker that runs, so that it may be acted on as one that works. */
export function findRunning(state: State, id: string, ended: string | undefined): Found {
  const found = findLive(state, id, ended);
  if (!found.ok || found.worker.status === "running") return found;
  const { status, stopping } = found.worker;
  if (stopping?.reason === "expired") {
    const { expires_at_ms } = found.worker;
    const message = `worker ${id} must be within its lifetime, which ended at ${expires_at_ms}`;
    const facts = { worker: id, expires_at_ms };
    return { ok: false, refusal: refuse("worker_expired", message, facts) };
  }
  const message = `worker ${id} must be running, it is ${status}`;
  return { ok: false, refusal: refuse("worker_not_running", message, { worker: id, status }) };
}
