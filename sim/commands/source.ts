import type { Actor } from "../../src/kernel/actor.ts";
import type { State, Worker } from "../../src/kernel/state.ts";
import { isAdmissionApt, makeAdmission, makeRegistration } from "./admission.ts";
import {
  makeCreation,
  makeEnactment,
  makeKill,
  makePause,
  makeRemark,
  makeResumption,
  makeRotation,
} from "./fleet.ts";
import {
  makeCharge,
  makeCheckpoint,
  makeExit,
  makeNote,
  makeObservation,
  makeQuarantine,
  makeStop,
  makeUnquarantine,
  makeWriteOff,
} from "./life.ts";
import { anOperator, asWorker, pickWorker, SUPERVISOR, type Request, type View } from "./view.ts";

/** One kind of command: how often it is made up, and when it would do something. */
interface Kind {
  /** Relative to the others. */
  readonly weight: number;
  readonly make: (view: View) => Request;
  readonly isApt?: (state: State) => boolean;
}

const KINDS: readonly Kind[] = [
  { weight: 230, make: makeAdmission, isApt: isAdmissionApt },
  { weight: 260, make: makeRegistration, isApt: hasOne(isReserved) },
  { weight: 30, make: makeCheckpoint, isApt: hasOne(isRunning) },
  { weight: 60, make: makeObservation, isApt: hasOne(isRunning) },
  { weight: 16, make: makeStop, isApt: hasOne(isRunning) },
  { weight: 50, make: makeExit, isApt: hasOne(isEndable) },
  { weight: 5, make: makeWriteOff, isApt: hasOne(isRunning) },
  { weight: 18, make: makeQuarantine, isApt: hasOne(isRunning) },
  { weight: 30, make: makeUnquarantine, isApt: hasOne(({ quarantine }) => quarantine !== null) },
  { weight: 12, make: makeNote },
  { weight: 50, make: makeCharge, isApt: hasOne(isRunning) },
  { weight: 24, make: makeEnactment },
  { weight: 7, make: makePause },
  { weight: 150, make: makeResumption, isApt: ({ status }) => status === "paused" },
  { weight: 4, make: makeKill, isApt: ({ status }) => status === "killed" },
  { weight: 10, make: makeRotation },
  { weight: 16, make: makeRemark },
  { weight: 5, make: makeCreation },
];

/** The share of commands that are made up though they would do nothing. */
const INAPT_SHARE = 0.08;

const WEIGHT_SUM = KINDS.reduce((sum, { weight }) => sum + weight, 0);

/** Makes up a command that suits the fleet as it is; sometimes somebody else gives it. */
export function makeRequest(view: View): Request {
  const request = pickMaker(view)(view);
  return view.random.chance(0.04) ? { ...request, actor: anyActor(view) } : request;
}

/** Makes up the kill, by whoever may. */
export function makeEnd(view: View): Request {
  return makeKill(view);
}

function pickMaker({ random, state }: View): Kind["make"] {
  // An empty journal takes nothing but a fleet; now and then somebody tries all the same.
  if (state.status === "none" && random.chance(0.8)) return makeCreation;
  for (;;) {
    const kind = pickKind(random.below(WEIGHT_SUM));
    if (kind.isApt?.(state) ?? true) return kind.make;
    if (random.chance(INAPT_SHARE)) return kind.make;
  }
}

function pickKind(draw: number): Kind {
  let left = draw;
  for (const kind of KINDS) {
    if (left < kind.weight) return kind;
    left -= kind.weight;
  }
  throw new RangeError(`a draw must be below ${WEIGHT_SUM}, got ${draw}`);
}

function hasOne(fits: (worker: Worker) => boolean): (state: State) => boolean {
  return ({ workers }) => [...workers.values()].some(fits);
}

function isRunning({ status }: Worker): boolean {
  return status === "running";
}

function isEndable({ status, live_children_count }: Worker): boolean {
  return status === "stopping" || live_children_count > 0;
}

function isReserved({ status }: Worker): boolean {
  return status === "admitted";
}

function anyActor(view: View): Actor {
  const others = [anOperator(view), SUPERVISOR, asWorker(pickWorker(view))];
  return view.random.pick<Actor>([...others, { kind: "system", via: "runtime" }]);
}
