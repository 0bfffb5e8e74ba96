// Why something was decided as it was: for every kind of event the facts that it rests on, taken
// from the state just before it.

import type { Command, CommandMap } from "../../kernel/command.ts";
import { carve } from "../../kernel/budget/allowance.ts";
import type { Contract } from "../../kernel/fleet/contract.ts";
import type { Event, EventKind, EventMap } from "../../kernel/event.ts";
import type { State, Worker } from "../../kernel/state.ts";
import { admissionContext } from "../../kernel/worker/admission.ts";
import type { HitLimit } from "../../kernel/worker/limit.ts";
import { staleAfterMs } from "../../kernel/worker/liveness.ts";
import { canonicalText } from "../../runtime/canonical.ts";
import { UNSEEN } from "../recovery/unseen.ts";
import { STOP_WORDS } from "./happened.ts";
import { GROUNDS_OF_LEASES } from "./lease-words.ts";
import { GROUNDS_OF_PLACES } from "./place-words.ts";
import { GROUNDS_OF_SERVICES } from "./roster-words.ts";
import { instantWords, listWords, quoted, workerWords, type Named } from "./words.ts";

/** An event and what it was decided on. */
export interface DecidedCase {
  /** The state just before the event. */
  readonly state: State;
  readonly command: Command | null;
  readonly atMs: number;
  readonly named: Named;
}

type Grounds = {
  readonly [K in EventKind]: (data: EventMap[K], so: DecidedCase) => string;
};

const byOperator = (what: string): string => `an operator may ${what} at any time`;

/** An order of an operator, or of a condition or check that an operator has enacted. */
function byOrder({ command }: DecidedCase, what: string): string {
  if (command?.kind === "armed.check") return BY_ARMED_CHECK;
  return command?.kind === "condition.trip" ? BY_CONDITION : byOperator(what);
}

const BY_ARMED_CHECK = 'an armed check has failed, and armed_action is "pause"';

const BY_CONDITION = "a kill condition of the contract in force had held for its time";

