import type { Charge } from "../../src/kernel/budget/budget.ts";
import type { Observation } from "../../src/kernel/command.ts";
import type { StopReason } from "../../src/kernel/worker/evidence.ts";
import { GRADES } from "../../src/kernel/worker/evidence.ts";
import { staleAfterMs } from "../../src/kernel/worker/liveness.ts";
import type { Worker } from "../../src/kernel/state.ts";
import { drawHits } from "./limit.ts";
import { anOperator, asWorker, near, pickWorker, SUPERVISOR } from "./view.ts";
import type { Request, View } from "./view.ts";

const OWN_REASONS: readonly StopReason[] = ["completed", "failed", "requested"];
const REASONS: readonly StopReason[] = [...OWN_REASONS, "killed", "quarantine_stopped"];

function isRunning({ status }: Worker): boolean {
  return status === "running";
}

/** Makes up a checkpoint of a worker's state. */
export function makeCheckpoint(view: View): Request {
  const worker = pickWorker(view, isRunning);
  const state = { part: view.random.pick(["a", "b", "poison"]), step: view.random.below(100) };
  return {
    command: { kind: "worker.checkpoint", data: { worker, state } },
    actor: asWorker(worker),
  };
}

/** Makes up what a watcher saw, at, just below and just above the bounds. */
export function makeObservation(view: View): Request {
  const { random, state } = view;
  const { contract } = state;
  const { reap_after_ms } = contract;
  const bounds = [0, 0, staleAfterMs(contract), reap_after_ms, 10 * reap_after_ms];
  const data: Observation = {
    worker: pickWorker(view, isRunning),
    ...(random.chance(0.85) ? { beat_count: random.below(50) } : {}),
    silent_ms: near(view, random.pick(bounds)),
    watched_ms: near(view, random.pick(bounds)),
    seen: random.pick(["alive", "alive", "gone", "unknown"]),
  };
  return { command: { kind: "worker.observe", data }, actor: SUPERVISOR };
}

/** Makes up a stop: by a worker of itself, or by an operator of anything below it too. */
export function makeStop(view: View): Request {
  const { random } = view;
  const worker = pickWorker(view);
  const isOwn = random.chance(0.4);
  const data = {
    worker,
    reason: random.pick(isOwn ? OWN_REASONS : REASONS),
    tree: !isOwn && random.chance(0.4),
    ...(random.chance(0.2) ? { detail: "as somebody asked" } : {}),
    ...(random.chance(0.3) ? { grace_ms: random.pick([0, 2_000, 600_000]) } : {}),
  };
  const actor = isOwn ? asWorker(worker) : anOperator(view);
  return { command: { kind: "worker.stop", data }, actor };
}

/** Makes up an exit with evidence of every grade. */
export function makeExit(view: View): Request {
  const { random } = view;
  const isMother = random.chance(0.5);
  const worker = pickWorker(view, ({ status, parent, live_children_count }) =>
    isMother ? parent !== null && live_children_count > 0 : status === "stopping",
  );
  const data = {
    worker,
    evidence: { grade: random.pick(GRADES), facts: { listings: 2 } },
    outcome: {
      ...(random.chance(0.6) ? { exit_code: random.pick([0, 0, 1, 137]) } : {}),
      ...(random.chance(0.2) ? { signal: "SIGKILL", killed_by: "stint" } : {}),
      ...(random.chance(0.3) ? { cpu_ms: random.below(80) } : {}),
      ...(random.chance(0.1) ? { error: "it threw" } : {}),
    },
    ...(random.chance(0.2) ? { limits_hit: drawHits(view) } : {}),
  };
  return { command: { kind: "worker.exited", data }, actor: SUPERVISOR };
}

/** Makes up an operator's word that a worker has ended. */
export function makeWriteOff(view: View): Request {
  const data = { worker: pickWorker(view), reason: "its host is gone" };
  return { command: { kind: "worker.write_off", data }, actor: anOperator(view) };
}

/** Makes up a quarantine. */
export function makeQuarantine(view: View): Request {
  const { random } = view;
  const data = {
    worker: pickWorker(view, isRunning),
    reason: "it reads what it should not",
    source: "watcher",
    severity: random.pick(["low", "medium", "high", "critical"] as const),
    ...(random.chance(0.3) ? { evidence: { files: ["a", "b"] } } : {}),
  };
  return { command: { kind: "worker.quarantine", data }, actor: anOperator(view) };
}

/** Makes up the lifting of a quarantine. */
export function makeUnquarantine(view: View): Request {
  const worker = pickWorker(view, ({ quarantine }) => quarantine !== null);
  const data = { worker, resolution: "it was nothing" };
  return { command: { kind: "worker.unquarantine", data }, actor: anOperator(view) };
}

/** Makes up a note about a worker. */
export function makeNote(view: View): Request {
  const worker = pickWorker(view);
  const { random } = view;
  const actor = random.pick([anOperator(view), SUPERVISOR, asWorker(worker)]);
  return { command: { kind: "worker.note", data: { worker, text: "seen" } }, actor };
}

/** Makes up a charge: metered from outside, or claimed by the worker itself. */
export function makeCharge(view: View): Request {
  const { random, state } = view;
  const worker = pickWorker(view, isRunning);
  const granted = state.workers.get(worker)?.granted.units?.["tokens"] ?? 20;
  const tokens = random.pick([0, 1, near(view, granted), near(view, granted >> 1)]);
  const amounts: Charge = {
    ...(random.chance(0.4) ? { cpu_ms: random.below(30) } : {}),
    ...(random.chance(0.8) ? { units: { tokens } } : {}),
  };
  const actor = random.pick([anOperator(view), SUPERVISOR, asWorker(worker)]);
  return { command: { kind: "budget.charge", data: { worker, amounts } }, actor };
}
