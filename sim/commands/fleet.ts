import type { Actor } from "../../src/kernel/actor.ts";
import { makeBrokenContract, makeContract } from "./contract.ts";
import { anOperator, asWorker, SUPERVISOR, type Request, type View } from "./view.ts";

const SYSTEM: Actor = { kind: "system", via: "runtime" };

/** Makes up the creation of a fleet; once it is there, a second one. */
export function makeCreation(view: View): Request {
  const { random, signer } = view;
  const fleet = `f-${random.below(1_000)}`;
  const isBroken = random.chance(0.1);
  const contract = isBroken ? makeBrokenContract(random) : makeContract(random);
  const folding = random.chance(0.2) ? { fold_case: true as const } : {};
  const data = { fleet, name: "common", contract, key: signer.key, ...folding };
  return { command: { kind: "fleet.create", data }, actor: anOperator(view) };
}

/** Makes up a contract: another one, a tighter or looser one, the same, or a broken one. */
export function makeEnactment(view: View): Request {
  const { random, state } = view;
  const { contract } = state;
  const { max_replicas, max_total } = contract;
  const tighter = { ...contract, max_replicas: Math.max(1, max_replicas >> 1), max_depth: 0 };
  const looser = { ...contract, max_replicas: max_replicas + 2, max_total: max_total + 10 };
  const made = random.pick([
    () => makeContract(random),
    () => makeBrokenContract(random),
    () => ({ ...tighter, cooldown_ms: 1_000 }),
    () => ({ ...looser, cooldown_ms: 0, max_depth: 3 }),
    () => ({ ...looser, stop: [] }),
    () => contract,
  ]);
  const data = { contract: made() };
  return { command: { kind: "contract.enact", data }, actor: anOperator(view) };
}

/** Makes up a pause. */
export function makePause(view: View): Request {
  return { command: { kind: "fleet.pause", data: { reason: "lunch" } }, actor: anOperator(view) };
}

/** Makes up a resumption. */
export function makeResumption(view: View): Request {
  return { command: { kind: "fleet.resume", data: { reason: "done" } }, actor: anOperator(view) };
}

/** Makes up the kill of the fleet. */
export function makeKill(view: View): Request {
  return { command: { kind: "fleet.kill", data: { reason: "drill" } }, actor: anOperator(view) };
}

/** Makes up a rotation to another key of this world, or to the one in force. */
export function makeRotation(view: View): Request {
  const { key } = view.random.pick(view.signers);
  return { command: { kind: "key.rotate", data: { key } }, actor: anOperator(view) };
}

/** Makes up an operator's word that the host's clock is to be taken as it is. */
export function makeAcceptance(view: View): Request {
  const data = { reason: "looked at it" };
  return { command: { kind: "clock.accept", data }, actor: anOperator(view) };
}

/** Makes up what changes nothing but the record: requests to halt, ticks, receipts, false heads. */
export function makeRemark(view: View): Request {
  const { random, manifests, signer } = view;
  const worker = random.pick([...manifests.keys(), "w-none"]);
  const by = random.pick([SUPERVISOR, anOperator(view), SYSTEM]);
  const halt = { handle: "build 7", reason: "it loops", proposed: { stop: ["build", 7] } };
  const falseHead = { at_seq: 1, head_hash: "0".repeat(64), state_hash: "f".repeat(64) };
  return random.pick<Request>([
    { command: { kind: "halt.request", data: halt }, actor: random.pick([by, asWorker(worker)]) },
    { command: { kind: "clock.tick", data: {} }, actor: by },
    { command: { kind: "clock.tick", data: {} }, actor: by },
    { command: { kind: "clock.accept", data: { reason: "why not" } }, actor: by },
    { command: { kind: "receipt.record", data: { receipt: { proven: false } } }, actor: by },
    {
      command: {
        kind: "journal.sign",
        data: { ...falseHead, key_id: signer.key.key_id, signature: "AAAA" },
      },
      actor: by,
    },
  ]);
}
