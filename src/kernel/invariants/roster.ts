import type { Entry } from "../entry.ts";
import type { EventKind } from "../event.ts";
import type { Happening } from "../evolve.ts";
import { LIMITS } from "../limits.ts";
import type { State } from "../state.ts";

/**
 * What an entry did to the roll and to access tokens that it may not: a row comes, stands and goes
 * by its own entries (I13); a token comes by its own entry, is nobody else's, and is gone when it
 * was spent or revoked, when whom it speaks for has ended, and after a loss (I14).
 */
export function* serviceViolations(
  before: State,
  happening: Happening,
  after: State,
): Generator<string, void, undefined> {
  const entry = happening as Entry;
  // Most entries touch neither: what is the very same needs no look.
  if (
    after.roll !== before.roll ||
    entry.kind === "roll.changed" ||
    entry.kind === "roll.forgotten"
  )
    yield* rollViolations(before, entry, after);
  if (after.access !== before.access || TOUCHING.has(entry.kind))
    yield* tokenViolations(before, entry, after);
}

function* rollViolations(
  before: State,
  entry: Entry,
  after: State,
): Generator<string, void, undefined> {
  const told = entry.kind === "roll.changed" ? entry.data : null;
  const gone = entry.kind === "roll.forgotten" ? entry.data.instances : [];
  const toldKey = told === null ? "" : `${told.name}/${told.instance}`;
  const goneKeys = new Set(gone.map(({ name, instance }) => `${name}/${instance}`));
  for (const [key, row] of after.roll) {
    if (goneKeys.has(key)) yield `I13: ${key} must be forgotten, it is in the roll`;
    if (key !== `${row.name}/${row.instance}`)
      yield `index: rows must be kept by name and instance, ${row.instance} is under ${key}`;
    if (row !== before.roll.get(key) && key !== toldKey)
      yield `I13: ${entry.kind} must not say how ${key} stands, it is ${row.status}`;
  }
  for (const [key, { status }] of before.roll) {
    if (after.roll.has(key)) continue;
    if (!goneKeys.has(key) || (status !== "stopped" && status !== "stale"))
      yield `I13: ${entry.kind} must not take ${key} from the roll, it was ${status}`;
  }
  if (told !== null) {
    const was = before.roll.get(toldKey);
    const is = after.roll.get(toldKey);
    if (told.from !== (was?.status ?? "unknown") || told.from === told.to)
      yield `I13: ${toldKey} must change from ${was?.status ?? "unknown"}, got ${told.from}`;
    if (is?.status !== told.to || is.since_ms !== entry.at_ms)
      yield `I13: ${toldKey} must be ${told.to} from ${entry.at_ms} on, got ${is?.status}`;
    if (is?.first_ms !== (was?.first_ms ?? entry.at_ms))
      yield `I13: ${toldKey} must be known since its first change, got ${is?.first_ms}`;
  }
  yield* crowdViolations(after);
}

function* crowdViolations(after: State): Generator<string, void, undefined> {
  const counts = new Map<string, number>();
  for (const { name } of after.roll.values()) counts.set(name, (counts.get(name) ?? 0) + 1);
  for (const [name, count] of counts)
    if (count > LIMITS.rollInstancesMax)
      yield `I13: ${name} must have at most ${LIMITS.rollInstancesMax} rows, got ${count}`;
  if (after.roll.size > LIMITS.rollRowsMax)
    yield `I13: the roll must have at most ${LIMITS.rollRowsMax} rows, got ${after.roll.size}`;
}

/** Kinds of entries that must change which tokens there are, or may. */
const TOUCHING: ReadonlySet<EventKind> = new Set([
  "token.issued",
  "token.exchanged",
  "token.revoked",
  "worker.stopped",
  "worker.lapsed",
  "fleet.recovered",
]);

function* tokenViolations(
  before: State,
  entry: Entry,
  after: State,
): Generator<string, void, undefined> {
  const comes = comingIn(entry);
  const ended = endedIn(entry);
  const hashes = new Set<string>();
  for (const [id, token] of after.access) {
    if (id !== token.token) yield `index: tokens must be kept by id, ${token.token} is under ${id}`;
    if (hashes.has(token.hash)) yield `I14: the secret of ${id} must be its own, another has it`;
    hashes.add(token.hash);
    const was = before.access.get(id);
    if (token !== was && id !== comes) yield `I14: ${entry.kind} must not bring the token ${id}`;
    if (was !== undefined && id === comes)
      yield `I14: ${id} must be one token, it is brought twice`;
    if (id === ended || entry.kind === "fleet.recovered")
      yield `I14: after ${entry.kind} ${id} must be no token any more`;
    if (token.worker !== undefined && hasEnded(after, token.worker))
      yield `I14: ${id} must speak for a worker that lives, ${token.worker} has ended`;
    if (id === comes && token.expires_at_ms <= entry.at_ms)
      yield `I14: ${id} must begin before its end ${token.expires_at_ms}, got ${entry.at_ms}`;
  }
  yield* lossViolations(before, entry, after);
  if (after.access.size > LIMITS.tokensMax)
    yield `I14: at most ${LIMITS.tokensMax} tokens must be kept, got ${after.access.size}`;
}

/** Who has a token that is good loses it only by an entry that says so. */
function* lossViolations(
  before: State,
  entry: Entry,
  after: State,
): Generator<string, void, undefined> {
  if (entry.kind === "fleet.recovered") return;
  const ended = endedIn(entry);
  for (const [id, token] of before.access) {
    if (after.access.has(id) || id === ended || token.expires_at_ms <= entry.at_ms) continue;
    if (token.worker === undefined || !hasEnded(after, token.worker))
      yield `I14: ${entry.kind} must not take the token ${id}`;
  }
  if (entry.kind !== "token.exchanged") return;
  const code = before.access.get(entry.data.token);
  if (code?.once !== true || code.expires_at_ms <= entry.at_ms)
    yield `I14: ${entry.data.token} must be a login code that is good, to be exchanged`;
  const role = after.access.get(entry.data.into.token)?.role;
  if (role !== code?.role) yield `I14: a code must be exchanged for its role, got ${role}`;
}

function comingIn(entry: Entry): string | null {
  if (entry.kind === "token.issued") return entry.data.token;
  return entry.kind === "token.exchanged" ? entry.data.into.token : null;
}

function endedIn(entry: Entry): string | null {
  return entry.kind === "token.exchanged" || entry.kind === "token.revoked"
    ? entry.data.token
    : null;
}

function hasEnded({ workers }: State, id: string): boolean {
  const worker = workers.get(id);
  return worker === undefined || worker.status === "stopped";
}
