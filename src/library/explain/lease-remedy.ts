// What would have made a refused command about leases pass.

import { isOrphaned } from "../../kernel/lease/holding.ts";
import { nameOf, type Lease } from "../../kernel/lease/lease.ts";
import type { Facts, RefusedCase } from "./facts.ts";
import { regionWords } from "./lease-words.ts";
import { passingRemedy } from "./place-words.ts";
import { instantWords, quoted, workerWords } from "./words.ts";

type Remedy = (facts: Facts, so: RefusedCase) => string;

/** A sentence for each code that is about leases alone. */
export const LEASE_REMEDIES = {
  holder_ended: (facts, { named }) =>
    `it would have passed for a worker that runs; ` +
    `${workerWords(facts.text("holder"), named)} was ${facts.text("status")}, and stays so`,
  holder_quarantined: (facts, { named }) =>
    `it would have passed once an operator had lifted the quarantine of ` +
    workerWords(facts.text("holder"), named),
  holder_stale: (facts, { named }) =>
    `it would have passed once a beat of ${workerWords(facts.text("holder"), named)} had been ` +
    "heard",
  holder_mismatch: (facts, so) => mismatchRemedy(facts, so),
  lane_unknown: (facts) =>
    `it would have passed with the name of a lane that is in force` +
    (facts.has("nearest") ? `, such as ${quoted(facts.text("nearest"))}` : "") +
    `; ${quoted(facts.text("lane"))} is none`,
  lease_condition: (facts) => conditionRemedy(facts),
  lease_unknown: (facts) =>
    `it would have passed for a lease that was granted before; none with the id ` +
    `${facts.text("lease_id")} was, by then`,
  lease_ended: (facts) =>
    `it would have passed before the end of ${facts.text("lease_id")}; now only a new lease helps`,
  conflict: (facts, so) => conflictRemedy(facts, so),
  slots_full: (facts) =>
    `it would have passed once one of the ${facts.number("held")} leases on lane ` +
    `${quoted(facts.text("lane"))} had ended` +
    (facts.has("next_expires_at_ms")
      ? `, by ${instantWords(facts.number("next_expires_at_ms"))} unless that is renewed`
      : "") +
    (facts.has("waiting_count")
      ? ` and the ${facts.number("waiting_count")} who came first been served`
      : "") +
    `, or with more slots than ${facts.number("slots")}`,
  fence_stale: (facts) =>
    `it would have passed with the fence ${facts.number("fence")} of ${facts.text("lease_id")}; ` +
    `${facts.number("got")} is that of an earlier holder`,
  lanes_invalid: (facts) =>
    facts.has("field")
      ? `it would have passed with ${facts.text("field")} ${quoted(facts.text("expected"))}, or ` +
        `once ${facts.text("lease_id")} and all other leases had ended`
      : facts.has("expected")
        ? `it would have passed had lane ${quoted(facts.text("lane"))} been one that has ` +
          facts.text("expected")
        : `it would have passed had ${quoted(facts.text("lane"))} been the name of one lane alone`,
} satisfies Readonly<Record<string, Remedy>>;

function mismatchRemedy(facts: Facts, so: RefusedCase): string {
  const { command, named, state } = so;
  if (command.kind === "lease.mount")
    return (
      `it would have passed for the worker that holds ${facts.text("lease_id")}, while that ` +
      `runs; ${workerWords(facts.text("got"), named)} did not, or not any more`
    );
  if (!facts.has("lease_id"))
    return (
      `it would have passed from ${nameWords(facts.text("holder"), named)}, who waits in ` +
      `${facts.text("place")}; an operator can end that by \`stint lease wait-cancel\``
    );
  const holder = nameWords(facts.text("holder"), named);
  const id = facts.text("lease_id");
  const lease = state.book.leases.get(id);
  if (command.kind === "lease.hand_over" && command.data.orphan === true)
    return `it would have passed once ${holder}, which holds ${id}, had ended as a worker`;
  if (lease !== undefined && "worker" in lease.holder) {
    const worker = workerWords(lease.holder.worker, named);
    if (isOrphaned(state, lease))
      return `it would have passed from ${worker} alone, which has ended; ${orphanWords(lease)}`;
    const flag = command.kind === "lease.hand_over" ? "--from" : "--holder";
    return (
      `it would have passed from ${worker}, which holds it, or from an operator who names that ` +
      `worker: \`${flag} ${lease.holder.worker}\``
    );
  }
  return (
    `it would have passed from its holder, ${holder}, with the token that it was given; an ` +
    `operator can revoke ${id} without one`
  );
}

