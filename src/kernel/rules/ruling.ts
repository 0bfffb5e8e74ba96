import { decideExchange, decideIssue, decideRevokeToken } from "../access/issuing.ts";
import { decideArmedCheck } from "../armed/check.ts";
import { decideAdmit } from "../worker/admission.ts";
import { partyOf } from "../actor.ts";
import { checkAuthority } from "../authority.ts";
import type { Command, Submission } from "../command.ts";
import { deny, grant, type Ruling } from "../decision.ts";
import type { Event } from "../event.ts";
import { evolve } from "../evolve.ts";
import {
  decideCreate,
  decideEnact,
  decideKill,
  decidePause,
  decideResume,
  decideRotate,
  decideSign,
} from "../fleet/fleet.ts";
import { decideRecover } from "../fleet/recovery.ts";
import { decideAnnounce, decideEnactLanes } from "../lane/enactment.ts";
import { decideAcquire } from "../lease/acquisition.ts";
import { decideRelease, decideRevoke, leaseLapses } from "../lease/ending.ts";
import { decideHandOver } from "../lease/handover.ts";
import { decideSplit } from "../lease/split.ts";
import { decideNarrow, decideRenew } from "../lease/upkeep.ts";
import { decideFence, decideMount } from "../mount/mounting.ts";
import { decideCancel, decideKeep, decideLeave, placeLapses } from "../queue/waiting.ts";
import { decideControl } from "../roster/control.ts";
import { decideEnactRoster, decideServiceNote } from "../roster/enactment.ts";
import { decideRollForget, decideRollObserve } from "../roster/observing.ts";
import { lapsed } from "../worker/lapse.ts";
import { decideCheckpoint, decideExited, decideStop, decideWriteOff } from "../worker/life.ts";
import { decideHitLimit } from "../worker/limit-hit.ts";
import { decideObserve } from "../worker/liveness.ts";
import { decideNote, decideQuarantine, decideUnquarantine } from "../worker/quarantine.ts";
import type { Refusal } from "../refusal.ts";
import { decideRegister } from "../worker/registration.ts";
import { decideCharge } from "../budget/spending.ts";
import { decideConditionFail, decideTrip } from "../watch/trip.ts";
import type { State } from "../state.ts";
import { isKnown, targetsOf } from "../subject.ts";

/** What `decide` answers: the events to journal in one piece, and the refusal if there is one. */
export interface Decision {
  readonly refusal: Refusal | null;
  readonly events: readonly Event[];
}

/**
 * Decides as `decide` does, which is what to call where nothing speaks against loading all of it:
 * the judge of conditions must have been brought before a contract that has conditions is met, or
 * before one is enacted. Throws `JudgeMissing` otherwise, and then nothing is decided.
 */
export function ruleOn(state: State, submission: Submission, atMs: number): Decision {
  const lapses = isSettling(state, submission)
    ? [...leaseLapses(state, atMs), ...placeLapses(state, atMs), ...lapsed(state, atMs)]
    : [];
  const settled = lapses.reduce((past, event) => happen(past, event, { atMs, submission }), state);
  const ended = endedTarget(submission, state, settled);
  const known = ended === undefined ? submission : { ...submission, ended };
  const ruling = rule(settled, known, atMs);
  if (ruling.ok) return { refusal: null, events: [...lapses, ...ruling.events] };
  const { refusal } = ruling;
  // Before its fleet.created a journal holds nothing, not even a no.
  if (state.status === "none") return { refusal, events: [] };
  const { code, message, facts } = refusal;
  const party = partyOf(submission.actor, submission.command);
  const counted = party === undefined ? {} : { party };
  const data = { code, message, facts, ...counted };
  return { refusal, events: [...lapses, { kind: "command.refused", data }] };
}

/** A recovery comes before what time has ended meanwhile: some of it may have been taken up. */
function isSettling(state: State, { command }: Submission): boolean {
  return state.status !== "none" && command.kind !== "fleet.recover";
}

