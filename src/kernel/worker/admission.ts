import { carve } from "../budget/allowance.ts";
import type { Budget } from "../budget/budget.ts";
import type { CommandMap, Verdicts } from "../command.ts";
import { theJudge } from "../rules/judge.ts";
import type { AdmissionContext, AdmissionRelative } from "../condition/context/admission.ts";
import type { Contract, StopCondition } from "../fleet/contract.ts";
import { checkOpen } from "../fleet/openness.ts";
import { deny, grant, type Ruling } from "../decision.ts";
import type { JsonObject } from "../json.ts";
import { checkContainment, checkUse, networkOf, weaknessesFor } from "./containment.ts";
import { MANIFEST_VERSION, NETWORKS, type Manifest } from "./manifest.ts";
import { refuse, type Refusal } from "../refusal.ts";
import { EVERYTHING } from "../region/pattern.ts";
import { narrowTo, parseOnce } from "../region/rights.ts";
import type { State, Worker } from "../state.ts";

type Request = CommandMap["worker.admit"];

/** Counts that an admission is judged by; at a registration its own reservation is excluded. */
interface Counts {
  readonly live: number;
  readonly total: number;
}

/**
 * Decides `worker.admit`: every check in its order (AD17), then the reservation and the
 * manifest in one event. In the fleet that is judged the candidate does not yet count.
 */
export function decideAdmit(
  state: State,
  request: Request,
  so: { readonly atMs: number; readonly ended: string | undefined },
): Ruling {
  const closed = checkOpen(state);
  if (closed !== null) return { ok: false, refusal: closed };
  const parent = request.parent === null ? null : (state.workers.get(request.parent) ?? null);
  const refusal =
    checkParent(request.parent, parent, so.ended) ??
    checkCounts(state.contract, { live: state.live_count, total: state.total_count }) ??
    checkCooldown(state, parent, so.atMs) ??
    checkDepth(state.contract, parent, request.depth) ??
    checkRights(state, parent, request);
  if (refusal !== null) return { ok: false, refusal };
  const carving = carve(parent, request.budget, state.contract);
  if (!carving.ok) return carving;
  const crowded = checkUse(parent, carving.granted, request.parent_use);
  if (crowded !== null) return { ok: false, refusal: crowded };
  const context = admissionContext(state, request, carving.granted);
  const stopped = checkConditions(state.contract, context, request.verdicts);
  if (stopped !== null) return { ok: false, refusal: stopped };
  if (state.workers.has(request.instance) || so.ended === request.instance)
    return deny("instance_taken", `an instance id must be new, ${request.instance} is taken`, {
      instance: request.instance,
    });
  const manifest = issue(state, request, { parent, granted: carving.granted, atMs: so.atMs });
  const degraded = weaknessesFor(state.contract, parent, request);
  return grant({ kind: "worker.admitted", data: { manifest, reason: request.reason, degraded } });
}

function checkParent(
  id: string | null,
  parent: Worker | null,
  ended: string | undefined,
): Refusal | null {
  if (id === null) return null;
  const facts: JsonObject = { parent: id };
  if (parent === null && ended !== id)
    return refuse("parent_unknown", `the parent must be a worker, none has the id ${id}`, facts);
  if (parent === null || parent.status !== "running") {
    const status = parent?.status ?? "stopped";
    const message = `the parent must be running, ${id} is ${status}`;
    return refuse("parent_not_running", message, { ...facts, status });
  }
  if (parent.quarantine !== null)
    return refuse("parent_quarantined", `the parent must not be in quarantine, ${id} is`, facts);
  if (parent.stale)
    return refuse("parent_stale", `the parent must beat in time, ${id} has missed beats`, facts);
  return null;
}

/** The checks of a parent at registration: it still runs and is not in quarantine. */
export function checkParentAtRegistration(state: State, id: string | null): Refusal | null {
  if (id === null) return null;
  const parent = state.workers.get(id);
  const refusal = checkParent(id, parent ?? null, id);
  return refusal?.code === "parent_stale" ? null : refusal;
}

/** Refuses when the fleet, or its life's total, is full (I4). */
export function checkCounts(contract: Contract, counts: Counts): Refusal | null {
  if (counts.live >= contract.max_replicas)
    return refuse(
      "max_replicas",
      `live workers and reservations must stay at most ${contract.max_replicas}, ` +
        `there are ${counts.live}`,
      { max: contract.max_replicas, live: counts.live },
    );
  if (counts.total >= contract.max_total)
    return refuse(
      "max_total",
      `admissions over the fleet's life must stay at most ${contract.max_total}, ` +
        `there were ${counts.total}`,
      { max: contract.max_total, total: counts.total },
    );
  return null;
}

/** Equal passes: a cooldown of 1 s allows the next admission at exactly 1 s. */
function checkCooldown(state: State, parent: Worker | null, atMs: number): Refusal | null {
  const last = parent?.last_admission_at_ms ?? null;
  if (last === null) return null;
  const waitedMs = atMs - last;
  const { cooldown_ms } = state.contract;
  if (waitedMs >= cooldown_ms) return null;
  return refuse(
    "cooldown",
    `a parent must wait ${cooldown_ms} ms between admissions, it waited ${waitedMs} ms`,
    { cooldown_ms, waited_ms: waitedMs, retry_after_ms: cooldown_ms - waitedMs },
  );
}

function checkDepth(
  contract: Contract,
  parent: Worker | null,
  claimed: number | undefined,
): Refusal | null {
  const depth = depthBelow(parent);
  if (claimed !== undefined && claimed !== depth)
    return refuse(
      "depth_mismatch",
      `a claimed depth must be the journal's ${depth}, got ${claimed}`,
      { depth, claimed },
    );
  return checkMaxDepth(contract, depth);
}