const GROUNDS: Grounds = {
  "fleet.created": () => "the journal was empty, and every stop condition of the contract is sound",
  "fleet.paused": (_, so) => byOrder(so, "pause a fleet that is open"),
  "fleet.resumed": () => byOperator("resume a fleet that is paused"),
  "fleet.killed": (_, so) =>
    `${byOrder(so, "kill a fleet")}; it had ${so.state.live_count} live workers and reservations`,
  "fleet.recovered": ({ kept_seq, remembered_seq, remembered_hash }) =>
    (remembered_hash === UNSEEN
      ? `the journal was exported at entry ${kept_seq}, and its fleet may have gone on; `
      : `the store ended at entry ${kept_seq}, and entry ${remembered_seq} is remembered outside ` +
        `of it; `) + "what is not here cannot be known, so that all that follows stands above it",
  "contract.enacted": ({ contract }, { state }) => {
    const changes = changesBetween(state.contract, contract);
    return (
      `${byOperator("enact a contract whose stop conditions are sound")}; it stops nobody. ` +
      `Changed: ${changes.length === 0 ? "nothing" : changes.join("; ")}`
    );
  },
  "key.rotated": (_, { state }) =>
    `${byOperator("rotate the key")}; until then it was ${state.key.key_id}, whose manifests ` +
    `that ` +
    "nobody had taken up are invalid now",
  "worker.admitted": (data, so) => admissionGrounds(data, so),
  "worker.adopted": (_, { state }) =>
    "its manifest was verified, and in the part that was kept it had not begun to run: it may " +
    "be at " +
    `work, so it counts as live; ${state.live_count} were before it`,
  "worker.registered": ({ worker }, so) => registrationGrounds(worker, so),
  "worker.lapsed": ({ worker }, { state, atMs }) => {
    const by = state.workers.get(worker)?.register_by_ms ?? atMs;
    return (
      `its manifest had to be presented before ${instantWords(by)}, and at ` +
      `${instantWords(atMs)} it had not been; its place and budget are free again`
    );
  },
  "worker.checkpointed": () => "it was running and not in quarantine",
  "worker.staled": (data, { state }) =>
    `no beat was counted for ${data.silent_ms} ms, and ${staleAfterMs(state.contract)} ms make a ` +
    "worker stale (three times beat_every_ms); nothing is stopped for it",
  "worker.recovered": (data, { state }) =>
    `a beat was counted ${data.silent_ms} ms before, which is less than the ` +
    `${staleAfterMs(state.contract)} ms that make a worker stale`,
  "worker.flagged": (data, { state }) =>
    `it was silent for ${data.silent_ms} ms and watched for ${data.watched_ms} ms, at least ` +
    `reap_after_ms (${state.contract.reap_after_ms}), but its sandbox was seen alive and ` +
    `silent_alive is ${quoted(state.contract.silent_alive)}`,
  "worker.limit_hit": ({ worker, limit }, so) => hitGrounds(so, worker, limit),
  "worker.stopping": (data, so) => stoppingGrounds(data, so),
  "worker.stopped": ({ evidence }) =>
    `that is what was seen of it: ${JSON.stringify(evidence.facts)}`,
  "worker.reparented": (_, { state }) =>
    `its parent had ended and on_orphan is ${quoted(state.contract.on_orphan)}: the nearest ` +
    "ancestor that runs answers for it",
  "worker.quarantined": (_, { state, command }) =>
    (command?.kind === "condition.trip" ? `${BY_CONDITION}; ` : "") +
    `it was running and in none yet; quarantine_max_ms is ${state.contract.quarantine_max_ms}`,
  "worker.unquarantined": ({ worker }, { state, atMs }) =>
    `it was in quarantine and within its lifetime, which ends at ` +
    instantWords(state.workers.get(worker)?.expires_at_ms ?? atMs),
  "worker.noted": () => "a note may be added to any worker that ever was",
  "budget.charged": ({ claimed }) =>
    "what was used is recorded whole, for it has happened" +
    (claimed ? "; a worker's own word can only add" : ""),
  "condition.tripped": ({ when, for_ms, held_ms, measures }) =>
    `${quoted(when)} was true of what was measured, ${JSON.stringify(measures)}, and had been ` +
    `for ${held_ms} ms, at least the ${for_ms} ms it has to hold`,
  "armed.checked": (_, { state }) =>
    "a check passes by proof of an end alone, and is due each " +
    `${state.contract.armed_every_ms} ms (armed_every_ms); armed_action is ` +
    quoted(state.contract.armed_action),
  "condition.failed": () =>
    "what cannot be decided is no reason to stop anybody; it is on record so that it is seen",
  ...GROUNDS_OF_LEASES,
  ...GROUNDS_OF_PLACES,
  ...GROUNDS_OF_SERVICES,
  "halt.requested": () => "a request to halt is recorded and shown; Stint never carries it out",
  "clock.accepted": () =>
    `${byOperator("take the host's clock as it is")}; journal time never runs backwards for it`,
  "command.refused": (data, so) => refusalGrounds(data, so),
  "refusals.suppressed": ({ window_ms }, { state }) =>
    `an actor's refusals are journaled up to ${state.contract.refusals_per_minute} in ` +
    `${window_ms} ms (refusals_per_minute), and only counted beyond`,
  "journal.signed": ({ key_id }) =>
    `${key_id} was the key in force; whoever trusts it can trust every entry up to there`,
  "receipt.recorded": () => "a receipt is evidence for whoever reads later; it changes nothing",
};

/** What a hit of a limit follows, and whether it waited for a minute to be over. */
function hitGrounds({ state, command }: DecidedCase, worker: string, limit: HitLimit): string {
  const told = state.workers.get(worker)?.limits_hit[limit];
  const before = told === undefined ? "it was the first of this limit" : `${told.count} were told`;
  return command?.kind === "worker.exited"
    ? `that was found when it had ended; ${before}`
    : `its supervisor saw it, and tells of one limit at most once a minute; ${before}`;
}

function admissionGrounds({ manifest }: EventMap["worker.admitted"], so: DecidedCase): string {
  const { state, atMs } = so;
  const { contract } = state;
  const parent = manifest.parent === null ? undefined : state.workers.get(manifest.parent);
  const conditions = contract.stop.map(({ name }) => quoted(name));
  return [
    "every check passed: the fleet was open",
    ...(parent === undefined ? [] : [parentGrounds(parent, { contract, atMs })]),
    `${state.live_count} of at most ${contract.max_replicas} workers lived`,
    `${state.total_count} of at most ${contract.max_total} had ever been admitted`,
    `depth ${manifest.depth} is at most ${contract.max_depth}`,
    "its budget was free where it was carved from",
    conditions.length === 0
      ? "the contract has no stop conditions"
      : `none of the stop conditions ${listWords(conditions)} held`,
  ].join("; ");
}

