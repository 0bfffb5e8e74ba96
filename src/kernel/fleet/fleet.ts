import canonicalize from "canonicalize";
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";
import { ok } from "../assert.ts";
import type { CommandMap } from "../command.ts";
import { theJudge, type ConditionCheck } from "../rules/judge.ts";
import { wholeContract, type Contract } from "./contract.ts";
import { deny, grant, type Ruling } from "../decision.ts";
import type { State } from "../state.ts";
import { checkAlive } from "./openness.ts";

/** SHA-256 over a contract's canonical bytes (RFC 8785), lowercase hex. */
export function hashContract(contract: Contract): string {
  const text = canonicalize(contract);
  ok(text !== undefined, "a contract must be a JSON object");
  return bytesToHex(sha256(utf8ToBytes(text)));
}

/** Decides `fleet.create`: the first entry of a journal, once. */
export function decideCreate(state: State, request: CommandMap["fleet.create"]): Ruling {
  if (state.status !== "none")
    return deny("fleet_exists", `the journal must be empty, it holds the fleet ${state.fleet}`, {
      fleet: state.fleet,
    });
  const problem = conditionProblem(request.contract);
  if (problem !== null) return problem;
  const contract_hash = hashContract(request.contract);
  return grant({ kind: "fleet.created", data: { ...request, contract_hash } });
}

/** Decides `contract.enact`: a tighter one is no violation, it reports by how much use is above. */
export function decideEnact(state: State, request: CommandMap["contract.enact"]): Ruling {
  const { contract } = request;
  const killed = checkAlive(state);
  if (killed !== null) return { ok: false, refusal: killed };
  const problem = conditionProblem(contract);
  if (problem !== null) return problem;
  const contract_hash = hashContract(contract);
  if (contract_hash === state.contract_hash) return grant();
  const excess = {
    replicas: Math.max(0, state.live_count - contract.max_replicas),
    total: Math.max(0, state.total_count - contract.max_total),
  };
  return grant({ kind: "contract.enacted", data: { contract, contract_hash, excess } });
}

/** Conditions are type-checked here, before they can ever decide. */
function conditionProblem(contract: Contract): Ruling | null {
  const { stop, lease_deny_when, kill_when } = wholeContract(contract);
  const checkStop = (source: string): ConditionCheck => theJudge().checkCondition(source);
  const checkLease = (source: string): ConditionCheck => theJudge().checkLeaseCondition(source);
  const conditions = [
    ...stop.map((one) => ({ ...one, noun: "stop condition", check: checkStop })),
    ...lease_deny_when.map((one) => ({ ...one, noun: "condition on leases", check: checkLease })),
    ...kill_when.map((one) => ({
      ...one,
      noun: "kill condition",
      check: (): ConditionCheck => theJudge().checkKillCondition(one),
    })),
  ];
  for (const { name, when, noun, check } of conditions) {
    if (when === undefined) continue;
    const checked = check(when);
    if (checked.ok) continue;
    return deny("contract_invalid", `${noun} "${name}": ${checked.problem}`, {
      condition: name,
      when,
      problem: checked.problem,
    });
  }
  return null;
}

/** Decides `fleet.pause`: no admissions, registrations or grants until it is resumed. */
export function decidePause(state: State, request: CommandMap["fleet.pause"]): Ruling {
  const killed = checkAlive(state);
  if (killed !== null) return { ok: false, refusal: killed };
  return state.status === "paused" ? grant() : grant({ kind: "fleet.paused", data: request });
}

/** Decides `fleet.resume`. */
export function decideResume(state: State, request: CommandMap["fleet.resume"]): Ruling {
  const killed = checkAlive(state);
  if (killed !== null) return { ok: false, refusal: killed };
  return state.status === "open" ? grant() : grant({ kind: "fleet.resumed", data: request });
}

/** Decides `fleet.kill`: for good (I3). Asked again it writes nothing; the sweep is repeated. */
export function decideKill(state: State, request: CommandMap["fleet.kill"]): Ruling {
  if (state.status === "killed") return grant();
  const { reason } = request;
  return grant({ kind: "fleet.killed", data: { reason, live_count: state.live_count } });
}

/** Decides `key.rotate`: manifests of the old key that are not taken up yet become invalid. */
export function decideRotate(state: State, request: CommandMap["key.rotate"]): Ruling {
  const killed = checkAlive(state);
  if (killed !== null) return { ok: false, refusal: killed };
  if (state.key.key_id === request.key.key_id) return grant();
  return grant({ kind: "key.rotated", data: request });
}

/**
 * Decides `journal.sign`: only the key in force at this very entry signs heads, or a signature that
 * was under way while the key was rotated would make the journal one that does not verify.
 */
export function decideSign(state: State, request: CommandMap["journal.sign"]): Ruling {
  const { key_id: inForce } = state.key;
  if (request.key_id === inForce) return grant({ kind: "journal.signed", data: request });
  return deny(
    "not_authorised",
    `a head must be signed by the key in force, ${inForce}, got ${request.key_id}`,
    { expected: inForce, got: request.key_id },
  );
}
