import { evolveAccess, withoutTokensOf } from "./access/tokens.ts";
import { add, flatten } from "./budget/allowance.ts";
import { unreachable } from "./assert.ts";
import type { Entry } from "./entry.ts";
import type { EventMap } from "./event.ts";
import { wholeContract } from "./fleet/contract.ts";
import { adopted, recovered } from "./fleet/recovery.ts";
import { evolveLeases, newBook, withoutMountsOf, type LeaseEntry } from "./lease/fold.ts";
import { LIMITS } from "./limits.ts";
import { evolvePlaces, withoutPlaces, withoutPlacesOf, type PlaceEntry } from "./queue/fold.ts";
import { evolveRoster } from "./roster/fold.ts";
import { recordHit } from "./worker/limit-hit.ts";
import {
  addWorker,
  admittedWorker,
  endWorker,
  putWorker,
  reparent,
  workerOf,
} from "./worker/registry.ts";
import { isLive, type Amounts, type State, type Worker } from "./state.ts";
import { refusalKey } from "./actor.ts";

/** An entry as far as the fold needs it: its place, its time and what happened. */
export type Happening = Pick<Entry, "seq" | "at_ms" | "kind" | "data" | "actor">;

/**
 * The state after an entry. State is always the fold of recorded entries: rules that decided them
 * are not needed to open a journal (I7).
 */
export function evolve(state: State, happening: Happening): State {
  const entry = happening as Entry;
  const next = apply(state, entry);
  return { ...next, seq: entry.seq, at_ms: entry.at_ms };
}

function apply(state: State, entry: Entry): State {
  switch (entry.kind) {
    case "worker.admitted":
      return addWorker(state, admittedWorker(entry.data), entry.at_ms);
    case "worker.adopted":
      return adopted(state, entry.data, entry.at_ms);
    case "worker.registered": {
      const { worker, process } = entry.data;
      return change(state, worker, {
        status: "running",
        process: process ?? null,
        registered_at_ms: entry.at_ms,
      });
    }
    case "worker.checkpointed":
      return change(state, entry.data.worker, { state: entry.data.state });
    case "worker.stopped":
      return stopped(state, entry.data);
    case "worker.lapsed":
      return withoutTokensOf(
        endWorker(state, workerOf(state, entry.data.worker), true),
        entry.data.worker,
      );
    case "worker.staled":
      return change(state, entry.data.worker, { stale: true });
    case "worker.recovered":
      return change(state, entry.data.worker, { stale: false, flagged: false });
    case "worker.flagged":
      return change(state, entry.data.worker, { flagged: true });
    case "worker.limit_hit": {
      const worker = workerOf(state, entry.data.worker);
      const limits_hit = recordHit(worker, entry.data, entry.at_ms);
      return putWorker(state, { ...worker, limits_hit });
    }
    case "worker.stopping":
      return stopping(state, entry.data, entry.at_ms);
    case "worker.reparented":
      return reparent(state, workerOf(state, entry.data.worker), entry.data.parent);
    case "worker.quarantined":
      return quarantined(state, entry.data, entry.at_ms);
    case "worker.unquarantined":
      return change(state, entry.data.worker, { quarantine: null });
    case "budget.charged":
      return charged(state, entry.data);
    case "command.refused":
      return counted(state, refusalKey(entry.actor, entry.data.party), entry.at_ms);
    case "lanes.enacted":
    case "lane.announced":
    case "lease.granted":
    case "lease.renewed":
    case "lease.narrowed":
    case "lease.handed_over":
    case "lease.released":
    case "lease.revoked":
    case "lease.lapsed":
    case "lease.mounted":
    case "lease.fenced":
      return evolveLeases(state, entry);
    case "place.queued":
    case "place.kept":
    case "place.left":
    case "place.lapsed":
      return evolvePlaces(state, entry);
    default:
      return applyToFleet(state, entry);
  }
}

type FleetEntry = Exclude<Entry, { readonly kind: `worker.${string}` } | LeaseEntry | PlaceEntry>;

function applyToFleet(state: State, entry: Entry): State {
  const happened = entry as FleetEntry;
  switch (happened.kind) {
    case "fleet.created":
      return created(state, happened.data);
    case "fleet.paused":
      return { ...state, status: "paused" };
    case "fleet.resumed":
      return { ...state, status: "open" };
    case "fleet.recovered":
      return recovered(state, happened.data);
    case "fleet.killed":
      return killed(state, happened.at_ms);
    case "contract.enacted": {
      const { contract, contract_hash } = happened.data;
      return { ...state, contract: wholeContract(contract), contract_hash };
    }
    case "key.rotated":
      return { ...state, key: happened.data.key };
    case "armed.checked":
      return { ...state, armed: { ...happened.data, at_ms: happened.at_ms } };
    case "roster.enacted":
    case "roll.changed":
    case "roll.forgotten":
    case "control.requested":
    case "service.acted":
      return evolveRoster(state, happened);
    case "token.issued":
    case "token.exchanged":
    case "token.revoked":
      return evolveAccess(state, happened);
    // What a trip does stands in the entries after it.
    case "condition.tripped":
    case "condition.failed":
    case "budget.charged":
    case "command.refused":
    case "halt.requested":
    case "clock.accepted":
    case "refusals.suppressed":
    case "journal.signed":
    case "receipt.recorded":
      return state;
    default:
      // Notes change nothing that decides; any other worker kind is handled above.
      return (happened as Entry).kind === "worker.noted" ? state : unreachable(happened);
  }
}

