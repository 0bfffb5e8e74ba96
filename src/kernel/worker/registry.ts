import { add, flatten, isCapacity, unflatten } from "../budget/allowance.ts";
import { ok } from "../assert.ts";
import type { EventMap } from "../event.ts";
import type { Manifest } from "./manifest.ts";
import {
  deadlineKey,
  deadlineOf,
  isLive,
  type Amounts,
  type State,
  type Worker,
} from "../state.ts";

/** The worker of an id that the caller has proven to be in the state. */
export function workerOf(state: State, id: string): Worker {
  const worker = state.workers.get(id);
  ok(worker !== undefined, `worker ${id} must be in the state`);
  return worker;
}

/** The state with a worker changed, its deadline kept in step. */
export function putWorker(state: State, worker: Worker): State {
  const before = state.workers.get(worker.id);
  const was = before === undefined ? null : deadlineOf(before);
  const is = deadlineOf(worker);
  let { deadlines } = state;
  if (was !== is) {
    if (was !== null) deadlines = deadlines.delete(deadlineKey(was, worker.id));
    if (is !== null) deadlines = deadlines.set(deadlineKey(is, worker.id), true);
  }
  return { ...state, workers: state.workers.set(worker.id, worker), deadlines };
}

/** The worker that a manifest admits, before it has registered. */
export function admittedWorker(data: EventMap["worker.admitted"]): Worker {
  const manifest: Manifest = data.manifest;
  return {
    id: manifest.instance,
    name: manifest.name,
    reason: data.reason,
    parent: manifest.parent,
    root: manifest.root,
    depth: manifest.depth,
    status: "admitted",
    stale: false,
    flagged: false,
    quarantine: null,
    stopping: null,
    process: null,
    state: manifest.state,
    regions: manifest.regions,
    network: manifest.network,
    degraded: data.degraded,
    granted: manifest.budget,
    reserved: {},
    spent: {},
    charged_cpu_ms: 0,
    metered: [],
    limits_hit: {},
    contract_hash: manifest.contract_hash,
    key_id: manifest.key_id,
    admitted_at_ms: manifest.issued_at_ms,
    register_by_ms: manifest.register_by_ms,
    registered_at_ms: null,
    expires_at_ms: manifest.expires_at_ms,
    last_admission_at_ms: null,
    children_count: 0,
    live_children_count: 0,
  };
}

/** The state with a newly admitted worker, charged to its parent. */
export function addWorker(state: State, worker: Worker, atMs: number): State {
  let next = putWorker(state, worker);
  if (worker.parent !== null) {
    const parent = workerOf(state, worker.parent);
    next = putWorker(next, {
      ...parent,
      reserved: add(parent.reserved, keep(flatten(worker.granted), flatten(parent.granted))),
      spent: spendSpawn(parent),
      last_admission_at_ms: atMs,
      children_count: parent.children_count + 1,
      live_children_count: parent.live_children_count + 1,
    });
    next = { ...next, children: next.children.set(`${parent.id}/${worker.id}`, true) };
  }
  return { ...next, live_count: next.live_count + 1, total_count: next.total_count + 1 };
}

/** Only a worker whose spawns are bounded keeps count of them. */
function spendSpawn(parent: Worker): Amounts {
  return parent.granted.spawns === undefined ? parent.spent : add(parent.spent, { spawns: 1 });
}

/**
 * The state after a worker's end: accounts settled, place given back, removed unless it has
 * descendants in the state.
 */
export function endWorker(state: State, worker: Worker, lapsed: boolean): State {
  ok(isLive(worker), `worker ${worker.id} must not end twice`);
  const settled = settle(state, worker, lapsed);
  let next: State = { ...settled, live_count: settled.live_count - 1 };
  if (worker.parent !== null) {
    const parent = workerOf(next, worker.parent);
    next = putWorker(next, { ...parent, live_children_count: parent.live_children_count - 1 });
  }
  return prune(next, worker.id);
}

/** Drops a stopped worker without children from the state, and its ancestors likewise. */
function prune(state: State, id: string): State {
  let next = state;
  let current: string | null = id;
  while (current !== null) {
    const worker: Worker = workerOf(next, current);
    if (isLive(worker) || worker.children_count > 0) break;
    next = drop(next, worker);
    current = worker.parent;
  }
  return next;
}

function drop(state: State, { id, parent: parentId }: Worker): State {
  const workers = state.workers.delete(id);
  if (parentId === null) return { ...state, workers };
  const parent = workerOf(state, parentId);
  const next = { ...state, workers, children: state.children.delete(`${parentId}/${id}`) };
  return putWorker(next, { ...parent, children_count: parent.children_count - 1 });
}