/**
 * The first of what a command is about that has ended: as the store's index knows, or in this very
 * decision, in which it lapsed and the state dropped it. Whoever looked before the decision found
 * that one there, so no index was asked.
 */
function endedTarget(
  { command, ended }: Submission,
  before: State,
  settled: State,
): string | undefined {
  if (before === settled) return ended;
  const isDropped = (id: string): boolean => isKnown(before, id) && !isKnown(settled, id);
  return targetsOf(command).find((id) => id === ended || isDropped(id)) ?? ended;
}

function happen(
  state: State,
  event: Event,
  so: { readonly atMs: number; readonly submission: Submission },
): State {
  return evolve(state, {
    ...event,
    seq: state.seq + 1,
    at_ms: so.atMs,
    actor: so.submission.actor,
  });
}

function rule(state: State, submission: Submission, atMs: number): Ruling {
  const { actor, command, ended } = submission;
  if (state.status === "none" && command.kind !== "fleet.create")
    return deny("fleet_unknown", "the journal must hold a fleet, it is empty");
  const unauthorised = checkAuthority(actor, command);
  if (unauthorised !== null) return { ok: false, refusal: unauthorised };
  switch (command.kind) {
    case "fleet.create":
    case "fleet.pause":
    case "fleet.resume":
    case "fleet.kill":
    case "fleet.recover":
    case "contract.enact":
    case "key.rotate":
      return ruleOnFleet(state, command, atMs);
    case "worker.admit":
      return decideAdmit(state, command.data, { atMs, ended });
    case "worker.register":
      return decideRegister(state, command.data, { atMs, ended });
    case "worker.checkpoint":
      return decideCheckpoint(state, command.data, ended);
    case "worker.observe":
      return decideObserve(state, command.data, ended);
    case "worker.stop":
      return decideStop(state, command.data, { atMs, ended, actor });
    case "worker.exited":
      return decideExited(state, command.data, ended);
    case "worker.hit_limit":
      return decideHitLimit(state, command.data, { atMs, ended });
    case "worker.write_off":
      return decideWriteOff(state, command.data, { ended, by: actor.id ?? actor.kind });
    case "worker.quarantine":
      return decideQuarantine(state, command.data, { atMs, ended });
    case "worker.unquarantine":
      return decideUnquarantine(state, command.data, { atMs, ended });
    case "worker.note":
      return decideNote(state, command.data, ended);
    case "budget.charge":
      return decideCharge(state, command.data, { actor, ended });
    case "lanes.enact":
    case "lane.announce":
    case "lease.acquire":
    case "lease.renew":
    case "lease.release":
    case "lease.narrow":
    case "lease.split":
    case "lease.hand_over":
    case "lease.revoke":
    case "lease.mount":
    case "lease.fence":
      return ruleOnGround(state, command, { atMs, ended });
    case "place.keep":
    case "place.leave":
    case "place.cancel":
      return ruleOnQueue(state, command, { atMs, ended });
    case "condition.trip":
    case "condition.fail":
    case "armed.check":
      return ruleOnSight(state, command, { atMs, ended });
    case "halt.request":
    case "clock.tick":
    case "clock.accept":
    case "refusals.suppress":
    case "journal.sign":
    case "receipt.record":
      return ruleOnRecord(state, command);
    default:
      return ruleOnServices(state, command, { atMs, ended });
  }
}

type ServiceCommand = Extract<
  Command,
  { readonly kind: `${"roster" | "roll" | "control" | "service" | "token"}.${string}` }
>;

/** Who is expected and who is heard, what is asked of them, and who may ask from afar. */
function ruleOnServices(
  state: State,
  command: ServiceCommand,
  now: { readonly atMs: number; readonly ended: string | undefined },
): Ruling {
  switch (command.kind) {
    case "roster.enact":
      return decideEnactRoster(state, command.data);
    case "roll.observe":
      return decideRollObserve(state, command.data);
    case "roll.forget":
      return decideRollForget(state, command.data);
    case "control.request":
      return decideControl(state, command.data);
    case "service.note":
      return decideServiceNote(state, command.data);
    case "token.issue":
      return decideIssue(state, command.data, now);
    case "token.exchange":
      return decideExchange(state, command.data, now);
    case "token.revoke":
      return decideRevokeToken(state, command.data, now);
  }
}