/** Refuses a generation beyond the contract (I6). */
export function checkMaxDepth(contract: Contract, depth: number): Refusal | null {
  if (depth <= contract.max_depth) return null;
  return refuse("max_depth", `depth must be at most ${contract.max_depth}, got ${depth}`, {
    max: contract.max_depth,
    depth,
  });
}

function depthBelow(parent: Worker | null): number {
  return parent === null ? 0 : parent.depth + 1;
}

/** A child's rights are a part of its parent's, field by field (I5). */
function checkRights(state: State, parent: Worker | null, request: Request): Refusal | null {
  const weak = checkContainment(state.contract, parent, request);
  if (weak !== null) return weak;
  const { network, regions } = request;
  if (
    parent !== null &&
    network !== undefined &&
    NETWORKS.indexOf(network) > NETWORKS.indexOf(parent.network)
  )
    return refuse(
      "rights_exceeded",
      `network must be at most the parent's "${parent.network}", got "${network}"`,
      { field: "network", parent: parent.network, got: network },
    );
  return regions === undefined ? null : checkRegions(state, regions, parent?.regions ?? null);
}

/** What lies outside of the parent's regions is shown by one resource that does. */
function checkRegions(
  { book }: State,
  got: readonly string[],
  parent: readonly string[] | null,
): Refusal | null {
  const narrowed = narrowTo(got, parent, { isCaseless: book.foldsCase });
  switch (narrowed.kind) {
    case "inside":
      return null;
    case "outside": {
      const { witness } = narrowed;
      const within = JSON.stringify(parent);
      return refuse(
        "rights_exceeded",
        `regions must lie in the parent's ${within}, got ${JSON.stringify(got)} with "${witness}"`,
        { field: "regions", parent, got, witness },
      );
    }
    default: {
      const code = narrowed.kind === "invalid" ? "region_invalid" : "region_too_large";
      return refuse(code, `regions must have ${narrowed.expected}, got ${narrowed.got}`, {
        field: "regions",
        expected: narrowed.expected,
        got: narrowed.got,
      });
    }
  }
}

/** As they are granted: canonical, those of the parent where none are asked for. */
function regionsOf(
  { book }: State,
  parent: Worker | null,
  asked: readonly string[] | undefined,
): readonly string[] {
  const inherited = parent?.regions ?? [EVERYTHING];
  if (asked === undefined) return inherited;
  const parsed = parseOnce(asked, book.foldsCase);
  return parsed.ok ? parsed.region.patterns : asked;
}

/** What stop conditions are asked about: the fleet, in which the candidate does not count. */
export function admissionContext(
  state: State,
  request: Pick<Request, "parent" | "name" | "reason" | "state">,
  granted: Budget,
): AdmissionContext {
  const parent = request.parent === null ? null : (state.workers.get(request.parent) ?? null);
  const root = parent === null ? null : (state.workers.get(parent.root) ?? null);
  return {
    active_count: state.live_count,
    total_count: state.total_count,
    depth: depthBelow(parent),
    name: request.name,
    reason: request.reason,
    state: request.state,
    budget: granted,
    parent: parent === null ? null : relativeOf(parent),
    root: root === null ? null : relativeOf(root),
    contract: state.contract,
  };
}

/** A worker as conditions see it. */
export function relativeOf(worker: Worker): AdmissionRelative {
  return {
    id: worker.id,
    name: worker.name,
    depth: worker.depth,
    state: worker.state,
    children_count: worker.live_children_count,
    budget: worker.granted,
  };
}

/** The first condition, in the contract's order, that blocks; an error or a missing one blocks. */
export function checkConditions(
  contract: Contract,
  context: AdmissionContext,
  verdicts: Verdicts = {},
): Refusal | null {
  for (const condition of contract.stop) {
    const facts = judge(condition, context, verdicts);
    if (facts === null) continue;
    const why =
      "missing" in facts ? "no such function in this process" : (facts["error"] ?? "true");
    const message = `stop condition "${condition.name}" must be false, got ${why as string}`;
    return refuse("stop_condition", message, {
      condition: condition.name,
      ...(condition.when === undefined ? {} : { when: condition.when }),
      ...facts,
    });
  }
  return null;
}

function judge(
  condition: StopCondition,
  context: AdmissionContext,
  verdicts: Verdicts,
): JsonObject | null {
  if (condition.when !== undefined) {
    const result = theJudge().evaluateCondition(condition.when, context);
    if ("error" in result) return { error: result.error };
    return result.triggered ? {} : null;
  }
  const verdict = Object.hasOwn(verdicts, condition.name) ? verdicts[condition.name] : undefined;
  if (verdict === undefined) return { missing: true };
  if (typeof verdict === "string") return { error: verdict };
  return verdict ? {} : null;
}

function issue(
  state: State,
  request: Request,
  so: { readonly parent: Worker | null; readonly granted: Budget; readonly atMs: number },
): Manifest {
  const { parent, granted, atMs } = so;
  const lifetimeMs = granted.lifetime_ms ?? state.contract.lifetime_ms;
  const expiresAtMs = Math.min(atMs + lifetimeMs, parent?.expires_at_ms ?? Infinity);
  return {
    version: MANIFEST_VERSION,
    fleet: state.fleet ?? "",
    instance: request.instance,
    name: request.name,
    parent: request.parent,
    root: parent?.root ?? request.instance,
    depth: depthBelow(parent),
    state: request.state,
    budget: granted,
    regions: regionsOf(state, parent, request.regions),
    network: networkOf(parent, request.network),
    issued_at_ms: atMs,
    register_by_ms: Math.min(atMs + state.contract.register_within_ms, expiresAtMs),
    expires_at_ms: expiresAtMs,
    contract_hash: state.contract_hash,
    key_id: state.key.key_id,
  };
}
