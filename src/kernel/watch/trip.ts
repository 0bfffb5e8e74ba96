import { ok } from "../assert.ts";
import type { CommandMap } from "../command.ts";
import { deny, findRunning, grant, type Found, type Ruling } from "../decision.ts";
import type { KillCondition } from "../fleet/contract.ts";
import { decideKill, decidePause } from "../fleet/fleet.ts";
import { checkAlive } from "../fleet/openness.ts";
import type { JsonObject } from "../json.ts";
import { theJudge } from "../rules/judge.ts";
import type { State, Worker } from "../state.ts";
import { stopping } from "../worker/life.ts";
import { decideQuarantine } from "../worker/quarantine.ts";

/** When it is decided, and what the store's index knows of ids the state has dropped. */
interface Now {
  readonly atMs: number;
  readonly ended: string | undefined;
}

type Trip = CommandMap["condition.trip"];

/**
 * Decides `condition.trip`: the trip and what follows from it are one piece, so that no crash
 * leaves a condition that has tripped and done nothing.
 *
 * A supervisor's word is taken for what it measured and for how long, never for what follows: the
 * condition is the one in force, and is asked again about these measures. A worker in quarantine
 * is not asked about, as in `decideObserve`: who stands still is silent and uses nothing.
 */
export function decideTrip(state: State, trip: Trip, now: Now): Ruling {
  const killed = checkAlive(state);
  if (killed !== null) return { ok: false, refusal: killed };
  const condition = inForce(state, trip.condition);
  if (condition === undefined) return denyUnknown(trip.condition);
  const problem = unmetBy(condition, trip);
  if (problem !== null)
    return deny("condition_unmet", `kill condition "${condition.name}" ${problem}`, {
      condition: condition.name,
      when: condition.when,
      for_ms: condition.for_ms,
      held_ms: trip.held_ms,
    });
  const found = trip.worker === undefined ? null : findFree(state, trip.worker, now);
  if (found !== null && !found.ok) return found;
  const consequence = follow(state, { condition, trip, worker: found?.worker ?? null, now });
  // A fleet that is paused already: nothing would follow, so nothing has tripped.
  if (!consequence.ok || consequence.events.length === 0) return consequence;
  const { when, for_ms, action } = condition;
  const tripped = {
    kind: "condition.tripped",
    data: { ...trip, when, for_ms, action },
  } as const;
  return grant(tripped, ...consequence.events);
}

/** Decides `condition.fail`: on record, and nobody is stopped for it. */
export function decideConditionFail(state: State, failed: CommandMap["condition.fail"]): Ruling {
  const killed = checkAlive(state);
  if (killed !== null) return { ok: false, refusal: killed };
  if (inForce(state, failed.condition) === undefined) return denyUnknown(failed.condition);
  return grant({ kind: "condition.failed", data: failed });
}

function inForce({ contract }: State, name: string): KillCondition | undefined {
  return contract.kill_when.find((one) => one.name === name);
}

function denyUnknown(name: string): Ruling {
  return deny(
    "condition_unmet",
    `a kill condition must be one in force, the contract has none of the name "${name}"`,
    { condition: name },
  );
}

/** Why what was measured does not trip a condition, to go on after its name; null where it does. */
function unmetBy({ when, for_ms }: KillCondition, trip: Trip): string | null {
  const { worker, measures, held_ms } = trip;
  const isAboutWorkers = theJudge().isAboutWorkers(when);
  if (isAboutWorkers !== (worker !== undefined) || worker !== measures.worker?.id) {
    const subject = isAboutWorkers ? "one worker" : "the fleet";
    const got = `${worker ?? "none"}, measured ${measures.worker?.id ?? "none"}`;
    return `must be asked about ${subject}, got the worker ${got}`;
  }
  if (held_ms < for_ms) return `must have held for ${for_ms} ms, it held for ${held_ms} ms`;
  const verdict = theJudge().evaluateKillCondition(when, measures);
  if ("error" in verdict) return `must be true of what was measured, got ${verdict.error}`;
  return verdict.triggered ? null : "must be true of what was measured, got false";
}

/** The worker that a condition was asked about: it must run, and not be in quarantine. */
function findFree(state: State, id: string, { ended }: Now): Found {
  const found = findRunning(state, id, ended);
  if (!found.ok || found.worker.quarantine === null) return found;
  const { until_ms } = found.worker.quarantine;
  const message = `worker ${id} must not be in quarantine, it is`;
  return {
    ok: false,
    refusal: { code: "worker_quarantined", message, facts: { worker: id, until_ms } },
  };
}

/** What is done, as if an operator had asked for it. */
function follow(
  state: State,
  so: {
    readonly condition: KillCondition;
    readonly trip: Trip;
    readonly worker: Worker | null;
    readonly now: Now;
  },
): Ruling {
  const { condition, trip, worker, now } = so;
  const { name, action } = condition;
  const reason = `kill condition "${name}" held for ${trip.held_ms} ms`;
  if (action === "kill") return decideKill(state, { reason });
  if (action === "pause") return decidePause(state, { reason });
  // The check at enactment has seen to it that these are asked about a worker.
  ok(worker !== null, `the action "${action}" must have a worker to act on`);
  if (action === "stop") return grant(...stopping([worker], "tripped", { detail: reason }));
  // Measures are JSON: absent fields are left out by whoever made or parsed them.
  const evidence = { condition: name, measures: trip.measures } as unknown as JsonObject;
  const severity = "high";
  const order = { worker: worker.id, reason, source: "kill_when", severity, evidence } as const;
  return decideQuarantine(state, order, now);
}
