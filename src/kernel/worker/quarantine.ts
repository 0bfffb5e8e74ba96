import type { CommandMap } from "../command.ts";
import { deny, findLive, findRunning, grant, type Ruling } from "../decision.ts";
import type { State } from "../state.ts";

/** Decides `worker.quarantine`: frozen and kept, until an operator lifts or stops it. */
export function decideQuarantine(
  state: State,
  request: CommandMap["worker.quarantine"],
  so: { readonly atMs: number; readonly ended: string | undefined },
): Ruling {
  const found = findRunning(state, request.worker, so.ended);
  if (!found.ok) return found;
  if (found.worker.quarantine !== null)
    return deny("worker_quarantined", `worker ${request.worker} must not be in quarantine, it is`, {
      worker: request.worker,
      until_ms: found.worker.quarantine.until_ms,
    });
  const until_ms = so.atMs + state.contract.quarantine_max_ms;
  return grant({ kind: "worker.quarantined", data: { ...request, until_ms } });
}

/** Decides `worker.unquarantine`: a worker past its lifetime is not let run again. */
export function decideUnquarantine(
  state: State,
  request: CommandMap["worker.unquarantine"],
  so: { readonly atMs: number; readonly ended: string | undefined },
): Ruling {
  const found = findLive(state, request.worker, so.ended);
  if (!found.ok) return found;
  const { worker } = found;
  if (worker.quarantine === null)
    return deny("worker_not_quarantined", `worker ${worker.id} must be in quarantine, it is not`, {
      worker: worker.id,
      status: worker.status,
    });
  if (so.atMs >= worker.expires_at_ms)
    return deny(
      "worker_expired",
      `worker ${worker.id} must be within its lifetime, which ended at ${worker.expires_at_ms}: ` +
        "it can only be stopped",
      { worker: worker.id, expires_at_ms: worker.expires_at_ms, at_ms: so.atMs },
    );
  return grant({ kind: "worker.unquarantined", data: request });
}

/** Decides `worker.note`: a text for the record of a worker, also after its end. */
export function decideNote(
  state: State,
  request: CommandMap["worker.note"],
  ended: string | undefined,
): Ruling {
  const found = findLive(state, request.worker, ended);
  if (!found.ok && found.refusal.code === "worker_unknown") return found;
  return grant({ kind: "worker.noted", data: request });
}
