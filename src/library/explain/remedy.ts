// What would have made a refused command pass: a sentence for every code, from the very facts that
// the refusal names and the state it was decided on.

import type { RefusalCode } from "../../kernel/refusal.ts";
import { isLive } from "../../kernel/state.ts";
import { conditionCheckRemedy, limitRemedy, regionRemedy } from "./bound-remedy.ts";
import { Facts, type RefusedCase } from "./facts.ts";
import { PLACE_REMEDIES } from "./place-words.ts";
import { SERVICE_REMEDIES } from "./roster-words.ts";
import { LEASE_REMEDIES, leaseRightsRemedy } from "./lease-remedy.ts";
import { instantWords, listWords, quoted, workersWords, workerWords } from "./words.ts";

type Remedies = Readonly<Record<RefusalCode, (facts: Facts, so: RefusedCase) => string>>;

/** What a sandbox does not hold that it should; older entries name the first alone. */
function weaknessesOf(facts: Facts): readonly string[] {
  return facts.has("missing") ? facts.list("missing") : facts.list("degraded");
}

const never = (why: string): string => `nothing would have made it pass: ${why}`;
const unbuilt = (): string => "this version has no command that is refused so";

const REMEDIES: Remedies = {
  not_authorised: (facts) =>
    `it would have passed from ${listWords(facts.list("expected"), "or")}, not from ` +
    facts.text("got"),
  fleet_unknown: () => "it would have passed in a journal that holds a fleet: create one first",
  fleet_exists: (facts) =>
    `it would have passed in an empty journal; this one belongs to ${facts.text("fleet")} for good`,
  fleet_killed: (facts) =>
    never(`${facts.text("fleet")} was killed, and a killed fleet takes nothing new again`),
  fleet_paused: () =>
    "it would have passed once an operator had resumed the fleet, by `stint resume`",
  parent_unknown: (facts) =>
    `it would have passed below a worker that was admitted before; none with the id ` +
    `${facts.text("parent")} was, by then`,
  parent_not_running: (facts, so) => parentRemedy(facts, so),
  parent_quarantined: (facts, { named }) =>
    `it would have passed once an operator had lifted the quarantine of ` +
    workerWords(facts.text("parent"), named),
  parent_stale: (facts, { named }) =>
    `it would have passed once a beat of ${workerWords(facts.text("parent"), named)} had been ` +
    `heard`,
  max_replicas: (facts, so) => replicasRemedy(facts, so),
  max_total: (facts) =>
    `it would have passed under a contract whose max_total is at least ` +
    `${facts.number("total") + 1}; workers that end do not give their place in it back`,
  cooldown: (facts, { atMs }) =>
    `it would have passed ${facts.number("retry_after_ms")} ms later, from ` +
    `${instantWords(atMs + facts.number("retry_after_ms"))} on, or under a cooldown_ms of at ` +
    `most ` +
    String(facts.number("waited_ms")),
  depth_mismatch: (facts) =>
    `it would have passed claiming depth ${facts.number("depth")}, or claiming none`,
  max_depth: (facts) => depthRemedy(facts),
  rights_exceeded: (facts, { command }) =>
    command.kind.startsWith("lease.") ? leaseRightsRemedy(facts) : rightsRemedy(facts),
  region_invalid: (facts) => regionRemedy(facts),
  region_too_large: (facts) => regionRemedy(facts),
  budget_exceeded: (facts) => budgetRemedy(facts),
  stop_condition: (facts) => conditionRemedy(facts),
  condition_unmet: (facts) =>
    facts.has("when")
      ? `it would have passed if ${quoted(facts.text("when"))} had held for ` +
        `${facts.number("for_ms")} ms of what it is asked about`
      : `it would have passed under a contract with a kill condition ` +
        quoted(facts.text("condition")),
  containment_too_weak: (facts) =>
    `it would have passed in a sandbox that holds ${listWords(weaknessesOf(facts))}, or under a ` +
    `contract whose allow_degraded names ${weaknessesOf(facts).length > 1 ? "them" : "it"}`,
  manifest_invalid: (facts) => MANIFEST_REMEDIES[facts.text("why")] ?? MANIFEST_REMEDY,
  manifest_foreign: (facts) =>
    `it would have passed in the fleet that issued it, ${facts.text("got")}; this one is ` +
    facts.text("expected"),
  manifest_expired: (facts) =>
    `it would have passed before ${instantWords(facts.number("register_by_ms"))}, ` +
    `${facts.number("at_ms") - facts.number("register_by_ms")} ms or more earlier; now only a ` +
    `new ` +
    "admission helps",
  manifest_used: (facts) =>
    never(`a manifest is good for once, and that of ${facts.text("instance")} was used`) +
    "; a new admission gives a new one",
  contract_invalid: (facts, so) => conditionCheckRemedy(facts, so),
  instance_taken: (facts) =>
    `it would have passed with an id that was never used; ${facts.text("instance")} was`,
  worker_unknown: (facts) =>
    `it would have passed for a worker that was admitted before; none with the id ` +
    `${facts.text("worker")} was, by then`,
  worker_ended: (facts, { named }) =>
    never(`${workerWords(facts.text("worker"), named)} had ended, and nobody comes back`),
  worker_not_running: (facts, { named }) =>
    facts.text("status") === "admitted"
      ? `it would have passed once ${workerWords(facts.text("worker"), named)} had registered`
      : never(`${workerWords(facts.text("worker"), named)} was ${facts.text("status")}`),
  worker_quarantined: (facts, { named }) =>
    `it would have passed once an operator had lifted the quarantine of ` +
    workerWords(facts.text("worker"), named),
  worker_not_quarantined: (facts, { named }) =>
    `it would have passed while ${workerWords(facts.text("worker"), named)} was in quarantine; ` +
    `it ` +
    `was ${facts.text("status")} and in none`,
  worker_expired: (facts) =>
    `it would have passed before ${instantWords(facts.number("expires_at_ms"))}, the end of its ` +
    "lifetime; now it can only be stopped",
  workers_live: () => "it would have passed once every worker had ended",
  limit_exceeded: (facts) => limitRemedy(facts),
  rate_limited: (facts) =>
    `it would have been decided ${facts.number("retry_after_ms")} ms later, or under a contract ` +
    `whose refusals_per_minute is above ${facts.number("max")}`,
  command_mismatch: (facts) =>
    facts.has("lease_id")
      ? `it would have passed under a key of its own; ${quoted(facts.text("key"))} made ` +
        `${facts.text("lease_id")}, on ${facts.text("expected")}`
      : `it would have been decided under an id of its own; ${quoted(facts.text("id"))} belongs ` +
        `to entry ${facts.number("first_seq")}`,
  command_expired: (facts) =>
    `it would have been decided under a fresh id; ${quoted(facts.text("id"))} is ` +
    `${facts.number("age_ms")} ms old`,
  ...LEASE_REMEDIES,
  not_writable: unbuilt,
  thaw_unsafe: unbuilt,
  ...PLACE_REMEDIES,
  ...SERVICE_REMEDIES,
};