function parentGrounds(
  parent: Worker,
  so: { readonly contract: Contract; readonly atMs: number },
): string {
  const { last_admission_at_ms: last } = parent;
  const { cooldown_ms } = so.contract;
  const waited =
    last === null
      ? "had admitted nobody before"
      : `had last admitted one ${so.atMs - last} ms before, with a cooldown of ${cooldown_ms} ms`;
  return `its parent ran, was neither stale nor in quarantine and ${waited}`;
}

function registrationGrounds(id: string, { state, atMs }: DecidedCase): string {
  const worker = state.workers.get(id);
  const leftMs = (worker?.register_by_ms ?? atMs) - atMs;
  const isSame = worker?.contract_hash === state.contract_hash;
  return (
    "its manifest was whole, of the key in force, and presented for the first time, " +
    `${leftMs} ms before it would have lapsed; ` +
    (isSame
      ? "the contract was the one it was admitted under"
      : "counts, depth and stop conditions were checked again, for the contract had changed")
  );
}

function stoppingGrounds(data: EventMap["worker.stopping"], so: DecidedCase): string {
  const { state, atMs, command, named } = so;
  const why = STOP_WORDS[data.reason];
  const worker = state.workers.get(data.worker);
  switch (data.reason) {
    case "expired":
      return `${why}: it ended at ${instantWords(worker?.expires_at_ms ?? atMs)}`;
    case "quarantine_expired":
      return `${why}: it was to be lifted by ${instantWords(worker?.quarantine?.until_ms ?? atMs)}`;
    case "reaped":
    case "silent": {
      const seen = command?.kind === "worker.observe" ? command.data : undefined;
      const { silent_ms: silent = 0, watched_ms: watched = 0 } = seen ?? {};
      const numbers = `silent for ${silent} ms, watched for ${watched} ms`;
      return `${why}: ${numbers}, and reap_after_ms is ${state.contract.reap_after_ms}`;
    }
    case "orphaned":
      return `${why} and on_orphan is ${quoted(state.contract.on_orphan)}`;
    case "requested": {
      const asked = command?.kind === "worker.stop" ? command.data.worker : data.worker;
      return asked === data.worker
        ? why
        : `it descends from ${workerWords(asked, named)}, which was to stop with all below it`;
    }
    default:
      return why;
  }
}

function refusalGrounds({ code, message }: EventMap["command.refused"], so: DecidedCase): string {
  const seen = code === "stop_condition" ? conditionValues(so) : "";
  return seen === "" ? message : `${message}, with ${seen}`;
}

/** The values that the stop conditions were asked about, where their texts name them. */
function conditionValues({ state, command }: DecidedCase): string {
  if (command?.kind !== "worker.admit" || state.contract.stop.length === 0) return "";
  const request: CommandMap["worker.admit"] = command.data;
  const parent = request.parent === null ? null : state.workers.get(request.parent);
  if (parent === undefined) return "";
  const carving = carve(parent, request.budget, state.contract);
  if (!carving.ok) return "";
  const context = admissionContext(state, request, carving.granted);
  const text = state.contract.stop.map(({ when }) => when ?? "").join(" ");
  return VALUES.filter((name) => new RegExp(`\\b${name}\\b`).test(text))
    .map((name) => `${name} ${JSON.stringify(context[name])}`)
    .join(", ");
}

const VALUES = ["active_count", "total_count", "depth", "name", "reason", "state"] as const;

/** The fields in which a contract differs from the one before, each with both values. */
function changesBetween(before: Contract, after: Contract): readonly string[] {
  return (Object.keys(after) as (keyof Contract)[]).flatMap((field) => {
    // The order of keys is the journal's in one of them, and the program's in the other.
    const [was, is] = [canonicalText(before[field]), canonicalText(after[field])];
    return was === is ? [] : [`${field} ${was} → ${is}`];
  });
}

/** Why an event was decided: the facts it rests on, as a sentence without its full stop. */
export function groundsFor(event: Event, so: DecidedCase): string {
  // A kind's own function takes a kind's own data; the pair is that of one event.
  const say = GROUNDS[event.kind] as (data: unknown, so: DecidedCase) => string;
  return say(event.data, so);
}
