import { carve, flatten } from "../budget/allowance.ts";
import type { CommandMap } from "../command.ts";
import { deny, grant, type Ruling } from "../decision.ts";
import type { Event } from "../event.ts";
import type { EventMap } from "../event.ts";
import type { JsonObject } from "../json.ts";
import { LIMITS } from "../limits.ts";
import { OrderedMap } from "../ordered-map.ts";
import { narrowTo } from "../region/rights.ts";
import type { State, Worker } from "../state.ts";
import { NETWORKS, type Manifest } from "../worker/manifest.ts";
import { isLive, isReservation } from "../state.ts";
import { addWorker, admittedWorker, putWorker } from "../worker/registry.ts";

/**
 * Decides `fleet.recover`: the journal goes on above everything that is remembered of it, paused,
 * in an epoch above all that are. Workers that the lost part is known to have admitted count as
 * live until they expire. Asked again, when nothing is missing any more, it writes nothing. An
 * epoch that no fence has room for is refused with `limit_exceeded` (RV22).
 *
 * What time has ended is left for the next decision: the gap is before the first entry.
 */
export function decideRecover(
  state: State,
  request: CommandMap["fleet.recover"],
  atMs: number,
): Ruling {
  const { reason, kept_hash, remembered_seq, remembered_hash, workers } = request;
  if (remembered_seq <= state.seq) return grant();
  const foreign = workers.find((manifest) => manifest.fleet !== state.fleet);
  if (foreign !== undefined)
    return deny(
      "manifest_foreign",
      `manifests must be for ${state.fleet}, got one for ${foreign.fleet}`,
      {
        expected: state.fleet,
        got: foreign.fleet,
        instance: foreign.instance,
      },
    );
  // The lost part may itself have gone on after a loss: its fences are of an epoch not kept here.
  const epoch = Math.max(state.epoch, request.remembered_epoch ?? 0) + 1;
  if (epoch > LIMITS.epochMax) return deny("limit_exceeded", ...exhausted(epoch));
  const kept = { kept_seq: state.seq, kept_hash, remembered_seq, remembered_hash };
  const data = { reason, ...kept, epoch };
  return grant({ kind: "fleet.recovered", data }, ...adoptions(state, workers, atMs));
}

function exhausted(got: number): readonly [message: string, facts: JsonObject] {
  const max = LIMITS.epochMax;
  return [`the epoch must stay at most ${max}, it would be ${got}`, { field: "epoch", max, got }];
}

/** Takes workers over, parents before their children, each on the state that the others left. */
function adoptions(state: State, manifests: readonly Manifest[], atMs: number): readonly Event[] {
  const ordered = manifests.toSorted(
    (one, other) => one.depth - other.depth || (one.instance < other.instance ? -1 : 1),
  );
  const events: Event[] = [];
  let next = state;
  for (const manifest of ordered) {
    const known = next.workers.get(manifest.instance);
    // Whoever ran, or was told to stop, in the part that was kept is still what it was there.
    if (known !== undefined && known.status !== "admitted") continue;
    const data = {
      manifest,
      parent: known === undefined ? parentFor(next, manifest) : known.parent,
    };
    events.push({ kind: "worker.adopted", data });
    next = adopted(next, data, atMs);
  }
  return events;
}

/**
 * The parent that still has room for what a worker holds, or null. The lost part may have given
 * back what the kept part still counts: a worker that does not fit stands on its own, under its
 * own budget and deadline.
 */
function parentFor(state: State, manifest: Manifest): string | null {
  const parent = state.workers.get(manifest.parent ?? "");
  if (parent === undefined || !isLive(parent) || isReservation(parent)) return null;
  const isNarrower =
    NETWORKS.indexOf(manifest.network) <= NETWORKS.indexOf(parent.network) &&
    isNarrowed(state, manifest.regions, parent.regions) &&
    manifest.expires_at_ms <= parent.expires_at_ms;
  const own = flatten(manifest.budget);
  const isBounded = Object.keys(flatten(parent.granted)).every((key) => own[key] !== undefined);
  const hasRoom = isBounded && carve(parent, manifest.budget, state.contract).ok;
  return isNarrower && hasRoom ? parent.id : null;
}

function isNarrowed({ book }: State, inner: readonly string[], outer: readonly string[]): boolean {
  return narrowTo(inner, outer, { isCaseless: book.foldsCase }).kind === "inside";
}

/** The fold of `fleet.recovered`. What was revoked or spent in the lost part is not good again. */
export function recovered(state: State, { epoch }: EventMap["fleet.recovered"]): State {
  const status = state.status === "killed" ? "killed" : "paused";
  return { ...state, epoch, status, access: OrderedMap.empty() };
}

/** The fold of `worker.adopted`: it runs, or in a killed fleet is told to stop. */
export function adopted(
  state: State,
  { manifest, parent }: EventMap["worker.adopted"],
  atMs: number,
): State {
  const life: Pick<Worker, "status" | "stopping" | "registered_at_ms"> =
    state.status === "killed"
      ? { status: "stopping", stopping: { reason: "killed", at_ms: atMs }, registered_at_ms: atMs }
      : { status: "running", stopping: null, registered_at_ms: atMs };
  const known = state.workers.get(manifest.instance);
  if (known !== undefined) return putWorker(state, { ...known, ...life });
  const worker = admittedWorker({ manifest, reason: "recovered", degraded: [] });
  return addWorker(state, { ...worker, ...life, parent }, atMs);
}
