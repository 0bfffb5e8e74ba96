import { accountOf, add, flatten, unflatten, type Account } from "../../kernel/budget/allowance.ts";
import type { Budget } from "../../kernel/budget/budget.ts";
import type { Entry } from "../../kernel/entry.ts";
import type { Evidence, Outcome, StopReason } from "../../kernel/worker/evidence.ts";
import { isProof, type Grade } from "../../kernel/worker/evidence.ts";
import type { JsonObject } from "../../kernel/json.ts";
import { listHits, type LimitHit, type RecordedHits } from "../../kernel/worker/limit.ts";
import type { Manifest, Network } from "../../kernel/worker/manifest.ts";
import type { ProcessIdentity } from "../../kernel/command.ts";
import type { Amounts, Quarantine, Stopping, Worker, WorkerStatus } from "../../kernel/state.ts";
import type { WorkerDocument } from "../../protocol/document/worker.ts";
import { toEdge, type Camel } from "../names.ts";

/** How a worker ended. */
export interface EndView {
  /** `lapsed`: it was admitted and never came. */
  readonly reason: StopReason | "lapsed";
  /** The grade of the evidence; null for one that never came. */
  readonly grade: Grade | null;
  /** Whether the grade proves the end. What never came needs no proof. */
  readonly proven: boolean;
  /** What was looked at, as the one that looked wrote it. */
  readonly evidence: Evidence | null;
  readonly outcome: Camel<Outcome>;
  readonly atMs: number;
  /** The place of the entry that says so. */
  readonly seq: number;
}

/** That a worker has hit a limit, as it was last told. */
export interface HitView extends LimitHit {
  readonly atMs: number;
}

/** A worker at one moment: a deep-frozen copy, which changes nothing and is changed by nothing. */
export interface WorkerView {
  readonly id: string;
  readonly name: string;
  readonly parent: string | null;
  readonly root: string;
  readonly depth: number;
  readonly status: WorkerStatus;
  readonly stale: boolean;
  readonly flagged: boolean;
  readonly quarantine: Camel<Quarantine> | null;
  /** That it was told to stop; `graceMs` where whoever told it has said how long it is given. */
  readonly stopping: Camel<Stopping> | null;
  readonly process: Camel<ProcessIdentity> | null;
  /** What it was admitted with or has last checkpointed; kept after its end. */
  readonly state: JsonObject;
  /**
   * What it was granted, what its children hold of that, what is spent and what is free; an absent
   * key is unlimited. Of one that has ended nothing is free, and what its dead children had used of
   * it is not counted in.
   */
  readonly budget: Camel<Account>;
  readonly regions: readonly string[];
  readonly network: Network;
  readonly degraded: readonly string[];
  /** The limits that it has hit, the newest of each; kept after its end. */
  readonly limitsHit: readonly HitView[];
  readonly childrenCount: number;
  readonly admittedAtMs: number;
  readonly expiresAtMs: number;
  /** How it ended; null while it lives. */
  readonly end: EndView | null;
}

/** Shows a live worker. */
export function viewOf(worker: Worker): WorkerView {
  return toEdge(documentOf(worker));
}

/** A live worker in wire form; it shares what it is made of with the state. */
export function documentOf(worker: Worker): WorkerDocument & { readonly end: null } {
  const { id, name, parent, root, depth, status, stale, flagged, quarantine, stopping } = worker;
  const { process, state, regions, network, degraded } = worker;
  return {
    id,
    name,
    parent,
    root,
    depth,
    status,
    stale,
    flagged,
    quarantine,
    stopping,
    process,
    state,
    budget: accountOf(worker),
    regions,
    network,
    degraded,
    limits_hit: listHits(worker.limits_hit),
    children_count: worker.live_children_count,
    admitted_at_ms: worker.admitted_at_ms,
    expires_at_ms: worker.expires_at_ms,
    end: null,
  };
}

/** What is told of a worker's manifest. */
type Admitted = Pick<
  Manifest,
  | "instance"
  | "name"
  | "root"
  | "depth"
  | "budget"
  | "regions"
  | "network"
  | "issued_at_ms"
  | "expires_at_ms"
>;