type RecordCommand = Extract<
  Command,
  { readonly kind: `${"halt" | "clock" | "refusals" | "journal" | "receipt"}.${string}` }
>;

/** What is put on record, and changes nothing else. */
function ruleOnRecord(state: State, command: RecordCommand): Ruling {
  switch (command.kind) {
    case "halt.request":
      return grant({ kind: "halt.requested", data: command.data });
    case "clock.tick":
      return grant();
    case "clock.accept":
      return grant({ kind: "clock.accepted", data: command.data });
    case "refusals.suppress":
      return grant({ kind: "refusals.suppressed", data: command.data });
    case "journal.sign":
      return decideSign(state, command.data);
    case "receipt.record":
      return grant({ kind: "receipt.recorded", data: command.data });
  }
}

type FleetCommand = Extract<
  Command,
  { readonly kind: `fleet.${string}` | `contract.${string}` | `key.${string}` }
>;

function ruleOnFleet(state: State, command: FleetCommand, atMs: number): Ruling {
  switch (command.kind) {
    case "fleet.create":
      return decideCreate(state, command.data);
    case "fleet.pause":
      return decidePause(state, command.data);
    case "fleet.resume":
      return decideResume(state, command.data);
    case "fleet.kill":
      return decideKill(state, command.data);
    case "fleet.recover":
      return decideRecover(state, command.data, atMs);
    case "contract.enact":
      return decideEnact(state, command.data);
    case "key.rotate":
      return decideRotate(state, command.data);
  }
}

type SightCommand = Extract<Command, { readonly kind: `condition.${string}` | `armed.${string}` }>;

/** What a supervisor alone has seen. */
function ruleOnSight(
  state: State,
  command: SightCommand,
  now: { readonly atMs: number; readonly ended: string | undefined },
): Ruling {
  switch (command.kind) {
    case "condition.trip":
      return decideTrip(state, command.data, now);
    case "condition.fail":
      return decideConditionFail(state, command.data);
    case "armed.check":
      return decideArmedCheck(state, command.data);
  }
}

type QueueCommand = Extract<Command, { readonly kind: `place.${string}` }>;

function ruleOnQueue(
  state: State,
  command: QueueCommand,
  now: { readonly atMs: number; readonly ended: string | undefined },
): Ruling {
  switch (command.kind) {
    case "place.keep":
      return decideKeep(state, command.data, now);
    case "place.leave":
      return decideLeave(state, command.data, now);
    case "place.cancel":
      return decideCancel(state, command.data, now);
  }
}

type GroundCommand = Extract<
  Command,
  { readonly kind: `lease.${string}` | `lanes.${string}` | `lane.${string}` }
>;

function ruleOnGround(
  state: State,
  command: GroundCommand,
  now: { readonly atMs: number; readonly ended: string | undefined },
): Ruling {
  switch (command.kind) {
    case "lanes.enact":
      return decideEnactLanes(state, command.data, now);
    case "lane.announce":
      return decideAnnounce(state, command.data);
    case "lease.acquire":
      return decideAcquire(state, command.data, now);
    case "lease.renew":
      return decideRenew(state, command.data, now);
    case "lease.release":
      return decideRelease(state, command.data, now);
    case "lease.narrow":
      return decideNarrow(state, command.data, now);
    case "lease.split":
      return decideSplit(state, command.data, now);
    case "lease.hand_over":
      return decideHandOver(state, command.data, now);
    case "lease.revoke":
      return decideRevoke(state, command.data, now);
    case "lease.mount":
      return decideMount(state, command.data, now);
    case "lease.fence":
      return decideFence(state, command.data);
  }
}
