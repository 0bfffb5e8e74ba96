import type { AccessToken } from "./access/token.ts";
import type { LastArmedCheck } from "./armed/sight.ts";
import type { Budget } from "./budget/budget.ts";
import type { KeyRecord, ProcessIdentity } from "./command.ts";
import { DEFAULT_CONTRACT, type Contract } from "./fleet/contract.ts";
import type { Severity, StopReason } from "./worker/evidence.ts";
import type { JsonObject } from "./json.ts";
import type { RecordedHits } from "./worker/limit.ts";
import type { Network } from "./worker/manifest.ts";
import { EMPTY_BOOK, nextEndAtMs, type LeaseBook } from "./lease/book.ts";
import { OrderedMap } from "./ordered-map.ts";
import type { RollRow } from "./roster/roll.ts";
import { EMPTY_ROSTER, type Roster } from "./roster/roster.ts";

/** Where a worker is in its life: `admitted → running → stopping → stopped`. */
export type WorkerStatus = "admitted" | "running" | "stopping" | "stopped";

/** Amounts by flat budget key, e.g. `cpu_milli` or `units.tokens`. */
export type Amounts = Readonly<Record<string, number>>;

/** An ongoing quarantine. */
export interface Quarantine {
  readonly reason: string;
  readonly source: string;
  readonly severity: Severity;
  readonly at_ms: number;
  /** When it must have been lifted; a worker still in it then is stopped. */
  readonly until_ms: number;
}

/** That a worker was told to stop. */
export interface Stopping {
  readonly reason: StopReason;
  readonly at_ms: number;
  /** How long it is given to end by itself, ms; absent where nobody has said. */
  readonly grace_ms?: number;
}

/**
 * A worker as far as it can still change a decision.
 * A stopped worker stays only while it has descendants in the state.
 */
export interface Worker {
  readonly id: string;
  readonly name: string;
  /** Why it was asked for; conditions are asked about it again if the contract changes. */
  readonly reason: string;
  /** The parent that answers for it now; another than at admission once it was reparented. */
  readonly parent: string | null;
  readonly root: string;
  readonly depth: number;
  readonly status: WorkerStatus;
  readonly stale: boolean;
  readonly flagged: boolean;
  readonly quarantine: Quarantine | null;
  readonly stopping: Stopping | null;
  readonly process: ProcessIdentity | null;
  readonly state: JsonObject;
  readonly regions: readonly string[];
  readonly network: Network;
  readonly degraded: readonly string[];
  readonly granted: Budget;
  /** What its children in the state hold of it, in the keys that it is bounded in. */
  readonly reserved: Amounts;
  /** What it and its dead descendants have used of its consumables. */
  readonly spent: Amounts;
  /** The part of its spent `cpu_ms` that it was charged for itself. */
  readonly charged_cpu_ms: number;
  /** Flat keys of consumables that something outside the worker measures. */
  readonly metered: readonly string[];
  /** What it is on record to have come up against. */
  readonly limits_hit: RecordedHits;
  readonly contract_hash: string;
  readonly key_id: string;
  readonly admitted_at_ms: number;
  readonly register_by_ms: number;
  /** When it took its manifest up; null while it is a reservation, withdrawn or not. */
  readonly registered_at_ms: number | null;
  readonly expires_at_ms: number;
  /** When it last had a child admitted: the cooldown runs from here. */
  readonly last_admission_at_ms: number | null;
  /** Children in the state, dead ones with descendants included. */
  readonly children_count: number;
  readonly live_children_count: number;
}

/** Refusals of one actor in its current window. */
export interface RefusalWindow {
  readonly started_at_ms: number;
  readonly count: number;
}