/** What the entries about one worker, oldest first, add up to. */
export interface Biography {
  /** What it was admitted with, or taken over with after a loss. */
  admitted: { readonly manifest: Admitted; readonly degraded: readonly string[] } | null;
  process: ProcessIdentity | null;
  parent: string | null;
  state: JsonObject | null;
  /** What it was charged for. */
  charged: Amounts;
  hits: RecordedHits;
  end: Entry<"worker.stopped"> | Entry<"worker.lapsed"> | null;
}

/** A life of which nothing is known yet. */
export function blankBiography(): Biography {
  const nothing = { admitted: null, process: null, parent: null, state: null, end: null };
  return { ...nothing, charged: {}, hits: {} };
}

/**
 * A life as far as it went by the state: entries that come after that may be added. What dead
 * children have used counts as its own.
 */
export function biographyOf(worker: Worker): Biography {
  const { id: instance, name, root, depth, regions, network, degraded, granted } = worker;
  const { admitted_at_ms: issued_at_ms, expires_at_ms } = worker;
  const place = { instance, name, root, depth, regions, network };
  const manifest = { ...place, budget: granted, issued_at_ms, expires_at_ms };
  const { process, parent, state, spent: charged, limits_hit: hits } = worker;
  return {
    admitted: { manifest, degraded },
    process,
    parent,
    state,
    charged,
    hits,
    end: null,
  };
}

/** Adds an entry to the life that it is about; entries come in their order. */
export function addToBiography(life: Biography, entry: Entry): void {
  const { kind, data } = entry;
  if (kind === "worker.admitted") {
    life.admitted = data;
    life.parent = data.manifest.parent;
    life.state = data.manifest.state;
  } else if (kind === "worker.adopted") {
    life.admitted ??= { manifest: data.manifest, degraded: [] };
    life.parent = data.parent;
    life.state ??= data.manifest.state;
  } else if (kind === "worker.registered") life.process = data.process ?? null;
  else if (kind === "worker.checkpointed") life.state = data.state;
  else if (kind === "worker.reparented") life.parent = data.parent;
  else if (kind === "budget.charged") life.charged = add(life.charged, flatten(data.amounts));
  else if (kind === "worker.limit_hit") {
    const { limit, value, use, count } = data;
    life.hits = { ...life.hits, [limit]: { value, use, count, at_ms: entry.at_ms } };
  } else if (kind === "worker.stopped" || kind === "worker.lapsed") life.end = entry;
}

/** Shows a worker that has ended; undefined when its admission or its end is not known. */
export function viewOfEnded(life: Biography): WorkerView | undefined {
  const { admitted, end } = life;
  if (admitted === null || end === null) return undefined;
  const { manifest, degraded } = admitted;
  const { name, root, depth, regions, network } = manifest;
  return toEdge({
    id: manifest.instance,
    name,
    parent: life.parent,
    root,
    depth,
    status: "stopped",
    stale: false,
    flagged: false,
    quarantine: null,
    stopping: null,
    process: life.process,
    state: life.state,
    budget: accountOfEnded(life, manifest.budget),
    regions,
    network,
    degraded,
    limits_hit: listHits(life.hits),
    children_count: 0,
    admitted_at_ms: manifest.issued_at_ms,
    expires_at_ms: manifest.expires_at_ms,
    end: endOf(end),
  }) as WorkerView;
}

function accountOfEnded({ charged, end }: Biography, granted: Budget): Account {
  const bounds = flatten(granted);
  const measuredMs = end?.kind === "worker.stopped" ? (end.data.outcome.cpu_ms ?? 0) : 0;
  const used = { ...charged, cpu_ms: Math.max(charged["cpu_ms"] ?? 0, measuredMs) };
  const spent = Object.entries(used).filter(([key, amount]) => amount > 0 && key in bounds);
  const free = Object.keys(bounds).map((key) => [key, 0] as const);
  return {
    granted,
    reserved: {},
    spent: unflatten(Object.fromEntries(spent)),
    free: unflatten(Object.fromEntries(free)),
  };
}

function endOf(entry: Entry<"worker.stopped"> | Entry<"worker.lapsed">): object {
  const { seq, at_ms } = entry;
  if (entry.kind === "worker.lapsed") {
    const nothing = { reason: "lapsed", grade: null, proven: true, evidence: null, outcome: {} };
    return { ...nothing, at_ms, seq };
  }
  const { reason, evidence, outcome } = entry.data;
  const { grade } = evidence;
  return { reason, grade, proven: isProof(grade), evidence, outcome, at_ms, seq };
}
