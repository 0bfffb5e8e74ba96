import type { Entry } from "../../kernel/entry.ts";
import type { Event, EventKind, EventMap } from "../../kernel/event.ts";
import type { KillAction } from "../../kernel/fleet/contract.ts";
import type { JsonObject } from "../../kernel/json.ts";
import { isProof, type Outcome, type StopReason } from "../../kernel/worker/evidence.ts";
import { UNSEEN } from "../recovery/unseen.ts";
import { askedWords } from "./asked.ts";
import { HAPPENED_TO_LEASES } from "./lease-words.ts";
import { HAPPENED_TO_PLACES } from "./place-words.ts";
import { HAPPENED_TO_SERVICES } from "./roster-words.ts";
import {
  actorWords,
  budgetWords,
  hitWords,
  instantWords,
  listWords,
  quoted,
  workerWords,
  type Named,
} from "./words.ts";

type Sentences = { readonly [K in EventKind]: (data: EventMap[K], named: Named) => string };

/** Why a worker was told to stop, as a clause. */
export const STOP_WORDS: Readonly<Record<StopReason, string>> = {
  requested: "its end was asked for",
  completed: "its work was done",
  failed: "its work failed",
  expired: "its lifetime was over",
  reaped: "it was silent for too long and its sandbox was not seen alive",
  silent: "it was silent for too long though its sandbox was alive, and the contract stops such",
  orphaned: "the worker that answered for it ended",
  killed: "the fleet was killed",
  budget_spent: "it had used more than it was given",
  tripped: "a kill condition held",
  quarantine_expired: "nobody lifted its quarantine in time",
  quarantine_stopped: "an operator ended it out of its quarantine",
};

const KILL_WORDS: Readonly<Record<KillAction, string>> = {
  pause: "the fleet is paused",
  quarantine: "the worker is put into quarantine",
  stop: "the worker is told to stop",
  kill: "the fleet is killed",
};

/** What happened, a sentence each without its full stop. */
const HAPPENED: Sentences = {
  "fleet.created": ({ fleet, name }) => `the fleet ${fleet}, named ${quoted(name)}, was created`,
  "fleet.paused": ({ reason }) => `the fleet was paused: ${reason}`,
  "fleet.resumed": ({ reason }) => `the fleet was resumed: ${reason}`,
  "fleet.killed": ({ reason, live_count }) =>
    `the fleet was killed for good with ${live_count} live: ${reason}`,
  "fleet.recovered": ({ kept_seq, remembered_seq, remembered_hash, epoch, reason }) =>
    (remembered_hash === UNSEEN
      ? `the journal was imported up to entry ${kept_seq}, and goes on `
      : `the journal goes on without entries ${kept_seq + 1} to ${remembered_seq}, ` +
        "which are lost, ") + `in epoch ${epoch}, and takes nothing new for now: ${reason}`,
  "contract.enacted": ({ contract_hash, excess }) => {
    const above = Object.entries(excess).filter(([, count]) => count > 0);
    const so = above.map(([what, count]) => `${count} ${what}`);
    const over = so.length === 0 ? "" : `; use is above it by ${listWords(so)}`;
    return `the contract ${contract_hash.slice(0, 12)} was put in force${over}`;
  },
  "key.rotated": ({ key }) => `the fleet's key was rotated to ${key.key_id}`,
  "worker.admitted": ({ manifest, degraded }, named) => {
    const { instance, name, parent, depth, budget, network } = manifest;
    const place = parent === null ? "as a root" : `below ${workerWords(parent, named)}`;
    const weak = degraded.length === 0 ? "" : `, without ${listWords(degraded)} held`;
    return (
      `worker ${instance} (${quoted(name)}) was admitted ${place}, depth ${depth}, network ` +
      `${network}, budget ${budgetWords(budget)}${weak}`
    );
  },
  "worker.adopted": ({ manifest, parent }, named) => {
    const { instance, name, expires_at_ms } = manifest;
    const place = parent === null ? "as a root" : `below ${workerWords(parent, named)}`;
    return (
      `worker ${instance} (${quoted(name)}) of the lost part was taken over ${place}, as live ` +
      `until ${instantWords(expires_at_ms)}`
    );
  },
  "worker.registered": ({ worker, process }, named) => {
    const where = process === undefined ? "" : ` as process ${process.pid} on ${process.host_id}`;
    return `worker ${workerWords(worker, named)} took its manifest up and runs${where}`;
  },
  "worker.lapsed": ({ worker }, named) =>
    `the reservation of ${workerWords(worker, named)} lapsed: nobody took it up in time`,
  "worker.checkpointed": ({ worker }, named) =>
    `worker ${workerWords(worker, named)} replaced its recorded state`,
  "worker.staled": ({ worker, silent_ms }, named) =>
    `worker ${workerWords(worker, named)} was found stale after ${silent_ms} ms without a beat`,
  "worker.recovered": ({ worker }, named) =>
    `worker ${workerWords(worker, named)} was heard of again`,
  "worker.flagged": ({ worker, silent_ms }, named) =>
    `worker ${workerWords(worker, named)} was flagged: silent for ${silent_ms} ms though its ` +
    "sandbox is alive",
  "worker.limit_hit": ({ worker, ...hit }, named) =>
    `worker ${workerWords(worker, named)} hit ${hitWords(hit)}`,
  "worker.stopping": ({ worker, reason, detail, grace_ms }, named) =>
    `worker ${workerWords(worker, named)} was told to stop` +
    (grace_ms === undefined ? "" : ` within ${grace_ms} ms`) +
    `: ${STOP_WORDS[reason]}` +
    (detail === undefined ? "" : ` (${detail})`),
  "worker.stopped": ({ worker, reason, evidence, outcome }, named) => {
    const proof = isProof(evidence.grade) ? "which proves it" : "which is no proof";
    const how = outcomeWords(outcome, reason);
    return (
      `worker ${workerWords(worker, named)} ended as ${reason}${how === "" ? "" : ` (${how})`}` +
      `, on evidence of grade ${evidence.grade}, ${proof}`
    );
  },
  "worker.reparented": ({ worker, parent }, named) =>
    `worker ${workerWords(parent, named)} answers for ${workerWords(worker, named)} from here on`,
  "worker.quarantined": ({ worker, reason, source, severity, until_ms }, named) =>
    `worker ${workerWords(worker, named)} was put into quarantine by ${quoted(source)}, severity ` +
    `${severity}, until ${instantWords(until_ms)} at most: ${reason}`,
  "worker.unquarantined": ({ worker, resolution }, named) =>
    `the quarantine of ${workerWords(worker, named)} was lifted: ${resolution}`,
  "worker.noted": ({ worker, text }, named) =>
    `a note was added to the record of ${workerWords(worker, named)}: ${text}`,
  "budget.charged": ({ worker, amounts, claimed }, named) =>
    `worker ${workerWords(worker, named)} was charged with ${budgetWords(amounts)}` +
    (claimed ? ", by its own word" : ""),
  ...HAPPENED_TO_LEASES,
  ...HAPPENED_TO_PLACES,
  ...HAPPENED_TO_SERVICES,
  "condition.tripped": ({ condition, worker, action, held_ms }, named) =>
    `the kill condition ${quoted(condition)} tripped` +
    (worker === undefined ? "" : ` on ${workerWords(worker, named)}`) +
    ` after it had held for ${held_ms} ms: ${KILL_WORDS[action]}`,
  "condition.failed": ({ condition, worker, problem }, named) =>
    `the kill condition ${quoted(condition)} cannot be decided` +
    (worker === undefined ? "" : ` about ${workerWords(worker, named)}`) +
    `, and stops nobody: ${problem}`,
  "armed.checked": ({ ok, grade, rung, took_ms, problem }) =>
    `the armed check has ${ok ? "passed" : "failed"}, contained by ${rung}: ` +
    (problem ?? `a canary was ended in ${took_ms} ms, on evidence of grade ${grade}`),
  "halt.requested": ({ handle, reason, lease }) =>
    `${quoted(handle)} is asked to halt${lease === undefined ? "" : ` for ${lease}`}: ${reason}`,
  "clock.accepted": ({ reason, wall_ms }) =>
    "journal time was tied to the host's clock anew" +
    (wall_ms === undefined ? "" : `, which showed ${instantWords(wall_ms)}`) +
    `: ${reason}`,
  "command.refused": ({ code, message }) => `it was refused as ${code}: ${message}`,
  "refusals.suppressed": ({ actor_key, count, window_ms }) =>
    `${count} further refusals of ${actor_key} within ${window_ms} ms were not journaled`,
  "journal.signed": ({ at_seq, key_id }) =>
    `the journal up to entry ${at_seq} was signed with the key ${key_id}`,
  "receipt.recorded": ({ receipt }) => receiptWords(receipt),
};

