import type { CommandMap, ParentUse } from "../../src/kernel/command.ts";
import type { State, Worker } from "../../src/kernel/state.ts";
import { NETWORKS, type EnvelopeVerdict, type Manifest } from "../../src/kernel/worker/manifest.ts";
import type { Envelope, Signer } from "../../src/ports/signer.ts";
import { freshInstanceId } from "../../src/runtime/base32.ts";
import { makeBudget } from "./contract.ts";
import { anOperator, asWorker, near, OPERATORS, pickWorker, SUPERVISOR } from "./view.ts";
import type { Request, View } from "./view.ts";

const NAMES = ["root", "left", "right", "leaf"];
const STATES = [{}, { part: "a" }, { part: "poison" }, { part: "rotten" }, { deep: [{ x: 1.5 }] }];
const WEAKNESSES = [
  ["same_user"],
  ["memory", "cpu", "processes"],
  ["network"],
  ["same_user", "cpu"],
];
const REGIONS = [
  ["**"],
  ["src/**"],
  ["src/**", "!src/gen/**"],
  ["src/api/"],
  ["src//api"],
  ["{a,b}".repeat(11)],
];

/** Makes up an admission: a root by an operator, or a child by its parent; sometimes a bad one. */
export function makeAdmission(view: View): Request {
  const { random, manifests } = view;
  const isRoot = !mayAnyBear(view.state) || random.chance(0.12);
  // Chains as well as bushes: the end of one in the middle is where lineages change.
  const isParent = random.chance(0.5) ? mayBearChild : deepestOf(view);
  const parent = isRoot ? null : pickWorker(view, isParent);
  const taken = [...manifests.keys()];
  const isTaken = taken.length > 0 && random.chance(0.04);
  const instance = isTaken ? random.pick(taken) : freshInstanceId(random);
  const depth = (parent === null ? -1 : (manifests.get(parent)?.depth ?? 0)) + 1;
  const data: CommandMap["worker.admit"] = {
    instance,
    name: random.pick(NAMES),
    parent,
    reason: random.pick(["subtask", "again"]),
    state: random.pick(STATES),
    budget: random.chance(0.6) ? makeBudget(random, random.pick([4, 4, 16, 100])) : {},
    ...(random.chance(view.leaseShare > 0 ? 0.25 : 0.08) ? { regions: random.pick(REGIONS) } : {}),
    ...(random.chance(0.2) ? { network: random.pick(NETWORKS) } : {}),
    ...(random.chance(0.2) ? { depth: depth + random.pick([-1, 0, 0, 0, 0, 1]) } : {}),
    ...(random.chance(0.1) ? { degraded: random.pick(WEAKNESSES) } : {}),
    ...(random.chance(0.1) ? { parent_use: makeUse(view, parent) } : {}),
    // Verdicts are the loop's to take; whoever brings some along is not believed.
    ...(random.chance(0.1) ? { verdicts: { absent: false } } : {}),
  };
  const actor = parent === null || random.chance(0.2) ? anOperator(view) : asWorker(parent);
  return { command: { kind: "worker.admit", data }, actor };
}

/** What a parent's sandbox uses, at and around what is left of what it was granted. */
function makeUse(view: View, parent: string | null): ParentUse {
  const { memory_bytes = 4, processes = 4 } = view.state.workers.get(parent ?? "")?.granted ?? {};
  const { random } = view;
  return {
    ...(random.chance(0.7) ? { memory_bytes: near(view, random.below(memory_bytes + 1)) } : {}),
    ...(random.chance(0.7) ? { processes: near(view, random.below(processes + 1)) } : {}),
  };
}

/** Whether an admission may succeed: a child's, or a root's where none lives. */
export function isAdmissionApt(state: State): boolean {
  return state.live_count === 0 || mayAnyBear(state);
}

function mayAnyBear({ workers }: State): boolean {
  return [...workers.values()].some(mayBearChild);
}

function mayBearChild({ status, quarantine }: Worker): boolean {
  return status === "running" && quarantine === null;
}