/** The state of a fleet: the fold of its journal, immutable. */
export interface State {
  readonly fleet: string | null;
  readonly name: string;
  readonly status: "none" | "open" | "paused" | "killed";
  /** How often the journal went on after a loss; the upper part of every fence. */
  readonly epoch: number;
  readonly seq: number;
  readonly at_ms: number;
  readonly contract: Contract;
  readonly contract_hash: string;
  readonly key: KeyRecord;
  /** Workers by id. */
  readonly workers: OrderedMap<Worker>;
  /** `parent/child` of every parent and child in the state. */
  readonly children: OrderedMap<true>;
  /** `instant/worker`: when time alone next changes something about a worker. */
  readonly deadlines: OrderedMap<true>;
  readonly refusals: OrderedMap<RefusalWindow>;
  /** The newest armed check; null before the first. */
  readonly armed: LastArmedCheck | null;
  /** Leases, lanes, and what finds them. */
  readonly book: LeaseBook;
  /** Who is expected to live. */
  readonly roster: Roster;
  /** How instances of services stand, by `NAME/INSTANCE`. */
  readonly roll: OrderedMap<RollRow>;
  /** Access tokens by id, some of them expired. */
  readonly access: OrderedMap<AccessToken>;
  /** Workers admitted, running or stopping. */
  readonly live_count: number;
  /** Admissions over the fleet's life. */
  readonly total_count: number;
}

/** The state before the first entry. */
export const INITIAL_STATE: State = {
  fleet: null,
  name: "",
  status: "none",
  epoch: 0,
  seq: 0,
  at_ms: 0,
  contract: DEFAULT_CONTRACT,
  contract_hash: "",
  key: { key_id: "", public_key: "" },
  workers: OrderedMap.empty(),
  children: OrderedMap.empty(),
  deadlines: OrderedMap.empty(),
  refusals: OrderedMap.empty(),
  armed: null,
  book: EMPTY_BOOK,
  roster: EMPTY_ROSTER,
  roll: OrderedMap.empty(),
  access: OrderedMap.empty(),
  live_count: 0,
  total_count: 0,
};

/** Whether a worker counts against `max_replicas`: a reservation does, and so does a dying one. */
export function isLive(worker: Worker): boolean {
  return worker.status !== "stopped";
}

/**
 * Whether a worker is a reservation that nobody has taken up. It lapses at `register_by_ms`, also
 * when it was told to stop before: nothing ever ran by right, so there is no end to prove.
 */
export function isReservation(worker: Worker): boolean {
  return isLive(worker) && worker.registered_at_ms === null;
}

/** When time alone next changes something about a worker, or null. */
export function deadlineOf(worker: Worker): number | null {
  if (isReservation(worker)) return worker.register_by_ms;
  if (worker.status !== "running") return null;
  return worker.quarantine === null ? worker.expires_at_ms : worker.quarantine.until_ms;
}

const INSTANT_DIGITS = 16;

/** The key of a deadline: instants sort as text because they are padded. */
export function deadlineKey(atMs: number, worker: string): string {
  return `${String(atMs).padStart(INSTANT_DIGITS, "0")}/${worker}`;
}

/** The instant of the earliest deadline, or null: until then time alone changes nothing. */
export function nextDeadlineAtMs(state: State): number | null {
  const first = state.deadlines.first();
  const ofWorkers = first === undefined ? null : Number(first[0].slice(0, INSTANT_DIGITS));
  const ofLeases = nextEndAtMs(state.book);
  if (ofWorkers === null || ofLeases === null) return ofWorkers ?? ofLeases;
  return Math.min(ofWorkers, ofLeases);
}

/** The ids of a worker's children in the state, in the order of their ids. */
export function childrenOf(state: State, parent: string): readonly string[] {
  const prefix = `${parent}/`;
  const ids: string[] = [];
  for (const [key] of state.children.entriesFrom(prefix)) {
    if (!key.startsWith(prefix)) break;
    ids.push(key.slice(prefix.length));
  }
  return ids;
}

/** All descendants in the state, parents before their children. */
export function descendantsOf(state: State, ancestor: string): readonly Worker[] {
  const found: Worker[] = [];
  const queue = [...childrenOf(state, ancestor)];
  for (let id = queue.shift(); id !== undefined; id = queue.shift()) {
    const worker = state.workers.get(id);
    if (worker !== undefined) found.push(worker);
    queue.push(...childrenOf(state, id));
  }
  return found;
}