/**
 * Closes a dying worker's account. What its living children hold stays carved; of the rest,
 * capacity and unspent consumables go back to the parent and what was used stays used there.
 */
function settle(state: State, worker: Worker, lapsed: boolean): State {
  const granted = flatten(worker.granted);
  const back: Record<string, number> = {};
  const used: Record<string, number> = {};
  for (const [key, amount] of Object.entries(granted)) {
    back[key] = amount - (worker.reserved[key] ?? 0);
    if (isCapacity(key)) continue;
    const spent = worker.spent[key] ?? 0;
    // Nothing outside measured it, so all of it may have been used (BG10).
    const blind = !lapsed && key !== "spawns" && !worker.metered.includes(key);
    used[key] = blind ? Math.max(spent, back[key]) : spent;
  }
  const stopped: Worker = {
    ...worker,
    status: "stopped",
    stale: false,
    flagged: false,
    quarantine: null,
    limits_hit: {},
    state: {},
    // A tombstone is granted just what its living children still hold.
    granted: unflatten(worker.reserved),
    spent: {},
  };
  return passUp(putWorker(state, stopped), worker.parent, { back, used });
}

/** Gives back to the parent; a dead parent keeps nothing and passes it on to its own. */
function passUp(
  state: State,
  parentId: string | null,
  account: { readonly back: Amounts; readonly used: Amounts },
): State {
  let next = state;
  let id = parentId;
  while (id !== null) {
    const parent = workerOf(next, id);
    const reserved = release(parent, account.back);
    if (isLive(parent)) {
      const bounded = keep(account.used, flatten(parent.granted));
      return putWorker(next, { ...parent, reserved, spent: add(parent.spent, bounded) });
    }
    next = putWorker(next, { ...parent, reserved, granted: unflatten(reserved) });
    id = parent.parent;
  }
  return next;
}

/**
 * What a worker's children hold after some of it is free again. Where it has nothing reserved it
 * is unbounded, or a tombstone below which nothing of the kind is held any more.
 */
function release(worker: Worker, amounts: Amounts): Amounts {
  return add(worker.reserved, keep(amounts, worker.reserved), -1);
}

/** Only what a worker is bounded in is counted against it. */
function keep(amounts: Amounts, bounds: Amounts): Amounts {
  return Object.fromEntries(Object.entries(amounts).filter(([key]) => bounds[key] !== undefined));
}

/** Moves a living worker, and what is carved for it, from a dead parent to a living ancestor. */
export function reparent(state: State, worker: Worker, ancestorId: string): State {
  ok(worker.parent !== null, `worker ${worker.id} must have a parent to lose`);
  const held = flatten(worker.granted);
  let next = state;
  // What it holds was carved from each ancestor in between, out of the new parent's in the end.
  for (let id: string | null = worker.parent; id !== null && id !== ancestorId;) {
    const between: Worker = workerOf(next, id);
    next = putWorker(next, handOn(between, held));
    id = between.parent;
  }
  const old = workerOf(next, worker.parent);
  const children = next.children
    .delete(`${old.id}/${worker.id}`)
    .set(`${ancestorId}/${worker.id}`, true);
  next = putWorker(
    { ...next, children },
    {
      ...old,
      children_count: old.children_count - 1,
      live_children_count: old.live_children_count - 1,
    },
  );
  const ancestor = workerOf(next, ancestorId);
  next = putWorker(next, {
    ...ancestor,
    children_count: ancestor.children_count + 1,
    live_children_count: ancestor.live_children_count + 1,
  });
  next = putWorker(next, { ...worker, parent: ancestorId });
  return prune(next, old.id);
}

/** A worker between a moved one and its new parent: it no longer holds what the moved one holds. */
function handOn(between: Worker, held: Amounts): Worker {
  const reserved = release(between, held);
  if (!isLive(between)) return { ...between, reserved, granted: unflatten(reserved) };
  const { lifetime_ms, wall_ms } = between.granted;
  const bounds = { ...(lifetime_ms && { lifetime_ms }), ...(wall_ms && { wall_ms }) };
  // A key that is down to nothing stays: without it the worker would be unbounded.
  const left = Object.entries(flatten(between.granted)).map(
    ([key, amount]) => [key, amount - (held[key] ?? 0)] as const,
  );
  return { ...between, reserved, granted: { ...unflatten(Object.fromEntries(left)), ...bounds } };
}
