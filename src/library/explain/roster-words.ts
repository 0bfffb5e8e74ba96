// What is said of the roster, the roll and access tokens: what was asked, what happened, what that
// rests on, and what would have made a refusal pass.

import type { CommandKind, CommandMap } from "../../kernel/command.ts";
import type { EventKind, EventMap } from "../../kernel/event.ts";
import type { State } from "../../kernel/state.ts";
import { expectedOf, type Roster } from "../../kernel/roster/roster.ts";
import { rollStaleAfterMs } from "../../kernel/roster/sighting.ts";
import type { InstanceName, ServiceOutcome } from "../../kernel/roster/command.ts";
import type { Facts } from "./facts.ts";
import { instantWords, listWords, quoted, workersWords, type Named } from "./words.ts";

type Noun = `${"roster" | "roll" | "control" | "service" | "token"}.${string}`;

type Asked = {
  readonly [K in Extract<CommandKind, Noun>]: (data: CommandMap[K], named: Named) => string;
};

type Happened = {
  readonly [K in Extract<EventKind, Noun>]: (data: EventMap[K], named: Named) => string;
};

type Grounds = {
  readonly [K in Extract<EventKind, Noun>]: (
    data: EventMap[K],
    so: { readonly state: State; readonly atMs: number; readonly named: Named },
  ) => string;
};

/** What was asked about services and tokens, to go on from "… asked". */
export const ASKED_OF_SERVICES: Asked = {
  "roster.enact": (roster) => `that ${rosterWords(roster)} be expected to live`,
  "roll.observe": ({ sightings }) =>
    `to take note of what was heard of ${countWords(sightings.length, "instance")}`,
  "roll.forget": ({ instances }) => `to forget ${instancesWords(instances)}`,
  "control.request": ({ name, instance, action }) =>
    `for ${quoted(action)} of ` +
    (instance === undefined ? `all of ${name}` : `${name}/${instance}`),
  "service.note": ({ name, action, outcome }) =>
    `to record what came of telling ${name} to ${action}: ${OUTCOME_WORDS[outcome]}`,
  "token.issue": (data) => `for ${tokenWords(data)}, good for ${data.lifetime_ms} ms`,
  "token.exchange": ({ token, into }) => `to exchange the login code ${token} for ${into.token}`,
  "token.revoke": ({ token }) => `to revoke the token ${token}`,
};

const OUTCOME_WORDS: Readonly<Record<ServiceOutcome, string>> = {
  started: "it was started",
  already_running: "it was running already",
  stopped: "it was stopped",
  not_running: "it was not running",
  not_installed: "it is not installed here",
  failed: "that failed",
};

/** What happened to services and tokens, a sentence each without its full stop. */
export const HAPPENED_TO_SERVICES: Happened = {
  "roster.enacted": (roster) => `expected to live from here on: ${rosterWords(roster)}`,
  "roll.changed": ({ name, instance, from, to, why }) =>
    `instance ${name}/${instance} is ${to}` +
    (from === "unknown" ? "" : `, it was ${from}`) +
    `: ${why}`,
  "roll.forgotten": ({ instances }) => `the roll forgets ${instancesWords(instances)}`,
  "control.requested": ({ name, action, instances, workers, left_out_count }, named) => {
    const reached = [
      ...(instances.length === 0 ? [] : [`the instances ${listWords(instances)}`]),
      ...(workers.length === 0 ? [] : [`the workers ${workersWords(workers, named)}`]),
    ];
    const others = left_out_count === undefined ? "" : `, not ${left_out_count} more`;
    return `${quoted(action)} was asked of ${name}: of ${listWords(reached)}${others}`;
  },
  "service.acted": ({ name, action, outcome, detail, took_ms }) =>
    `service ${name} was told to ${action}, and after ${took_ms} ms ${OUTCOME_WORDS[outcome]}` +
    (detail === undefined ? "" : ` (${detail})`),
  "token.issued": (data) =>
    `${tokenWords(data)} was issued, good until ${instantWords(data.expires_at_ms)}`,
  "token.exchanged": ({ token, into }) =>
    `the login code ${token} was spent for ${into.token} of the role ${into.role}, good until ` +
    instantWords(into.expires_at_ms),
  "token.revoked": ({ token }) => `the token ${token} was revoked`,
};

