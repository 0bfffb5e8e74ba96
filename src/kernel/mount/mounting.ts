import type { CommandMap } from "../command.ts";
import { grant, type Ruling } from "../decision.ts";
import { checkAlive } from "../fleet/openness.ts";
import { findHeld } from "../lease/claim.ts";
import type { Lease } from "../lease/lease.ts";
import { refuse, type Refusal } from "../refusal.ts";
import type { State } from "../state.ts";
import { foldersIn } from "./folders.ts";

interface Now {
  readonly atMs: number;
  readonly ended: string | undefined;
}

/**
 * Decides `lease.mount`: from now on a worker's sandbox may let it write to the whole folders of a
 * lease, and they are occupied until they are taken from it. It is on record before it is done, so
 * whoever dies in between leaves ground that is taken for occupied, never the reverse.
 */
export function decideMount(state: State, request: CommandMap["lease.mount"], now: Now): Ruling {
  const killed = checkAlive(state);
  if (killed !== null) return { ok: false, refusal: killed };
  const found = findHeld(state, request.lease, now);
  if (!found.ok) return found;
  const { lease } = found;
  const refusal = checkHolder(state, lease, request.worker) ?? checkOccupied(state, lease);
  if (refusal !== null) return { ok: false, refusal };
  const { patterns } = foldersIn(lease, state.book.foldsCase);
  const mount = state.book.mounts.get(lease.id);
  if (mount !== undefined || patterns.length === 0) return grant();
  const { worker } = request;
  return grant({ kind: "lease.mounted", data: { lease: lease.id, worker, region: patterns } });
}

/** Decides `lease.fence`: nothing of a worker can write to what was mounted for a lease. */
export function decideFence(state: State, request: CommandMap["lease.fence"]): Ruling {
  const { lease, worker, ...evidence } = request;
  const mount = state.book.mounts.get(lease);
  if (mount?.worker !== worker) return grant();
  const { region } = mount;
  return grant({ kind: "lease.fenced", data: { lease, worker, region, ...evidence } });
}

function checkHolder(state: State, { id, holder }: Lease, worker: string): Refusal | null {
  const isIts = "worker" in holder && holder.worker === worker;
  if (isIts && state.workers.get(worker)?.status === "running") return null;
  return refuse(
    "holder_mismatch",
    `lease ${id} must be mounted for its holder while that runs, got ${worker}`,
    { lease_id: id, got: worker },
  );
}

/** What was mounted for the lease before, for another or of another size, must be taken first. */
function checkOccupied({ book }: State, lease: Lease): Refusal | null {
  const mount = book.mounts.get(lease.id);
  if (mount === undefined) return null;
  const { patterns } = foldersIn(lease, book.foldsCase);
  if (mount.region.join("\n") === patterns.join("\n")) return null;
  return refuse(
    "conflict",
    `what is mounted for ${lease.id} must be taken before it is mounted anew, it is not`,
    { lease_id: lease.id, holder: mount.worker, mounted: mount.region },
  );
}