/** Fits those of the deepest generation that may still bear children under the contract. */
function deepestOf({ state }: View): (worker: Worker) => boolean {
  const { max_depth } = state.contract;
  const bearing = [...state.workers.values()].filter(mayBearChild);
  const depths = bearing.map(({ depth }) => depth).filter((depth) => depth < max_depth);
  const deepest = Math.max(0, ...depths);
  return (worker) => mayBearChild(worker) && worker.depth === deepest;
}

/** Makes up an admission that asks for nothing that could be refused to a healthy fleet. */
export function makePlainAdmission({ random }: View, parent: string | null): Request {
  const instance = freshInstanceId(random);
  const name = random.pick(NAMES);
  const data = { instance, name, parent, reason: "family", state: { part: "a" }, budget: {} };
  const actor = parent === null ? OPERATORS[0] : asWorker(parent);
  return { command: { kind: "worker.admit", data }, actor };
}

/** Makes up the registration of a worker with its own manifest, by itself. */
export function makePlainRegistration(view: View, manifest: Manifest): Request {
  const { verdict, manifest: shown } = view.signer.check(sealTruly(view, manifest));
  return present(view, shown, verdict, manifest.instance);
}

/** Makes up a registration: most often of a reservation, sometimes with a hostile manifest. */
export function makeRegistration(view: View): Request {
  const { random, manifests } = view;
  const reserved = pickWorker(view, (worker) => worker.status === "admitted");
  const manifest = manifests.get(reserved);
  if (manifest === undefined || random.chance(0.02)) return present(view, null, "form");
  const { verdict, manifest: shown } = view.signer.check(seal(view, manifest));
  return present(view, shown, verdict, manifest.instance);
}

function present(
  { random }: View,
  manifest: Manifest | null,
  ...[envelope, instance = manifest?.instance]: [EnvelopeVerdict, string?]
): Request {
  const process = { host_id: "h-1", pid: 100 + random.below(900), started: "12345" };
  const isNamed = random.chance(0.7);
  const data = { manifest, envelope, ...(isNamed ? { process } : {}) };
  const actor = instance === undefined || random.chance(0.2) ? SUPERVISOR : asWorker(instance);
  return { command: { kind: "worker.register", data }, actor };
}

function signerOf({ signers, signer }: View, manifest: Manifest): Signer {
  return signers.find(({ key }) => key.key_id === manifest.key_id) ?? signer;
}

function sealTruly(view: View, manifest: Manifest): Envelope {
  const signer = signerOf(view, manifest);
  return signer.seal({ ...manifest, key_id: signer.key.key_id });
}

/** The envelope in which a manifest is shown: true, or as somebody would forge it. */
function seal(view: View, manifest: Manifest): unknown {
  const { random, signers } = view;
  const signer = signerOf(view, manifest);
  const forged = (fields: Partial<Manifest>): Envelope =>
    signer.seal({ ...manifest, ...fields, key_id: signer.key.key_id });
  switch (random.below(40)) {
    case 0:
      return forged({ fleet: "f-foreign" });
    case 1:
      return forged({ depth: Math.max(0, manifest.depth - 1), budget: {} });
    case 2:
      return forged({ register_by_ms: manifest.register_by_ms + 3_600_000 });
    case 3:
      return forged({ instance: `w-${"x".repeat(16)}` });
    case 4:
      return { ...forged({}), signatures: [] };
    case 5:
      return retouched(forged({}));
    case 6: {
      const other = random.pick(signers);
      return other.seal({ ...manifest, key_id: other.key.key_id });
    }
    case 7:
      return { ...forged({}), payloadType: "application/vnd.stint.manifest.v2+json" };
    default:
      return forged({});
  }
}

/** Another payload under the signature of the true one. */
function retouched(envelope: Envelope): Envelope {
  const text = Buffer.from(envelope.payload, "base64").toString();
  const payload = Buffer.from(text.replace('"depth":', '"depth": ')).toString("base64");
  return { ...envelope, payload };
}
