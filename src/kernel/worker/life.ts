import type { Actor } from "../actor.ts";
import type { CommandMap } from "../command.ts";
import { releasesOf } from "../lease/ending.ts";
import { deny, findLive, findRunning, grant, type Ruling } from "../decision.ts";
import type { Event } from "../event.ts";
import { newHits } from "./limit-hit.ts";
import type { StopReason } from "./evidence.ts";
import {
  childrenOf,
  descendantsOf,
  isLive,
  isReservation,
  type State,
  type Worker,
} from "../state.ts";

/** Decides `worker.checkpoint`: a running worker replaces its recorded state. */
export function decideCheckpoint(
  state: State,
  request: CommandMap["worker.checkpoint"],
  ended: string | undefined,
): Ruling {
  const found = findRunning(state, request.worker, ended);
  if (!found.ok) return found;
  if (found.worker.quarantine !== null)
    return deny("worker_quarantined", `worker ${request.worker} must not be in quarantine, it is`, {
      worker: request.worker,
    });
  return grant({ kind: "worker.checkpointed", data: request });
}

/**
 * Decides `worker.stop`: told to stop, with its descendants if `tree`. A worker that is stopping
 * already is left as it is, so a repeated stop writes nothing. A worker in quarantine does not get
 * out of it by ending itself: it is kept for an operator.
 *
 * A grace is given by an operator, never by the worker to itself, and ends with the lifetime.
 */
export function decideStop(
  state: State,
  request: CommandMap["worker.stop"],
  so: { readonly atMs: number; readonly ended: string | undefined; readonly actor: Actor },
): Ruling {
  const found = findLive(state, request.worker, so.ended);
  if (found.ok && found.worker.quarantine !== null && so.actor.kind === "worker")
    return deny("worker_quarantined", `worker ${request.worker} must not be in quarantine, it is`, {
      worker: request.worker,
    });
  // Its own descendants may outlive a dead worker, and a tree stop is about them too.
  const dead = state.workers.get(request.worker);
  if (!found.ok && !(request.tree && dead !== undefined)) return found;
  const { reason, detail, grace_ms } = request;
  const told = {
    ...(detail === undefined ? {} : { detail }),
    ...(grace_ms === undefined || so.actor.kind === "worker" ? {} : { grace_ms, at_ms: so.atMs }),
  };
  const events: Event[] = [];
  if (found.ok) events.push(...stopping([found.worker], reason, told));
  if (request.tree) events.push(...stopping(descendantsOf(state, request.worker), reason, told));
  return grant(...events);
}

/** What else is said with a stop; a grace counts from an instant. */
interface Told {
  readonly detail?: string;
  readonly grace_ms?: number;
  readonly at_ms?: number;
}

/** The events that tell workers to stop; those that already do, or have, are left out. */
export function stopping(
  workers: readonly Worker[],
  reason: StopReason,
  { detail, grace_ms, at_ms = 0 }: Told = {},
): readonly Event[] {
  return workers
    .filter((worker) => isLive(worker) && worker.status !== "stopping")
    .map((worker): Event => {
      const leftMs = Math.max(0, worker.expires_at_ms - at_ms);
      const data = {
        worker: worker.id,
        reason,
        ...(detail === undefined ? {} : { detail }),
        ...(grace_ms === undefined ? {} : { grace_ms: Math.min(grace_ms, leftMs) }),
      };
      return { kind: "worker.stopping", data };
    });
}

/** Decides `worker.exited`: what ran the worker has ended it, with evidence (I10). */
export function decideExited(
  state: State,
  request: CommandMap["worker.exited"],
  ended: string | undefined,
): Ruling {
  const found = findLive(state, request.worker, ended);
  if (!found.ok) return found;
  const { worker } = found;
  const reason = worker.stopping?.reason ?? reasonOf(request.outcome);
  const { evidence, outcome } = request;
  return grant(
    ...newHits(worker, request.limits_hit ?? []),
    { kind: "worker.stopped", data: { worker: worker.id, reason, evidence, outcome } },
    // Whoever ended as he should is done with his ground; what others leave stays protected.
    ...(reason === "completed" ? releasesOf(state, worker.id) : []),
    ...orphaned(state, worker),
  );
}

function reasonOf(outcome: CommandMap["worker.exited"]["outcome"]): StopReason {
  const clean = outcome.exit_code === 0 && outcome.error === undefined;
  return clean ? "completed" : "failed";
}

/** Decides `worker.write_off`: an operator declares it ended, on no evidence but his word. */
export function decideWriteOff(
  state: State,
  request: CommandMap["worker.write_off"],
  so: { readonly ended: string | undefined; readonly by: string },
): Ruling {
  const found = findLive(state, request.worker, so.ended);
  if (!found.ok) return found;
  const reason = found.worker.stopping?.reason ?? "requested";
  return grant(
    {
      kind: "worker.stopped",
      data: {
        worker: request.worker,
        reason,
        evidence: { grade: "declared", facts: { by: so.by, reason: request.reason } },
        outcome: {},
      },
    },
    ...orphaned(state, found.worker),
  );
}

/**
 * What becomes of the descendants of a worker that ends (`on_orphan`). A reservation is never
 * handed on: its manifest names the parent that is dead.
 */
function orphaned(state: State, dead: Worker): readonly Event[] {
  if (dead.children_count === 0) return [];
  const policy = state.contract.on_orphan;
  if (policy === "keep") return [];
  const heir = policy === "grandparent" ? livingAncestor(state, dead) : null;
  if (heir === null) return stopping(descendantsOf(state, dead.id), "orphaned");
  return orphansOf(state, dead.id).flatMap((worker): readonly Event[] => {
    if (isReservation(worker)) return stopping([worker], "orphaned");
    return [{ kind: "worker.reparented", data: { worker: worker.id, parent: heir.id } }];
  });
}

/** The living among whose ancestors, up to the dead one, none lives: its children in effect. */
function orphansOf(state: State, dead: string): readonly Worker[] {
  return childrenOf(state, dead).flatMap((id): readonly Worker[] => {
    const worker = state.workers.get(id);
    if (worker === undefined) return [];
    return isLive(worker) ? [worker] : orphansOf(state, id);
  });
}

function livingAncestor(state: State, worker: Worker): Worker | null {
  let id = worker.parent;
  while (id !== null) {
    const ancestor = state.workers.get(id);
    if (ancestor === undefined) return null;
    if (ancestor.status === "running") return ancestor;
    id = ancestor.parent;
  }
  return null;
}
