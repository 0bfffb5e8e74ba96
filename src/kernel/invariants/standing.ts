import { CAPACITY_KEYS, flatten } from "../budget/allowance.ts";
import { narrowTo } from "../region/rights.ts";
import { deadlineKey, deadlineOf, type Amounts, type State, type Worker } from "../state.ts";
import { NETWORKS } from "../worker/manifest.ts";

/** What a state says of itself that is not so, worked out from its workers alone. */
export function* standingViolations(state: State): Generator<string, void, undefined> {
  const workers = [...state.workers.values()];
  const children = Map.groupBy(workers, ({ parent }) => parent);
  yield* countViolations(state, workers);
  yield* indexViolations(state, workers);
  for (const worker of workers) {
    const own = children.get(worker.id) ?? [];
    yield* lineageViolations(state, worker, own);
    yield* budgetViolations(worker, own);
  }
  if (state.status !== "killed") return;
  for (const { id, status } of workers)
    if (status === "admitted" || status === "running")
      yield `I3: in a killed fleet every worker must be stopping or stopped, ${id} is ${status}`;
}

function* countViolations(
  state: State,
  workers: readonly Worker[],
): Generator<string, void, undefined> {
  const live = workers.filter(({ status }) => status !== "stopped").length;
  if (state.live_count !== live) yield `index: live_count must be ${live}, got ${state.live_count}`;
  if (state.total_count < live)
    yield `index: total_count must be at least the ${live} live, got ${state.total_count}`;
}

function* indexViolations(
  state: State,
  workers: readonly Worker[],
): Generator<string, void, undefined> {
  const edges = workers.flatMap(({ id, parent }) => (parent === null ? [] : [`${parent}/${id}`]));
  yield* difference("children", [...state.children.keys()], edges);
  const dues = workers.flatMap((worker) => {
    const deadlineMs = deadlineOf(worker);
    return deadlineMs === null ? [] : [deadlineKey(deadlineMs, worker.id)];
  });
  yield* difference("deadlines", [...state.deadlines.keys()], dues);
  for (const [id, worker] of state.workers)
    if (id !== worker.id) yield `index: workers must be kept by id, ${worker.id} is under ${id}`;
}

function* difference(
  name: string,
  kept: readonly string[],
  expected: readonly string[],
): Generator<string, void, undefined> {
  const [have, want] = [new Set(kept), new Set(expected)];
  for (const key of want.difference(have)) yield `index: ${name} must hold ${key}, got nothing`;
  for (const key of have.difference(want)) yield `index: ${name} must not hold ${key}`;
}

function* lineageViolations(
  state: State,
  worker: Worker,
  children: readonly Worker[],
): Generator<string, void, undefined> {
  const { id, status, children_count, live_children_count } = worker;
  const live = children.filter((child) => child.status !== "stopped").length;
  if (children_count !== children.length)
    yield `index: children_count of ${id} must be ${children.length}, got ${children_count}`;
  if (live_children_count !== live)
    yield `index: live_children_count of ${id} must be ${live}, got ${live_children_count}`;
  if (status === "stopped" && children.length === 0)
    yield `index: a stopped worker without descendants must not be kept, ${id} is`;
  if (worker.parent === null) return;
  const parent = state.workers.get(worker.parent);
  if (parent === undefined)
    yield `index: the parent ${worker.parent} of ${id} must be in the state`;
  else yield* rightsViolations(worker, parent, state.book.foldsCase);
}

/** Rights only narrow from parent to child, also where the parent is another than at admission. */
function* rightsViolations(
  worker: Worker,
  parent: Worker,
  foldsCase: boolean,
): Generator<string, void, undefined> {
  const { id } = worker;
  if (NETWORKS.indexOf(worker.network) > NETWORKS.indexOf(parent.network))
    yield `I5: network of ${id} must be at most "${parent.network}", got "${worker.network}"`;
  const narrowed = narrowTo(worker.regions, parent.regions, { isCaseless: foldsCase });
  if (narrowed.kind !== "inside")
    yield `I5: regions of ${id} must lie in its parent's, they are ${narrowed.kind}`;
  if (worker.expires_at_ms > parent.expires_at_ms)
    yield (
      `I5: ${id} must expire with its parent at ${parent.expires_at_ms}, ` +
      `got ${worker.expires_at_ms}`
    );
  if (worker.status === "stopped") return;
  const own = flatten(worker.granted);
  for (const key of Object.keys(flatten(parent.granted)))
    if (own[key] === undefined && parent.status !== "stopped")
      yield `I5: ${id} must be bounded in ${key} as its parent is, got nothing`;
}

/** What children hold is what their parent keeps for them, and is a part of what it was given. */
function* budgetViolations(
  worker: Worker,
  children: readonly Worker[],
): Generator<string, void, undefined> {
  const { id, reserved, spent } = worker;
  const granted = flatten(worker.granted);
  const held = sumOf(children);
  const keys = new Set([...Object.keys(reserved), ...Object.keys(granted)]);
  for (const key of keys) {
    const [kept, limit] = [reserved[key] ?? 0, granted[key]];
    if (kept !== (held[key] ?? 0))
      yield `I5: reserved ${key} of ${id} must be its children's ${held[key] ?? 0}, got ${kept}`;
    if (limit === undefined) yield `I5: ${id} must not reserve ${key}, it is unbounded in it`;
    else if (kept < 0 || kept > limit)
      yield `I5: reserved ${key} of ${id} must be from 0 to ${limit}, got ${kept}`;
    else if (worker.status === "stopped" && kept !== limit)
      yield `I5: a dead worker must hold just its children's, ${id} holds ${limit} ${key}`;
  }
  for (const key of Object.keys(spent))
    if (granted[key] === undefined || (CAPACITY_KEYS as readonly string[]).includes(key))
      yield `I5: spent of ${id} must be of bounded consumables, got ${key}`;
  for (const [key, amount] of Object.entries({ ...granted, ...spent }))
    if (!Number.isSafeInteger(amount) || amount < 0)
      yield `I5: ${key} of ${id} must be an integer from 0, got ${amount}`;
}

function sumOf(children: readonly Worker[]): Amounts {
  const sum: Record<string, number> = {};
  for (const child of children)
    for (const [key, amount] of Object.entries(flatten(child.granted)))
      sum[key] = (sum[key] ?? 0) + amount;
  return sum;
}
