import { CAPACITY_KEYS, flatten } from "../budget/allowance.ts";
import type { Entry } from "../entry.ts";
import type { Happening } from "../evolve.ts";
import type { State, Worker, WorkerStatus } from "../state.ts";
import { GRADES } from "../worker/evidence.ts";

const ORDER: readonly WorkerStatus[] = ["admitted", "running", "stopping", "stopped"];

/** What an entry changed that no entry may, or not an entry of its kind. */
export function* transitionViolations(
  before: State,
  happening: Happening,
  after: State,
): Generator<string, void, undefined> {
  const entry = happening as Entry;
  const seq = entry.kind === "fleet.recovered" ? entry.data.remembered_seq + 1 : before.seq + 1;
  if (after.seq !== seq || entry.seq !== seq || seq <= before.seq)
    yield `I11: seq must be ${seq}, above ${before.seq}, got ${after.seq}`;
  const epoch = entry.kind === "fleet.recovered" ? entry.data.epoch : before.epoch;
  if (after.epoch !== epoch) yield `I2: epoch must be ${epoch}, got ${after.epoch}`;
  if (entry.kind === "fleet.recovered" && epoch <= before.epoch)
    yield `I2: a recovery must raise the epoch above ${before.epoch}, got ${epoch}`;
  if (entry.kind === "fleet.recovered" && after.status === "open")
    yield `I3: a recovered fleet must not be open`;
  if (after.at_ms < before.at_ms || after.at_ms !== entry.at_ms)
    yield `I11: journal time must not run back from ${before.at_ms}, got ${after.at_ms}`;
  if (before.status === "killed" && after.status !== "killed")
    yield `I3: a killed fleet must stay killed, ${entry.kind} made it ${after.status}`;
  if (before.status !== "none" && after.fleet !== before.fleet)
    yield `I3: a journal must hold one fleet, ${before.fleet} became ${after.fleet}`;
  const newcomer = newcomerOf(entry);
  const admitted = newcomer === null || before.workers.has(newcomer) ? 0 : 1;
  if (after.total_count !== before.total_count + admitted)
    yield `I4: total_count must be ${before.total_count + admitted}, got ${after.total_count}`;
  for (const worker of before.workers.values())
    yield* lifeViolations(worker, entry, after.workers.get(worker.id));
  for (const id of after.workers.keys())
    if (!before.workers.has(id) && id !== newcomer)
      yield `I4: only an admission may bring a worker, ${entry.kind} brought ${id}`;
  yield* settlementViolations(before, entry, after);
}

function newcomerOf(entry: Entry): string | null {
  const brings = entry.kind === "worker.admitted" || entry.kind === "worker.adopted";
  return brings ? entry.data.manifest.instance : null;
}

/** One worker's life goes forwards only, and ends by its own end's entry alone (I10). */
function* lifeViolations(
  was: Worker,
  entry: Entry,
  is: Worker | undefined,
): Generator<string, void, undefined> {
  const status = is?.status ?? "stopped";
  if (ORDER.indexOf(status) < ORDER.indexOf(was.status))
    yield `I10: ${was.id} must not go back from ${was.status} to ${status}`;
  if (status === "stopped" && was.status !== "stopped") yield* endViolations(was, entry);
  if (is === undefined) return;
  for (const field of ["name", "root", "depth", "admitted_at_ms", "expires_at_ms"] as const)
    if (is[field] !== was[field])
      yield `I6: ${field} of ${was.id} must stay ${was[field]}, got ${is[field]}`;
  if (is.parent !== was.parent && entry.kind !== "worker.reparented")
    yield `I6: ${entry.kind} must not change the parent of ${was.id}`;
  const spent = status === "stopped" ? {} : was.spent;
  for (const [key, amount] of Object.entries(spent))
    if ((is.spent[key] ?? 0) < amount)
      yield `I5: spent ${key} of ${was.id} must not fall from ${amount}, got ${is.spent[key] ?? 0}`;
}

function* endViolations(was: Worker, entry: Entry): Generator<string, void, undefined> {
  if (entry.kind === "worker.lapsed" && entry.data.worker === was.id) {
    if (was.registered_at_ms !== null)
      yield `I10: only a reservation may lapse, ${was.id} has registered`;
    if (entry.at_ms < was.register_by_ms)
      yield `I8: ${was.id} must not lapse before ${was.register_by_ms}, got ${entry.at_ms}`;
  } else if (entry.kind === "worker.stopped" && entry.data.worker === was.id) {
    const { grade } = entry.data.evidence;
    if (!GRADES.includes(grade)) yield `I10: ${was.id} must end with a grade, got ${grade}`;
  } else yield `I10: ${entry.kind} must not end ${was.id}`;
}

/**
 * A settlement gives the parent back no consumable that is spent: what the nearest living ancestor
 * has bound falls by no more than the dead worker had left.
 */
function* settlementViolations(
  before: State,
  entry: Entry,
  after: State,
): Generator<string, void, undefined> {
  if (entry.kind !== "worker.stopped" && entry.kind !== "worker.lapsed") return;
  const dead = before.workers.get(entry.data.worker);
  if (dead === undefined) return;
  let ancestor = before.workers.get(dead.parent ?? "");
  while (ancestor?.status === "stopped") ancestor = before.workers.get(ancestor.parent ?? "");
  const heir = ancestor === undefined ? undefined : after.workers.get(ancestor.id);
  if (ancestor === undefined || heir === undefined) return;
  for (const [key, granted] of Object.entries(flatten(dead.granted))) {
    if ((CAPACITY_KEYS as readonly string[]).includes(key)) continue;
    if (flatten(ancestor.granted)[key] === undefined) continue;
    const left = Math.max(0, granted - (dead.reserved[key] ?? 0) - (dead.spent[key] ?? 0));
    const fell = boundOf(ancestor, key) - boundOf(heir, key);
    if (fell > left)
      yield `I5: ${ancestor.id} must get back at most ${left} ${key} of ${dead.id}, got ${fell}`;
  }
}

function boundOf(worker: Worker, key: string): number {
  return (worker.reserved[key] ?? 0) + (worker.spent[key] ?? 0);
}
