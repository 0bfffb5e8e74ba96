import {
  admissionContext,
  checkConditions,
  checkCounts,
  checkMaxDepth,
  checkParentAtRegistration,
} from "./admission.ts";
import type { CommandMap } from "../command.ts";
import type { AdmissionContext } from "../condition/context/admission.ts";
import { deny, grant, type Ruling } from "../decision.ts";
import { checkOpen } from "../fleet/openness.ts";
import type { EnvelopeVerdict, Manifest } from "./manifest.ts";
import { refuse, type Refusal } from "../refusal.ts";
import { isReservation, type State, type Worker } from "../state.ts";

const WHY: Readonly<Record<EnvelopeVerdict, string>> = {
  valid: "it does not say what was admitted",
  form: "it is not a manifest in a DSSE envelope",
  signature: "its signature does not verify",
  version: "its version is not known here",
  key: "it was signed by another key than the one in force",
};

/**
 * Decides `worker.register`: the manifest is presented, once. Counts and conditions are checked
 * again, its own reservation excluded, only if the contract changed since it was issued.
 */
export function decideRegister(
  state: State,
  request: CommandMap["worker.register"],
  so: { readonly atMs: number; readonly ended: string | undefined },
): Ruling {
  const { manifest, envelope } = request;
  if (envelope !== "valid" || manifest === null) return invalid(envelope);
  if (manifest.key_id !== state.key.key_id) return invalid("key");
  if (manifest.fleet !== state.fleet)
    return deny(
      "manifest_foreign",
      `the manifest must be for ${state.fleet}, got ${manifest.fleet}`,
      { expected: state.fleet, got: manifest.fleet },
    );
  const presented = checkPresented(state, manifest, so);
  if (!presented.ok) return presented;
  const { worker } = presented;
  const refusal =
    checkOpen(state) ??
    checkParentAtRegistration(state, worker.parent) ??
    recheck(state, worker, request) ??
    checkNotWithdrawn(worker);
  if (refusal !== null) return { ok: false, refusal };
  const { process } = request;
  return grant({
    kind: "worker.registered",
    data: { worker: manifest.instance, ...(process === undefined ? {} : { process }) },
  });
}

function invalid(verdict: EnvelopeVerdict): Ruling {
  const why = WHY[verdict];
  return deny("manifest_invalid", `the manifest must be valid, ${why}`, { why: verdict });
}

type Presented = { readonly ok: true; readonly worker: Worker } | (Ruling & { readonly ok: false });

/** A signed manifest of this fleet is taken up at most once, in time, by what was admitted. */
function checkPresented(
  state: State,
  manifest: Manifest,
  so: { readonly atMs: number; readonly ended: string | undefined },
): Presented {
  const { instance, register_by_ms } = manifest;
  const worker = state.workers.get(instance);
  if (worker !== undefined && isReservation(worker)) {
    if (sameAsAdmitted(manifest, worker)) return { ok: true, worker };
    return no(refuseValid(instance));
  }
  if (so.atMs >= register_by_ms) return no(expired(manifest, so.atMs));
  if (worker !== undefined || so.ended === instance) return no(used(instance, worker));
  return no(refuseValid(instance));
}

/** A reservation that was told to stop cannot be taken up, and its manifest is good for nothing. */
function checkNotWithdrawn(worker: Worker): Refusal | null {
  return worker.status === "admitted" ? null : used(worker.id, worker);
}

function used(instance: string, worker: Worker | undefined): Refusal {
  const status = worker?.status ?? "stopped";
  const message = `the manifest of ${instance} must be unused, its worker is ${status} already`;
  return refuse("manifest_used", message, { instance, status });
}

function no(refusal: Refusal): Presented {
  return { ok: false, refusal };
}

function expired(manifest: Manifest, atMs: number): Refusal {
  return refuse(
    "manifest_expired",
    `the manifest must be presented before ${manifest.register_by_ms}, it is ${atMs}`,
    { register_by_ms: manifest.register_by_ms, at_ms: atMs },
  );
}

function refuseValid(instance: string): Refusal {
  return refuse("manifest_invalid", `the manifest must be valid, ${WHY.valid}`, {
    why: "content",
    instance,
  });
}

/**
 * The signature proves who wrote it; this proves that it says what the journal admitted. A
 * reservation is never given another parent, so the parent is the one that it was admitted under.
 */
function sameAsAdmitted(manifest: Manifest, worker: Worker): boolean {
  return (
    manifest.parent === worker.parent &&
    manifest.depth === worker.depth &&
    manifest.root === worker.root &&
    manifest.name === worker.name &&
    manifest.network === worker.network &&
    manifest.issued_at_ms === worker.admitted_at_ms &&
    manifest.register_by_ms === worker.register_by_ms &&
    manifest.expires_at_ms === worker.expires_at_ms &&
    manifest.contract_hash === worker.contract_hash &&
    sameJson(manifest.budget, worker.granted) &&
    sameJson(manifest.regions, worker.regions) &&
    sameJson(manifest.state, worker.state)
  );
}

/** Whether two JSON values are equal, whatever the order of their keys. */
function sameJson(left: unknown, right: unknown): boolean {
  if (left === right) return true;
  if (typeof left !== "object" || typeof right !== "object") return false;
  if (left === null || right === null || Array.isArray(left) !== Array.isArray(right)) return false;
  const ours = Object.entries(left);
  const theirs = right as Readonly<Record<string, unknown>>;
  if (ours.length !== Object.keys(right).length) return false;
  return ours.every(([key, value]) => Object.hasOwn(theirs, key) && sameJson(value, theirs[key]));
}

function recheck(
  state: State,
  worker: Worker,
  request: CommandMap["worker.register"],
): Refusal | null {
  if (worker.contract_hash === state.contract_hash) return null;
  const { live_count, total_count } = without(state, worker);
  return (
    checkCounts(state.contract, { live: live_count, total: total_count }) ??
    checkMaxDepth(state.contract, worker.depth) ??
    checkConditions(state.contract, registrationContext(state, worker), request.verdicts)
  );
}

/** What stop conditions are asked about a reservation: the fleet in which it does not count. */
export function registrationContext(state: State, worker: Worker): AdmissionContext {
  return admissionContext(without(state, worker), worker, worker.granted);
}

/** The fleet in which a reservation does not count, neither with the fleet nor with its parent. */
function without(state: State, worker: Worker): State {
  const parent = worker.parent === null ? undefined : state.workers.get(worker.parent);
  const childless = parent && { ...parent, live_children_count: parent.live_children_count - 1 };
  const workers = childless ? state.workers.set(childless.id, childless) : state.workers;
  const { live_count, total_count } = state;
  return { ...state, workers, live_count: live_count - 1, total_count: total_count - 1 };
}