/** What a decision about services and tokens rests on. */
export const GROUNDS_OF_SERVICES: Grounds = {
  "roster.enacted": (_, { state }) =>
    `an operator may say at any time who is expected; before it was ${rosterWords(state.roster)}`,
  "roll.changed": ({ name, silent_ms, every_ms }, { state }) => {
    const isRostered = expectedOf(state.roster, name) !== undefined;
    const whose = isRostered ? "the roster has it beat" : "it says that it beats";
    return (
      `${whose} every ${every_ms} ms, so that ${rollStaleAfterMs(every_ms)} ms without a beat ` +
      `make it stale; the supervisor had heard none for ${silent_ms} ms`
    );
  },
  "roll.forgotten": () => "it had stopped or was stale, and nothing is decided by its row",
  "control.requested": () =>
    "an operator may ask at any time; whoever of the name lived by the roll, and every worker of " +
    "the name that ran, is asked",
  "service.acted": ({ name }) => `the roster has ${name}; it is put on record and changes nothing`,
  "token.issued": ({ worker }, { named }) =>
    "an operator may issue tokens, also in a fleet that is paused or killed" +
    (worker === undefined ? "" : `; ${workersWords([worker], named)} had not ended`),
  "token.exchanged": ({ token }, { state, atMs }) => {
    const by = state.access.get(token)?.expires_at_ms ?? atMs;
    return `the code was good until ${instantWords(by)}, and nobody had spent it`;
  },
  "token.revoked": () => "an operator may revoke a token at any time; it had not ended",
};

/** What would have made a refused command about services and tokens pass. */
export const SERVICE_REMEDIES = {
  roster_invalid: (facts: Facts): string =>
    `it would have passed with ${quoted(facts.text("name"))} once, not for the supervisor, and ` +
    "with a unit or with commands that start and stop it",
  instance_unknown: (facts: Facts): string =>
    `it would have passed once ${facts.text("name")}` +
    (facts.has("instance") ? `/${facts.text("instance")}` : "") +
    " had been heard, or a worker of that name ran",
  service_unknown: (facts: Facts): string =>
    `it would have passed under a roster that has ${quoted(facts.text("name"))}`,
  token_unknown: (facts: Facts): string =>
    `it would have passed for a token that was issued; ${facts.text("token")} was not, by then`,
  token_ended: (facts: Facts): string =>
    facts.has("expires_at_ms")
      ? `it would have passed before ${instantWords(facts.number("expires_at_ms"))}; now only a ` +
        "new token helps"
      : `nothing would have made it pass: ${facts.text("token")} is good for that no more; a new ` +
        "one helps",
  token_taken: (facts: Facts): string =>
    `it would have passed with an id and a secret that nobody has; ${facts.text("token")}, or ` +
    "the hash, was used before",
  tokens_full: (facts: Facts): string =>
    `it would have passed with fewer than ${facts.number("limit")} tokens that live: revoke one`,
};

function rosterWords({ expected }: Roster): string {
  const names = expected.map(({ name, instances }) =>
    instances === 1 ? name : `${name} (${instances} of it)`,
  );
  return names.length === 0 ? "nobody" : listWords(names);
}

function instancesWords(instances: readonly InstanceName[]): string {
  const shown = instances.slice(0, shownMax).map(({ name, instance }) => `${name}/${instance}`);
  const more = instances.length > shownMax ? [`${instances.length - shownMax} more`] : [];
  return listWords([...shown, ...more]);
}

/** How many instances are named in one sentence. */
const shownMax = 5;

function countWords(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

function tokenWords(token: Omit<CommandMap["token.issue"], "hash" | "lifetime_ms">): string {
  const { role, service, worker, label, once } = token;
  const whose = service ?? worker;
  return (
    `${once === true ? "the login code" : "the token"} ${token.token} of the role ${role}` +
    (whose === undefined ? "" : ` for ${whose}`) +
    (label === undefined ? "" : `, labelled ${quoted(label)}`)
  );
}