const MANIFEST_REMEDY = "it would have passed with the manifest that the admission handed out";

/** By what the check of the envelope found. */
const MANIFEST_REMEDIES: Readonly<Record<string, string>> = {
  form: `${MANIFEST_REMEDY}, in its envelope (DSSE) and unchanged`,
  signature: `${MANIFEST_REMEDY}; this one was altered, or signed by a stranger`,
  version: `${MANIFEST_REMEDY} by a Stint of this version`,
  key: "it would have passed with a manifest that was issued under the key in force",
  content: `${MANIFEST_REMEDY}; this one says something that was never admitted`,
};

function rightsRemedy(facts: Facts): string {
  const parents = `with ${facts.text("field")} ${facts.text("parent")}, as its parent has it`;
  const isOutside = facts.has("witness");
  return (
    `it would have passed ${parents}, or ${isOutside ? "within" : "narrower"}` +
    (isOutside ? `; ${quoted(facts.text("witness"))} is not in that` : "")
  );
}

function parentRemedy(facts: Facts, { named }: RefusedCase): string {
  const parent = workerWords(facts.text("parent"), named);
  const status = facts.text("status");
  if (status === "admitted") return `it would have passed once ${parent} had registered`;
  return `it would have passed below a parent that runs; ${parent} was ${status}, and stays so`;
}

function replicasRemedy(facts: Facts, { state, named }: RefusedCase): string {
  const [max, live] = [facts.number("max"), facts.number("live")];
  const ending = Math.max(1, live - max + 1);
  const ids = [...state.workers.values()].filter(isLive).map(({ id }) => id);
  const whom = ids.length === 0 ? "" : ` of ${workersWords(ids, named)}`;
  return (
    `it would have passed once ${ending}${whom} had ended, or under a contract whose ` +
    `max_replicas is at least ${live + 1}`
  );
}

function depthRemedy(facts: Facts): string {
  const [max, depth] = [facts.number("max"), facts.number("depth")];
  const place = max < 1 ? "as a root" : `below a parent of depth ${max - 1} or less`;
  return (
    `it would have passed ${place}, or under a contract whose max_depth is at least ` +
    String(depth)
  );
}

function budgetRemedy(facts: Facts): string {
  const key = facts.text("key");
  if (facts.has("use")) return useRemedy(facts);
  const [asked, free] = [facts.number("asked"), facts.number("free")];
  const missing = Math.max(1, asked - free);
  if (asked === 0)
    return (
      `it would have passed asking for 1 of ${key} or more with at least as much free; ` +
      `${free} was`
    );
  return (
    `it would have passed asking for ${key} of at most ${free}, or with ${missing} more free ` +
    "where it is carved from"
  );
}

/** What a parent's sandbox uses now cannot be carved from it. */
function useRemedy(facts: Facts): string {
  const [key, use, free] = [facts.text("key"), facts.number("use"), facts.number("free")];
  const room = free - use;
  const asking = room < 1 ? "" : `asking for ${key} of at most ${room}, or `;
  return (
    `it would have passed ${asking}once the parent used at most ` +
    `${Math.max(0, facts.number("remaining"))} of ${key}; it used ${use} of the ${free} it had free`
  );
}

function conditionRemedy(facts: Facts): string {
  const name = quoted(facts.text("condition"));
  const so = facts.has("when") ? `, ${facts.text("when")},` : "";
  if (facts.has("missing"))
    return `it would have passed in a process that brings the function of the condition ${name}`;
  if (facts.has("error"))
    return `it would have passed had the condition ${name}${so} been answered false; it failed`;
  return `it would have passed had the condition ${name}${so} been false`;
}

/** What would have made a refused command pass: a sentence without its full stop. */
export function remedyFor(so: RefusedCase): string {
  const { code, facts } = so.refusal;
  return REMEDIES[code](new Facts(facts), so);
}