/** What can be done about a lease that a worker has left; what is lent goes to nobody else. */
export function orphanWords({ id, lender }: Pick<Lease, "id" | "lender">): string {
  const revoke = `\`stint lease revoke ${id} --reason WHY\` ends it`;
  if (lender !== null) return revoke;
  return `\`stint lease adopt ${id} --orphan --holder NAME\` takes it over, ${revoke}`;
}

function nameWords(name: string, named: RefusedCase["named"]): string {
  return named(name) === undefined ? quoted(name) : workerWords(name, named);
}

function conditionRemedy(facts: Facts): string {
  const name = quoted(facts.text("condition"));
  const so = facts.has("when") ? `, ${facts.text("when")},` : "";
  const was = facts.has("error") ? "been answered false; it failed" : "been false";
  return `it would have passed had the condition on leases ${name}${so} ${was}`;
}

function conflictRemedy(facts: Facts, { named, state }: RefusedCase): string {
  if (facts.has("also_held"))
    return (
      `it would have passed on ground that shares nothing with ` +
      `${regionWords(facts.list("also_held"))}, which was given as held`
    );
  if (facts.has("mounted")) return mountedRemedy(facts, named);
  if (facts.has("place")) return passingRemedy(facts);
  const whose = facts.text("own") === "true" ? ", its own," : "";
  const holder = nameWords(facts.text("holder"), named);
  const narrower = facts.has("witness")
    ? `, or on ground without what that has; ${quoted(facts.text("witness"))} is in both`
    : "; one of the two runs alone in the fleet";
  const lease = state.book.leases.get(facts.text("lease_id"));
  const left =
    lease !== undefined && isOrphaned(state, lease)
      ? `; ${workerWords(nameOf(lease.holder), named)} has ended: ${orphanWords(lease)}`
      : "";
  return (
    `it would have passed once ${facts.text("lease_id")}${whose} of ${holder} had ended, by ` +
    `${instantWords(facts.number("expires_at_ms"))} unless it is renewed${narrower}${left}`
  );
}

/** What a sandbox has mounted is free when it was taken from it: its lease's time is not asked. */
function mountedRemedy(facts: Facts, named: RefusedCase["named"]): string {
  const worker = workerWords(facts.text("holder"), named);
  const id = facts.text("lease_id");
  if (facts.text("lapsing") === "false")
    return (
      `it would have passed once ${id} had been released, and what ${worker} had mounted for it ` +
      `taken from it`
    );
  return (
    `it would have passed once what ${worker} had mounted for ${id} had been taken from it ` +
    `(lease.fenced), or with its end`
  );
}

/** What would have helped where a lease would have given more than there is a right to. */
export function leaseRightsRemedy(facts: Facts): string {
  switch (facts.text("field")) {
    case "to":
      return `it would have passed lent to a worker below its holder; ${facts.text("to")} is not`;
    case "mode":
      return "it would have passed for a lease that is no slot";
    case "lender":
      return `it would have passed for ${facts.text("lender")}, which it is lent of`;
    default:
      return (
        `it would have passed within ${regionWords(facts.list("within"))}; ` +
        `${quoted(facts.text("witness"))} is not in that`
      );
  }
}