function change(state: State, id: string, fields: Partial<Worker>): State {
  return putWorker(state, { ...workerOf(state, id), ...fields });
}

function created(state: State, data: EventMap["fleet.created"]): State {
  const { fleet, name, contract_hash, key } = data;
  const contract = wholeContract(data.contract);
  const book = newBook(data);
  return { ...state, fleet, name, contract, contract_hash, key, book, status: "open" };
}

/** A dying worker with what its sandbox measured at the end counted in. */
function measured(state: State, data: EventMap["worker.stopped"]): Worker {
  const worker = workerOf(state, data.worker);
  const { cpu_ms } = data.outcome;
  if (cpu_ms === undefined || worker.granted.cpu_ms === undefined) return worker;
  // Its spent time holds its dead descendants' too, which its own sandbox has not measured.
  const unseen = Math.max(0, cpu_ms - worker.charged_cpu_ms);
  return {
    ...worker,
    spent: add(worker.spent, { cpu_ms: unseen }),
    metered: [...new Set([...worker.metered, "cpu_ms"])],
  };
}

/** What it held stays; what its sandbox had mounted is free, and it waits for nothing more. */
function stopped(state: State, data: EventMap["worker.stopped"]): State {
  const ended = withoutTokensOf(endWorker(state, measured(state, data), false), data.worker);
  return withoutPlacesOf(withoutMountsOf(ended, data.worker), data.worker);
}

function stopping(state: State, data: EventMap["worker.stopping"], atMs: number): State {
  return change(withoutPlacesOf(state, data.worker), data.worker, {
    status: "stopping",
    stale: false,
    quarantine: null,
    stopping: {
      reason: data.reason,
      at_ms: atMs,
      ...(data.grace_ms === undefined ? {} : { grace_ms: data.grace_ms }),
    },
  });
}

function quarantined(state: State, data: EventMap["worker.quarantined"], atMs: number): State {
  const { reason, source, severity, until_ms } = data;
  const quarantine = { reason, source, severity, at_ms: atMs, until_ms };
  return change(state, data.worker, { quarantine, stale: false, flagged: false });
}

function charged(state: State, data: EventMap["budget.charged"]): State {
  const worker = workerOf(state, data.worker);
  const bounds = flatten(worker.granted);
  const amounts = flatten(data.amounts);
  const bounded: Amounts = Object.fromEntries(
    Object.entries(amounts).filter(([key]) => bounds[key] !== undefined),
  );
  const metered = data.claimed ? [] : Object.keys(bounded);
  return putWorker(state, {
    ...worker,
    spent: add(worker.spent, bounded),
    charged_cpu_ms: Math.min(
      Number.MAX_SAFE_INTEGER,
      worker.charged_cpu_ms + (bounded["cpu_ms"] ?? 0),
    ),
    metered: [...new Set([...worker.metered, ...metered])].toSorted(),
  });
}

/** Everything alive is told to stop; a reservation will never be taken up (I3). */
function killed(state: State, atMs: number): State {
  let next: State = { ...withoutPlaces(state), status: "killed" };
  for (const [id, worker] of state.workers) {
    if (!isLive(worker)) continue;
    if (worker.stopping !== null) {
      // A kill waits for nobody: a grace that was given before is over.
      const { stopping } = worker;
      if (stopping.grace_ms !== undefined)
        next = change(next, id, { stopping: { ...stopping, grace_ms: 0 } });
      continue;
    }
    next = change(next, id, {
      status: "stopping",
      stale: false,
      quarantine: null,
      stopping: { reason: "killed", at_ms: atMs },
    });
  }
  return next;
}

/**
 * Counts a refusal of an actor in its window. When too many actors are remembered, windows that
 * are over are dropped, and if there are none the first other one; the order of the map makes that
 * the same everywhere.
 */
function counted(state: State, key: string, atMs: number): State {
  const window = state.refusals.get(key);
  const running = window !== undefined && atMs - window.started_at_ms < LIMITS.refusalWindowMs;
  const next = running
    ? { started_at_ms: window.started_at_ms, count: window.count + 1 }
    : { started_at_ms: atMs, count: 1 };
  let refusals = state.refusals.set(key, next);
  if (refusals.size > LIMITS.rateActorsMax) {
    for (const [actor, past] of refusals)
      if (atMs - past.started_at_ms >= LIMITS.refusalWindowMs) refusals = refusals.delete(actor);
  }
  if (refusals.size > LIMITS.rateActorsMax) {
    for (const [actor] of refusals) {
      if (actor === key) continue;
      refusals = refusals.delete(actor);
      break;
    }
  }
  return { ...state, refusals };
}