/**
 * How a program ended, in a few words; empty when nothing was measured. What is said of its end
 * besides, as its reason, is not said again as who ended it.
 */
export function outcomeWords(outcome: Outcome, reason?: string): string {
  const { exit_code, signal, timed_out, oom_killed, killed_by, error } = outcome;
  const isSaid = killed_by === reason || timed_out === true;
  return [
    ...(exit_code === undefined ? [] : [`exit code ${exit_code}`]),
    ...(signal === undefined ? [] : [`signal ${signal}`]),
    ...(timed_out === true ? ["its time was up"] : []),
    ...(oom_killed === true ? ["out of memory"] : []),
    ...(killed_by === undefined || isSaid ? [] : [`ended by ${killed_by}`]),
    ...(error === undefined ? [] : [error]),
  ].join(", ");
}

function receiptWords(receipt: JsonObject): string {
  const { seq, proven } = receipt;
  const count = (field: string): number => Number(receipt[field] ?? 0);
  const order = receipt["order"] === "stop" ? "stop" : "kill";
  const of = typeof seq === "number" ? ` ordered by entry ${seq}` : "";
  return (
    `the receipt of the ${order}${of} was recorded: ${count("stopped_count")} ended, ` +
    `${count("survivor_count")} did not, ${proven === true ? "proven" : "not proven"}`
  );
}

/** What an event says happened: a sentence without its full stop. */
export function happenedWords(event: Event, named: Named): string {
  // A kind's own function takes a kind's own data; the pair is that of one event.
  const say = HAPPENED[event.kind] as (data: unknown, named: Named) => string;
  return say(event.data, named);
}

/**
 * What an entry of the journal says: a sentence for people, in one line, without its full stop.
 * Of a refusal also what was asked, and by whom.
 */
export function entryWords(entry: Entry, named: Named): string {
  const said = happenedWords(entry, named);
  if (entry.kind !== "command.refused" || entry.command === null) return said;
  const { ended: _, ...command } = entry.command;
  const by = actorWords(entry.actor, named);
  return `${by} asked ${askedWords(command, named)}; ${said}`;
}
