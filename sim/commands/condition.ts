import type { Measures } from "../../src/kernel/condition/context/measure.ts";
import type { State } from "../../src/kernel/state.ts";
import { KILL_CONDITIONS } from "../audit/conditions.ts";
import { near, pickWorker, SUPERVISOR, type Request, type View } from "./view.ts";

/** Whether a trip may do something: a kill condition is in force. */
export function hasKillConditions({ contract }: State): boolean {
  return contract.kill_when.length > 0;
}

/** Makes up that a kill condition has held, at, just below and just above its bounds. */
export function makeTrip(view: View): Request {
  const { random, state } = view;
  const known = random.chance(0.1)
    ? random.pick(KILL_CONDITIONS)
    : KILL_CONDITIONS.find(({ name }) => name === state.contract.kill_when[0]?.name);
  const { name, for_ms, isAboutWorkers } = known ?? random.pick(KILL_CONDITIONS);
  const isRight = random.chance(0.9);
  const worker = isAboutWorkers === isRight ? pickWorker(view, isFree) : undefined;
  const data = {
    condition: name,
    ...(worker === undefined ? {} : { worker }),
    measures: someMeasures(view, worker),
    held_ms: near(view, for_ms),
  };
  return { command: { kind: "condition.trip", data }, actor: SUPERVISOR };
}

/** Makes up that a kill condition could not be decided. */
export function makeFailure(view: View): Request {
  const { random, state } = view;
  const inForce = state.contract.kill_when[0]?.name;
  const condition = (random.chance(0.8) ? inForce : undefined) ?? random.pick(KILL_CONDITIONS).name;
  const data = { condition, problem: "no gauge" };
  return { command: { kind: "condition.fail", data }, actor: SUPERVISOR };
}

function isFree({
  status,
  quarantine,
}: {
  readonly status: string;
  readonly quarantine: object | null;
}): boolean {
  return status === "running" && quarantine === null;
}

function someMeasures(view: View, id: string | undefined): Measures {
  const { random, state } = view;
  const fleet = {
    status: "open",
    active_count: near(view, 91),
    total_count: state.total_count,
    quarantined_count: 0,
    refusals_per_minute: near(view, 9),
    ended_per_minute: 0,
    failures_per_minute: 0,
    error_rate_percent: 0,
    units: {},
  } as const;
  if (id === undefined) return { fleet };
  const worker = {
    id,
    name: "common",
    depth: 0,
    stale: false,
    age_ms: random.below(1_000),
    ...(random.chance(0.9) ? { memory_bytes: near(view, 101) } : {}),
    refusals_per_minute: 0,
    units: random.chance(0.9) ? { errors: near(view, 3) } : {},
    budget: {},
  };
  return { fleet, worker };
}
