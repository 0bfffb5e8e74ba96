import type { Entry } from "../entry.ts";
import type { Happening } from "../evolve.ts";
import { deadlineOf, type State } from "../state.ts";

/** Entries that let somebody in or on: nothing that is over may stand behind them. */
type Entering = Extract<
  Entry,
  { readonly kind: "worker.admitted" | "worker.registered" | "worker.checkpointed" }
>;

/** What an entry let somebody do that the fleet, its contract or the hour does not allow. */
export function* entranceViolations(
  before: State,
  happening: Happening,
  after: State,
): Generator<string, void, undefined> {
  const entry = happening as Entry;
  if (
    entry.kind !== "worker.admitted" &&
    entry.kind !== "worker.registered" &&
    entry.kind !== "worker.checkpointed"
  )
    return;
  yield* hourViolations(before, entry);
  if (before.status === "killed") yield `I3: after the kill there must be no ${entry.kind}`;
  if (entry.kind === "worker.checkpointed") return;
  if (before.status === "paused") yield `I3: while paused there must be no ${entry.kind}`;
  if (entry.kind === "worker.admitted") yield* admissionViolations(before, entry, after);
  else yield* registrationViolations(before, entry, after);
}

/** Time has been settled up to the entry, and its actor acts for nobody else (I8, I9). */
function* hourViolations(before: State, entry: Entering): Generator<string, void, undefined> {
  for (const worker of before.workers.values()) {
    const deadlineMs = deadlineOf(worker);
    if (deadlineMs !== null && deadlineMs <= entry.at_ms)
      yield `I8: what ended at ${deadlineMs} for ${worker.id} must be settled before ${entry.kind}`;
  }
  const { actor } = entry;
  const self = entry.kind === "worker.admitted" ? entry.data.manifest.parent : entry.data.worker;
  if (actor.kind === "worker" && actor.id !== self)
    yield `I9: ${actor.id} must not act for ${self}, ${entry.kind} does`;
}

function* admissionViolations(
  before: State,
  entry: Entry<"worker.admitted">,
  after: State,
): Generator<string, void, undefined> {
  const { manifest } = entry.data;
  const { instance, depth } = manifest;
  const { contract } = before;
  if (before.workers.has(instance)) yield `I4: an instance must be new, ${instance} is not`;
  if (after.live_count > contract.max_replicas)
    yield `I4: live workers must be at most ${contract.max_replicas}, got ${after.live_count}`;
  if (after.total_count > contract.max_total)
    yield `I4: admissions must be at most ${contract.max_total}, got ${after.total_count}`;
  if (depth > contract.max_depth)
    yield `I6: depth of ${instance} must be at most ${contract.max_depth}, got ${depth}`;
  yield* parentViolations(before, entry);
  if (manifest.expires_at_ms > entry.at_ms + contract.lifetime_ms)
    yield `I8: ${instance} must live at most ${contract.lifetime_ms} ms`;
  if (manifest.register_by_ms > manifest.expires_at_ms)
    yield `I8: ${instance} must register within its lifetime`;
}

function* parentViolations(
  before: State,
  entry: Entry<"worker.admitted">,
): Generator<string, void, undefined> {
  const { instance, parent: id, depth, root } = entry.data.manifest;
  if (id === null) {
    if (depth !== 0 || root !== instance) yield `I6: ${instance} must be a root of depth 0`;
    return;
  }
  const parent = before.workers.get(id);
  if (parent?.status !== "running" || parent.quarantine !== null || parent.stale)
    yield `I8: the parent ${id} of ${instance} must be running, it is ${parent?.status ?? "gone"}`;
  if (parent === undefined) return;
  if (depth !== parent.depth + 1 || root !== parent.root)
    yield `I6: depth of ${instance} must be ${parent.depth + 1} below ${id}, got ${depth}`;
  const last = parent.last_admission_at_ms;
  if (last !== null && entry.at_ms - last < before.contract.cooldown_ms)
    yield `I4: ${id} must wait ${before.contract.cooldown_ms} ms between admissions`;
}

function* registrationViolations(
  before: State,
  entry: Entry<"worker.registered">,
  after: State,
): Generator<string, void, undefined> {
  const worker = before.workers.get(entry.data.worker);
  if (worker?.status !== "admitted") {
    yield `I8: only a reservation may be taken up, ${entry.data.worker} is none`;
    return;
  }
  const { id, contract_hash, parent } = worker;
  const over = after.live_count - before.contract.max_replicas;
  if (contract_hash !== before.contract_hash && over > 0)
    yield `I4: under a changed contract ${id} must not register above it, by ${over}`;
  const above = parent === null ? undefined : before.workers.get(parent);
  if (parent !== null && (above?.status !== "running" || above.quarantine !== null))
    yield `I8: the parent ${parent} of ${id} must be running and not in quarantine`;
}
