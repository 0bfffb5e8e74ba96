import type { Actor } from "../../src/kernel/actor.ts";
import type { State, Worker } from "../../src/kernel/state.ts";
import { drawKind, type Kind } from "./draw.ts";
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
import { isArmed, makeArmedCheck } from "./armed.ts";
import { hasKillConditions, makeFailure, makeTrip } from "./condition.ts";
import { makeAnnouncement, makeGroundRules } from "./ground.ts";
import {
  hasLeases,
  hasLendable,
  hasOrphans,
  makeAcquisition,
  makeAdoption,
  makeHandOver,
  makeNarrowing,
  makeRelease,
  makeRenewal,
  makeRevocation,
  makeSplit,
} from "./lease.ts";
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
import { makeHits } from "./limit.ts";
import { hasPlaces, makeCancel, makeKeep, makeLeave } from "./place.ts";
import { hasMountable, hasMounts, makeFence, makeMount } from "./mount.ts";
import {
  hasRows,
  hasTokens,
  makeControl,
  makeExchange,
  makeForgetting,
  makeRoster,
  makeServiceNote,
  makeSightings,
  makeToken,
  makeTokenRevocation,
} from "./service.ts";
import { anOperator, asWorker, pickWorker, SUPERVISOR, type Request, type View } from "./view.ts";

const LIVES: readonly Kind[] = [
  { weight: 230, make: makeAdmission, isApt: isAdmissionApt },
  { weight: 260, make: makeRegistration, isApt: hasOne(isReserved) },
  { weight: 30, make: makeCheckpoint, isApt: hasOne(isRunning) },
  { weight: 60, make: makeObservation, isApt: hasOne(isRunning) },
  { weight: 16, make: makeStop, isApt: hasOne(isRunning) },
  { weight: 50, make: makeExit, isApt: hasOne(isEndable) },
  { weight: 20, make: makeHits, isApt: hasOne(isRunning) },
  { weight: 5, make: makeWriteOff, isApt: hasOne(isRunning) },
  { weight: 18, make: makeQuarantine, isApt: hasOne(isRunning) },
  { weight: 30, make: makeUnquarantine, isApt: hasOne(({ quarantine }) => quarantine !== null) },
  { weight: 12, make: makeNote },
  { weight: 50, make: makeCharge, isApt: hasOne(isRunning) },
  { weight: 24, make: makeEnactment },
  { weight: 40, make: makeTrip, isApt: hasKillConditions },
  { weight: 12, make: makeFailure, isApt: hasKillConditions },
  { weight: 10, make: makeArmedCheck, isApt: isArmed },
  { weight: 7, make: makePause },
  { weight: 150, make: makeResumption, isApt: ({ status }) => status === "paused" },
  { weight: 4, make: makeKill, isApt: ({ status }) => status === "killed" },
  { weight: 10, make: makeRotation },
  { weight: 16, make: makeRemark },
  { weight: 5, make: makeCreation },
  { weight: 12, make: makeRoster },
  { weight: 40, make: makeSightings },
  { weight: 8, make: makeForgetting, isApt: hasRows },
  { weight: 14, make: makeControl },
  { weight: 8, make: makeServiceNote, isApt: ({ roster }) => roster.expected.length > 0 },
  { weight: 22, make: makeToken },
  { weight: 14, make: makeExchange, isApt: hasTokens },
  { weight: 6, make: makeTokenRevocation, isApt: hasTokens },
];

const LEASES: readonly Kind[] = [
  { weight: 300, make: makeAcquisition },
  { weight: 90, make: makeRenewal, isApt: hasLeases },
  { weight: 50, make: makeRelease, isApt: hasLeases },
  { weight: 25, make: makeNarrowing, isApt: hasLeases },
  { weight: 70, make: makeSplit, isApt: hasLendable },
  { weight: 30, make: makeHandOver, isApt: hasLeases },
  { weight: 60, make: makeAdoption, isApt: hasOrphans },
  { weight: 15, make: makeRevocation, isApt: hasLeases },
  { weight: 90, make: makeMount, isApt: hasMountable },
  { weight: 60, make: makeFence, isApt: hasMounts },
  { weight: 20, make: makeGroundRules },
  { weight: 250, make: makeGroundRules, isApt: ({ book }) => book.rules.lanes.length === 0 },
  { weight: 8, make: makeAnnouncement },
  { weight: 220, make: makeKeep, isApt: hasPlaces },
  { weight: 25, make: makeLeave, isApt: hasPlaces },
  { weight: 12, make: makeCancel, isApt: hasPlaces },
];

/** Makes up a command that suits the fleet as it is; sometimes somebody else gives it. */
export function makeRequest(view: View): Request {
  const request = pickMaker(view)(view);
  return view.random.chance(0.04) ? { ...request, actor: anyActor(view) } : request;
}

/** Makes up the kill, by whoever may. */
export function makeEnd(view: View): Request {
  return makeKill(view);
}

function pickMaker(view: View): Kind["make"] {
  const { random, state, leaseShare } = view;
  // An empty journal takes nothing but a fleet; now and then somebody tries all the same.
  if (state.status === "none" && random.chance(0.8)) return makeCreation;
  return drawKind(view, leaseShare > 0 && random.chance(leaseShare) ? LEASES : LIVES);
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
